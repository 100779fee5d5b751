/* The module on the ATmega328P's SPI, chip select on PB2 (D10): a transfer function for sakuraio.h. */
#ifndef SPI_H
#define SPI_H

#include <avr/io.h>
#include <util/delay.h>

#include "sakuraio.h"

/* From the end of the request to the answer. */
#define MODULE_DELAY_MS 10
#define BYTE_GAP_US 20

static void spi_begin(void) {
  PORTB |= _BV(PB2);
  /* Chip select, MOSI and SCK. PB2 as an output also keeps the SPI a master. */
  DDRB |= _BV(PB2) | _BV(PB3) | _BV(PB5);
  /* Mode 0, 250 kHz: the module takes 350. */
  SPCR = _BV(SPE) | _BV(MSTR) | _BV(SPR1);
}

static uint8_t spi_exchange(uint8_t byte) {
  SPDR = byte;
  while (!(SPSR & _BV(SPIF))) {
  }
  _delay_us(BYTE_GAP_US);
  return SPDR;
}

static int spi_transfer(void *context, const uint8_t *request, size_t request_length,
    uint8_t *response, size_t capacity) {
  size_t length = SAKURAIO_FRAME_OVERHEAD;
  size_t i;
  (void)context;
  PORTB &= (uint8_t)~_BV(PB2);
  for (i = 0; i < request_length; i++) spi_exchange(request[i]);
  _delay_ms(MODULE_DELAY_MS);
  for (i = 0; i < length; i++) {
    response[i] = spi_exchange(0);
    if (i == 1) length = sakuraio_answer_length(response, capacity);
  }
  PORTB |= _BV(PB2);
  return (int)length;
}

#endif
