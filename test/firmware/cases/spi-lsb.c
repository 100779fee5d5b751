/* As spi-send, the lowest bit first. */
#include <avr/io.h>
#define SPI_CONTROL (_BV(SPR1) | _BV(SPR0) | _BV(DORD))
#include "spi-send.inc"
