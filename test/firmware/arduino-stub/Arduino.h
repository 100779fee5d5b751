// As much of Arduino's core as the sketches of docs/firmware-header.md use, to see that they compile.
#pragma once
#include <stddef.h>
#include <stdint.h>

const uint8_t LOW = 0;
const uint8_t HIGH = 1;
const uint8_t OUTPUT = 1;

unsigned long millis();
void delay(unsigned long ms);
void delayMicroseconds(unsigned int us);
void pinMode(uint8_t pin, uint8_t mode);
void digitalWrite(uint8_t pin, uint8_t level);
int analogRead(uint8_t pin);

class Stream {
 public:
  int available();
  int read();
  size_t write(uint8_t byte);
  size_t print(const char *text);
};

class HardwareSerial : public Stream {
 public:
  void begin(unsigned long baud);
};
extern HardwareSerial Serial1;
