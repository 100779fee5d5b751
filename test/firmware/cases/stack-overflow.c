/* Calls itself for ever. */
#include <stdint.h>

__attribute__((noinline)) static uint16_t deeper(uint16_t depth) {
  volatile uint8_t room[8];
  room[0] = (uint8_t)depth;
  return (uint16_t)(deeper(depth + 1) + room[0]);
}

int main(void) { return (int)deeper(0); }
