/* As Arduino's twi.c: the TWI moved by its interrupt, the main loop waiting for a flag; sends once, then prints. */
#include <avr/interrupt.h>
#include <util/delay.h>
#include "frames.h"
#include "serial.h"
#include "twi.h"

static const uint8_t *out;
static volatile uint8_t left, taken, busy, interrupts, idle_interrupts;
static volatile uint8_t in[8];

#define GO (_BV(TWINT) | _BV(TWEN) | _BV(TWIE))

ISR(TWI_vect) {
  interrupts++;
  switch (TWSR & 0xf8) {
    case 0x08:
      TWDR = out ? WRITE : READ;
      TWCR = GO;
      break;
    case 0x18:
    case 0x28:
      if (left > 0) {
        TWDR = *out++;
        left--;
        TWCR = GO;
      } else {
        TWCR = GO | _BV(TWSTO);
        busy = 0;
      }
      break;
    case 0x50:
      in[taken++] = TWDR;
      /* fall through */
    case 0x40:
      TWCR = taken + 1 < left ? GO | _BV(TWEA) : GO;
      break;
    case 0x58:
      in[taken++] = TWDR;
      TWCR = GO | _BV(TWSTO);
      busy = 0;
      break;
    default:
      /* 0xF8: there is nothing to do, and on the chip no interrupt either. */
      idle_interrupts++;
      TWCR = GO | _BV(TWSTO);
      busy = 0;
  }
}

static void run(const uint8_t *frame, uint8_t length) {
  out = frame;
  left = length;
  taken = 0;
  busy = 1;
  TWCR = GO | _BV(TWSTA);
  while (busy) {
  }
  while (TWCR & _BV(TWSTO)) {
  }
}

int main(void) {
  serial_begin();
  twi_begin();
  TWCR = _BV(TWEN) | _BV(TWIE) | _BV(TWEA);
  sei();
  run(SENDIMMED_25, sizeof SENDIMMED_25);
  _delay_ms(10);
  run(0, 3);
  _delay_ms(1);
  cli();
  for (uint8_t i = 0; i < 3; i++) serial_hex(in[i]);
  serial_text(" interrupts ");
  serial_hex(interrupts);
  serial_text(" idle ");
  serial_hex(idle_interrupts);
  serial_byte('\n');
  for (;;) {
  }
}
