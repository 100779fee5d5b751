/* Addresses the module, and then goes elsewhere with TWINT set: SCL stays low. */
#include "twi.h"

int main(void) {
  twi_begin();
  twi_start();
  twi_write(WRITE);
  for (;;) {
  }
}
