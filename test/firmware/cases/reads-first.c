/* Reads before it has written anything. */
#include <util/delay.h>
#include "serial.h"
#include "twi.h"

int main(void) {
  serial_begin();
  twi_begin();
  for (;;) {
    uint8_t answer[3];
    twi_answer(answer, sizeof answer);
    for (uint8_t i = 0; i < sizeof answer; i++) serial_hex(answer[i]);
    serial_byte('\n');
    _delay_ms(100);
  }
}
