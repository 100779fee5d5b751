// Sends its reading on channel 3 in AT lines: the module is on Serial, and nothing else can be.
void setup() {
  Serial.begin(115200);
  Serial.setTimeout(500);
}

void loop() {
  // TX_SENDIMMED channel 3, i, 9
  Serial.print("AT*CMD=210A0369090000000000000048\r\n");
  String answer = Serial.readStringUntil('\n');
  String ok = Serial.readStringUntil('\n');
  pinMode(13, OUTPUT);
  digitalWrite(13, answer.startsWith("*CMD:010001") && ok.startsWith("OK"));
  delay(1000);
}
