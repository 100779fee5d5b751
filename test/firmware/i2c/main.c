/* An example firmware for the Arduino Uno's ATmega328P, the module on I2C. */
#include "twi.h"

#define BUS "i2c"
#define bus_begin twi_begin
#define bus_transfer twi_transfer
/* D13, the Uno's own. */
#define LED PB5

#include "program.h"
