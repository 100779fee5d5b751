/* Counts CPU cycles, in sixty-fourths, of one address byte at 100 kHz, and prints them; then of one STOP-and-START. */
#include "serial.h"
#include "twi.h"

int main(void) {
  serial_begin();
  twi_begin();
  twi_start();
  TWDR = WRITE;
  TCCR1B = _BV(CS10);
  TCNT1 = 0;
  TWCR = _BV(TWINT) | _BV(TWEN);
  twi_wait();
  uint16_t cycles = TCNT1;
  serial_hex(cycles >> 8);
  serial_hex(cycles & 0xff);
  serial_byte(' ');
  /* STOP and START in one: the status is START's and not a repeated one's. */
  TWCR = _BV(TWINT) | _BV(TWSTO) | _BV(TWSTA) | _BV(TWEN);
  twi_wait();
  serial_hex(TWSR & 0xf8);
  serial_byte(' ');
  serial_hex(TWCR & _BV(TWSTO));
  serial_byte('\n');
  for (;;) {
  }
}
