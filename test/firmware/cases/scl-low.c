/* Holds SCL (PC5) low as an output, the TWI off. */
#include <avr/io.h>

int main(void) {
  PORTC &= (uint8_t)~_BV(PC5);
  DDRC |= _BV(PC5);
  for (;;) {
  }
}
