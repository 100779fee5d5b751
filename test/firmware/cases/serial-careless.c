/* Writes without waiting for UDRE: of five bytes at once two leave, as on the chip. */
#include <util/delay.h>
#include "serial.h"

int main(void) {
  serial_begin();
  for (const char *text = "abcde"; *text; text++) UDR0 = (uint8_t)*text;
  _delay_ms(5);
  serial_text("\n");
  for (;;) {
  }
}
