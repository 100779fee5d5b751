/* The TWI, polled, at 100 kHz. Nothing here looks at TWSR unless told to. */
#pragma once
#include <avr/io.h>
#include <stdint.h>

#define WRITE 0x9e /* 0x4F << 1 */
#define READ 0x9f

static inline void twi_begin(void) {
  TWSR = 0;
  TWBR = 72; /* 16 MHz / (16 + 2 * 72) = 100 kHz */
}

static inline void twi_wait(void) {
  while (!(TWCR & _BV(TWINT))) {
  }
}

static inline uint8_t twi_start(void) {
  TWCR = _BV(TWINT) | _BV(TWSTA) | _BV(TWEN);
  twi_wait();
  return TWSR & 0xf8;
}

static inline uint8_t twi_write(uint8_t byte) {
  TWDR = byte;
  TWCR = _BV(TWINT) | _BV(TWEN);
  twi_wait();
  return TWSR & 0xf8;
}

static inline uint8_t twi_read(uint8_t ack) {
  TWCR = _BV(TWINT) | _BV(TWEN) | (ack ? _BV(TWEA) : 0);
  twi_wait();
  return TWDR;
}

static inline void twi_stop(void) {
  TWCR = _BV(TWINT) | _BV(TWSTO) | _BV(TWEN);
  while (TWCR & _BV(TWSTO)) {
  }
}

static inline void twi_request(const uint8_t *frame, uint8_t length) {
  twi_start();
  twi_write(WRITE);
  for (uint8_t i = 0; i < length; i++) twi_write(frame[i]);
  twi_stop();
}

static inline void twi_answer(uint8_t *into, uint8_t length) {
  twi_start();
  twi_write(READ);
  for (uint8_t i = 0; i < length; i++) into[i] = twi_read(i + 1 < length);
  twi_stop();
}
