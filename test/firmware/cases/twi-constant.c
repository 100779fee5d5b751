/* Talks all the time, as for a bench: GET_SIGNAL_QUALITY, and its answer at once, with timer 0 running as Arduino's. */
#include <avr/interrupt.h>
#include "frames.h"
#include "twi.h"

static volatile uint32_t overflows;

ISR(TIMER0_OVF_vect) { overflows++; }

int main(void) {
  TCCR0A = _BV(WGM01) | _BV(WGM00);
  TCCR0B = _BV(CS01) | _BV(CS00);
  TIMSK0 = _BV(TOIE0);
  sei();
  twi_begin();
  for (;;) {
    uint8_t answer[4];
    twi_request(SIGNAL, sizeof SIGNAL);
    twi_answer(answer, sizeof answer);
  }
}
