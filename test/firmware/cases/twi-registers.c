/* The TWI's flags as the datasheet has them, printed. */
#include <util/delay.h>
#include "serial.h"
#include "twi.h"

int main(void) {
  serial_begin();
  /* After reset TWINT is not raised. */
  serial_hex(TWCR);
  serial_byte(' ');
  twi_begin();
  twi_start();
  /* A zero leaves TWINT as it is. */
  TWCR = _BV(TWEN);
  serial_hex(TWCR);
  serial_byte(' ');
  /* TWDR cannot be written while a byte is under way: TWWC. */
  TWDR = WRITE;
  TWCR = _BV(TWINT) | _BV(TWEN);
  TWDR = 0x55;
  serial_hex(TWCR);
  serial_byte(' ');
  twi_wait();
  /* It was the address that went out, and was acknowledged. */
  serial_hex(TWSR);
  serial_byte(' ');
  twi_stop();
  _delay_ms(1);
  /* After STOP TWINT stays down. */
  serial_hex(TWCR);
  serial_byte('\n');
  for (;;) {
  }
}
