/* Is not quick enough for its watchdog of 15 ms. */
#include <avr/wdt.h>

int main(void) {
  wdt_enable(WDTO_15MS);
  for (;;) {
  }
}
