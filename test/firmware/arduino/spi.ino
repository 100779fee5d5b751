// Sends 7 on channel 2 over SPI, chip select on D10, 20 us between the bytes, and says what it got.
#include <SPI.h>

const uint8_t CS = 10;
const SPISettings SETTINGS(350000, MSBFIRST, SPI_MODE0);

void ask(const uint8_t *frame, uint8_t length, uint8_t count) {
  SPI.beginTransaction(SETTINGS);
  digitalWrite(CS, LOW);
  for (uint8_t i = 0; i < length; i++) {
    SPI.transfer(frame[i]);
    delayMicroseconds(20);
  }
  delay(10);
  for (uint8_t i = 0; i < count; i++) {
    Serial.print(SPI.transfer(0), HEX);
    Serial.print(' ');
    delayMicroseconds(20);
  }
  digitalWrite(CS, HIGH);
  SPI.endTransaction();
  Serial.println();
}

void setup() {
  Serial.begin(9600);
  digitalWrite(CS, HIGH);
  pinMode(CS, OUTPUT);
  SPI.begin();
}

void loop() {
  const uint8_t send[] = {0x21, 10, 2, 'i', 7, 0, 0, 0, 0, 0, 0, 0, 0x47};
  const uint8_t signal[] = {0x02, 0, 0x02};
  ask(send, sizeof send, 3);
  ask(signal, sizeof signal, 4);
  delay(1000);
}
