/* The module on the ATmega328P's TWI: a transfer function for sakuraio.h. */
#ifndef TWI_H
#define TWI_H

#include <avr/io.h>
#include <util/delay.h>
#include <util/twi.h>

#include "sakuraio.h"

/* From the end of the request to the answer. */
#define MODULE_DELAY_MS 10

static void twi_begin(void) {
  TWSR = 0;
  TWBR = (F_CPU / 100000 - 16) / 2;
}

/* Whether it has come to this state within some 30 ms: a bus that is stuck must not stop the program. */
static uint8_t twi_step(uint8_t control, uint8_t wanted) {
  uint16_t tries;
  TWCR = control | _BV(TWINT) | _BV(TWEN);
  for (tries = 0; tries < 50000; tries++) {
    if (TWCR & _BV(TWINT)) return TW_STATUS == wanted;
  }
  return 0;
}

static uint8_t twi_start(uint8_t address_and_direction, uint8_t wanted) {
  if (!twi_step(_BV(TWSTA), TW_START)) return 0;
  TWDR = address_and_direction;
  return twi_step(0, wanted);
}

static void twi_stop(void) {
  uint16_t tries;
  TWCR = _BV(TWINT) | _BV(TWEN) | _BV(TWSTO);
  for (tries = 0; tries < 50000 && (TWCR & _BV(TWSTO)); tries++) {
  }
  /* If the bus is stuck, let go of it: the next START begins anew. */
  TWCR = 0;
}

static uint8_t twi_write(const uint8_t *bytes, size_t length) {
  size_t i;
  if (!twi_start(SAKURAIO_I2C_ADDRESS << 1 | TW_WRITE, TW_MT_SLA_ACK)) return 0;
  for (i = 0; i < length; i++) {
    TWDR = bytes[i];
    if (!twi_step(0, TW_MT_DATA_ACK)) return 0;
  }
  return 1;
}

/* One answer, and not a byte more: its length is known when its second byte is there. */
static size_t twi_read(uint8_t *bytes, size_t capacity) {
  size_t length = SAKURAIO_FRAME_OVERHEAD;
  size_t i;
  if (!twi_start(SAKURAIO_I2C_ADDRESS << 1 | TW_READ, TW_MR_SLA_ACK)) return 0;
  for (i = 0; i < length; i++) {
    uint8_t more = i + 1 < length;
    if (!twi_step(more ? _BV(TWEA) : 0, more ? TW_MR_DATA_ACK : TW_MR_DATA_NACK)) return 0;
    bytes[i] = TWDR;
    if (i == 1) length = sakuraio_answer_length(bytes, capacity);
  }
  return length;
}

static int twi_transfer(void *context, const uint8_t *request, size_t request_length,
    uint8_t *response, size_t capacity) {
  uint8_t written = twi_write(request, request_length);
  size_t length;
  (void)context;
  twi_stop();
  if (!written) return -1;
  _delay_ms(MODULE_DELAY_MS);
  length = twi_read(response, capacity);
  twi_stop();
  return length == 0 ? -1 : (int)length;
}

#endif
