/* Waits for TWINT with the TWI off: TWEN is missing. */
#include "twi.h"

int main(void) {
  twi_begin();
  TWCR = _BV(TWINT) | _BV(TWSTA);
  twi_wait();
  for (;;) {
  }
}
