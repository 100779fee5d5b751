/* Sleeps; timer 1 wakes it every 100 ms (CTC, 16 MHz / 64 / 25000), and every tenth time it prints. */
#include <avr/interrupt.h>
#include <avr/sleep.h>
#include "serial.h"

static volatile uint8_t ticks;

ISR(TIMER1_COMPA_vect) { ticks++; }

int main(void) {
  serial_begin();
  TCCR1A = 0;
  OCR1A = 24999;
  TCCR1B = _BV(WGM12) | _BV(CS11) | _BV(CS10);
  TIMSK1 = _BV(OCIE1A);
  set_sleep_mode(SLEEP_MODE_IDLE);
  sei();
  for (;;) {
    sleep_mode();
    if (ticks == 10) {
      ticks = 0;
      serial_text("tick\n");
    }
  }
}
