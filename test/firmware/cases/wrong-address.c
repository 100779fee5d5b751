/* Writes to 0x50, where nobody is, looks at nothing, goes on to the end; then asks 0x51, and does so for ever. */
#include <util/delay.h>
#include "frames.h"
#include "serial.h"
#include "twi.h"

int main(void) {
  serial_begin();
  twi_begin();
  for (;;) {
    for (uint8_t address = 0x50; address <= 0x51; address++) {
      twi_start();
      serial_hex(twi_write(address << 1));
      for (uint8_t i = 0; i < sizeof SEND; i++) serial_hex(twi_write(SEND[i]));
      twi_stop();
      serial_byte('\n');
    }
    _delay_ms(100);
  }
}
