/* Enqueues, sends, and asks TX_STAT at once, with no wait anywhere; prints what it says. */
#include "frames.h"
#include "serial.h"
#include "twi.h"

/* TX_STAT */
static const uint8_t STAT[] = {0x25, 0x00, 0x25};

int main(void) {
  uint8_t answer[5];
  serial_begin();
  twi_begin();
  twi_request(ENQUEUE_25, sizeof ENQUEUE_25);
  twi_request(SEND, sizeof SEND);
  twi_request(STAT, sizeof STAT);
  twi_answer(answer, sizeof answer);
  for (uint8_t i = 0; i < sizeof answer; i++) serial_hex(answer[i]);
  serial_byte('\n');
  for (;;) {
  }
}
