/* As spi-send, at 1 MHz (16 MHz / 16): faster than the module takes. */
#include <avr/io.h>
#define SPI_CONTROL _BV(SPR0)
#include "spi-send.inc"
