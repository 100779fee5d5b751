/* As uart-send, at 57600 baud: nobody understands it. */
#define BAUD_DIVISOR 34
#include "uart-send.inc"
