/* Reads on after its address was not acknowledged, with neither START nor STOP. */
#include "twi.h"

int main(void) {
  twi_begin();
  twi_start();
  twi_write(0xa1);
  twi_read(0);
  for (;;) {
  }
}
