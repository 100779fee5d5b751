/* Sends channel 1 = i 25 once a second, waits 10 ms before each answer as the vendor's driver does, prints it. */
#include <util/delay.h>
#include "frames.h"
#include "serial.h"
#include "twi.h"

static void ask(const uint8_t *frame, uint8_t length) {
  uint8_t answer[3];
  twi_request(frame, length);
  _delay_ms(10);
  twi_answer(answer, sizeof answer);
  for (uint8_t i = 0; i < sizeof answer; i++) serial_hex(answer[i]);
  serial_byte('\n');
}

int main(void) {
  serial_begin();
  twi_begin();
  for (;;) {
    ask(ENQUEUE_25, sizeof ENQUEUE_25);
    ask(SEND, sizeof SEND);
    _delay_ms(1000);
  }
}
