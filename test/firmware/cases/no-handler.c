/* Lets an interrupt come that has no handler: avr-libc's default jumps to address 0, again and again. */
#include <avr/interrupt.h>

int main(void) {
  TCCR0B = _BV(CS00);
  TIMSK0 = _BV(TOIE0);
  sei();
  for (;;) {
  }
}
