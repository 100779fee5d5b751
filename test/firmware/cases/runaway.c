/* Prints, and jumps into erased flash at 0x4000. */
#include "serial.h"

int main(void) {
  serial_begin();
  serial_text("bye\n");
  while (!(UCSR0A & _BV(TXC0))) {
  }
  __asm__ volatile("jmp 0x4000");
}
