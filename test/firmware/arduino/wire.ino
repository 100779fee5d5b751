// Sends millis() on channel 1 over I2C once a second, as the vendor's library does: write, STOP, 10 ms, read, STOP.
#include <Wire.h>

const uint8_t MODULE = 0x4F;

uint8_t answer[32];

// Sends one request and reads its answer of `count` payload bytes; prints the status and the bytes.
void ask(uint8_t command, const uint8_t *payload, uint8_t length, uint8_t count) {
  uint8_t parity = command ^ length;
  Wire.beginTransmission(MODULE);
  Wire.write(command);
  Wire.write(length);
  for (uint8_t i = 0; i < length; i++) {
    Wire.write(payload[i]);
    parity ^= payload[i];
  }
  Wire.write(parity);
  uint8_t result = Wire.endTransmission();
  delay(10);
  Wire.requestFrom(MODULE, (uint8_t)(count + 3));
  uint8_t got = 0;
  while (Wire.available()) answer[got++] = Wire.read();
  Serial.print(result);
  for (uint8_t i = 0; i < got; i++) {
    Serial.print(' ');
    Serial.print(answer[i], HEX);
  }
  Serial.println();
}

void setup() {
  Serial.begin(115200);
  pinMode(LED_BUILTIN, OUTPUT);
  Wire.begin();
  // Nobody is there: 2 is "address not acknowledged".
  Wire.beginTransmission(0x50);
  Serial.println(Wire.endTransmission());
  ask(0xA1, nullptr, 0, 10);
}

void loop() {
  digitalWrite(LED_BUILTIN, HIGH);
  uint32_t now = millis();
  uint8_t entry[10] = {1, 'I', (uint8_t)now, (uint8_t)(now >> 8), (uint8_t)(now >> 16), (uint8_t)(now >> 24)};
  ask(0x20, entry, sizeof entry, 0);
  ask(0x24, nullptr, 0, 0);
  digitalWrite(LED_BUILTIN, LOW);
  // A value that came down: RX_DEQUEUE.
  ask(0x30, nullptr, 0, 18);
  delay(1000);
}
