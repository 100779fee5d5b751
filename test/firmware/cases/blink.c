/* Blinks D13 with delay-like busy waiting: on for 250 ms, off for 750 ms; says so. */
#include <util/delay.h>
#include "serial.h"

int main(void) {
  serial_begin();
  DDRB |= _BV(PB5);
  for (;;) {
    PORTB |= _BV(PB5);
    serial_text("on\n");
    _delay_ms(250);
    PORTB &= (uint8_t)~_BV(PB5);
    serial_text("off\n");
    _delay_ms(750);
  }
}
