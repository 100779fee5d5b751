// As much of Arduino's Wire as the sketches of docs/firmware-header.md use.
#pragma once
#include <stddef.h>
#include <stdint.h>

class TwoWire {
 public:
  void begin();
  void beginTransmission(uint8_t address);
  size_t write(const uint8_t *bytes, size_t length);
  uint8_t endTransmission();
  uint8_t requestFrom(uint8_t address, uint8_t length);
  int read();
};
extern TwoWire Wire;
