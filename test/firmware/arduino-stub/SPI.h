// As much of Arduino's SPI as the sketches of docs/firmware-header.md use.
#pragma once
#include <stdint.h>

const uint8_t MSBFIRST = 1;
const uint8_t SPI_MODE0 = 0;

class SPISettings {
 public:
  SPISettings(uint32_t clock, uint8_t order, uint8_t mode);
};

class SPIClass {
 public:
  void begin();
  void beginTransaction(SPISettings settings);
  uint8_t transfer(uint8_t byte);
  void endTransaction();
};
extern SPIClass SPI;
