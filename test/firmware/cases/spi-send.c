/* Sends channel 1 = i 25 at 125 kHz, chip select on D10, and asks for the signal; prints both answers. */
#include "spi-send.inc"
