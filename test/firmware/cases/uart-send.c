/* AT lines at 115200 with U2X (117647 baud, 2.1 % off): asks for the signal and sends 5 on channel 2. */
#include "uart-send.inc"
