/* The SPI as a master, polled. SPI_CLOCK is SPCR's clock bits: 3 is 16 MHz / 128 = 125 kHz. */
#pragma once
#include <avr/io.h>
#include <util/delay.h>
#include <stdint.h>

#ifndef SPI_CONTROL
#define SPI_CONTROL (_BV(SPR1) | _BV(SPR0))
#endif
#ifndef CS_BIT
#define CS_BIT PB2 /* D10 */
#endif

static inline void spi_begin(void) {
  PORTB |= _BV(CS_BIT) | _BV(PB2);
  DDRB |= _BV(CS_BIT) | _BV(PB2) | _BV(PB3) | _BV(PB5);
  SPCR = _BV(SPE) | _BV(MSTR) | SPI_CONTROL;
}

static inline uint8_t spi_byte(uint8_t byte) {
  SPDR = byte;
  while (!(SPSR & _BV(SPIF))) {
  }
  return SPDR;
}

static inline void spi_ask(const uint8_t *frame, uint8_t length, uint8_t *into, uint8_t count) {
  PORTB &= (uint8_t)~_BV(CS_BIT);
  for (uint8_t i = 0; i < length; i++) {
    spi_byte(frame[i]);
    _delay_us(20);
  }
  _delay_ms(10);
  for (uint8_t i = 0; i < count; i++) {
    into[i] = spi_byte(0);
    _delay_us(20);
  }
  PORTB |= _BV(CS_BIT);
}
