/* As spi-send, in mode 2 (CPOL alone), its chip select on D9. */
#include <avr/io.h>
#define SPI_CONTROL (_BV(SPR1) | _BV(SPR0) | _BV(CPOL))
#define CS_BIT PB1
#include "spi-send.inc"
