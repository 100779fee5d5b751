/* Prints PIND with D2's pull-up on and D3 floating, and timer 0's flags when one of two has been cleared. */
#include <util/delay.h>
#include "serial.h"

int main(void) {
  serial_begin();
  PORTD |= _BV(PD2);
  _delay_ms(1);
  serial_hex(PIND & (_BV(PD2) | _BV(PD3)));
  serial_byte(' ');
  TCCR0B = _BV(CS00);
  _delay_ms(1);
  TCCR0B = 0;
  TIFR0 = _BV(TOV0);
  serial_hex(TIFR0);
  serial_byte('\n');
  for (;;) {
  }
}
