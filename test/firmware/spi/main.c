/* An example firmware for the Arduino Uno's ATmega328P, the module on SPI, chip select on D10. */
#include "spi.h"

#define BUS "spi"
#define bus_begin spi_begin
#define bus_transfer spi_transfer
/* D8: the Uno's own LED is on SCK. */
#define LED PB0

#include "program.h"
