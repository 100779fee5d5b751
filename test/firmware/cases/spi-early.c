/* Raises chip select while the request's last byte is still going out. */
#include "frames.h"
#include "spi.h"

int main(void) {
  spi_begin();
  PORTB &= (uint8_t)~_BV(CS_BIT);
  spi_byte(SIGNAL[0]);
  spi_byte(SIGNAL[1]);
  SPDR = SIGNAL[2];
  PORTB |= _BV(CS_BIT);
  for (;;) {
  }
}
