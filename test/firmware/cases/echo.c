/* Reads a line from its USART and answers with it, while it writes UCSR0B all the time, as Arduino's write() does. */
#include "serial.h"

int main(void) {
  serial_begin();
  char line[32];
  for (;;) {
    uint8_t length = 0;
    for (;;) {
      while (!(UCSR0A & _BV(RXC0))) UCSR0B = UCSR0B;
      char next = (char)UDR0;
      if (next == '\n' || length == sizeof line - 1) break;
      line[length++] = next;
    }
    line[length] = 0;
    serial_text("got ");
    serial_text(line);
    serial_byte('\n');
  }
}
