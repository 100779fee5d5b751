/* Sleeps; timer 1 wakes it every 100 ms (CTC, 16 MHz / 64 / 25000), and every tenth time it prints how often
   it has woken since. */
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
  uint8_t wakes = 0;
  for (;;) {
    sleep_mode();
    wakes++;
    if (ticks == 10) {
      serial_hex(wakes);
      serial_byte('\n');
      ticks = 0;
      wakes = 0;
    }
  }
}
