/* USART0, polled, 115200 8N1 with U2X. */
#pragma once
#include <avr/io.h>
#include <stdint.h>

static inline void serial_begin(void) {
  UBRR0 = 16;
  UCSR0B = _BV(RXEN0) | _BV(TXEN0);
  /* Last, and with UDRE0 raised: a write of UCSR0A leaves it so. */
  UCSR0A = _BV(U2X0);
}

static inline void serial_byte(uint8_t byte) {
  while (!(UCSR0A & _BV(UDRE0))) {
  }
  UDR0 = byte;
}

static inline void serial_text(const char *text) {
  while (*text) serial_byte((uint8_t)*text++);
}

static inline void serial_hex(uint8_t byte) {
  static const char digits[] = "0123456789ABCDEF";
  serial_byte((uint8_t)digits[byte >> 4]);
  serial_byte((uint8_t)digits[byte & 15]);
}

static inline uint8_t serial_read(void) {
  while (!(UCSR0A & _BV(RXC0))) {
  }
  return UDR0;
}
