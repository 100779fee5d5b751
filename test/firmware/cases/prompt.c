/* A line, and a prompt that nothing follows. */
#include "serial.h"

int main(void) {
  serial_begin();
  serial_text("hello\r\n> ");
  for (;;) {
  }
}
