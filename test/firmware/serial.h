/* Lines on the USART at 115200 baud, for whoever watches. */
#ifndef SERIAL_H
#define SERIAL_H

#include <avr/io.h>
#include <avr/pgmspace.h>
#include <stdint.h>
#include <stdlib.h>

static void serial_begin(void) {
  UCSR0A = _BV(U2X0);
  UBRR0 = F_CPU / 8 / 115200 - 1;
  UCSR0B = _BV(TXEN0);
}

static void say_char(char c) {
  while (!(UCSR0A & _BV(UDRE0))) {
  }
  UDR0 = (uint8_t)c;
}

static void say(const char *text) {
  while (*text != 0) say_char(*text++);
}

/* A text in flash: the RAM has better to do than to hold words. */
static void say_flash(const char *text) {
  char c;
  while ((c = (char)pgm_read_byte(text++)) != 0) say_char(c);
}
#define SAY(text) say_flash(PSTR(text))

static void say_number(int32_t number) {
  char digits[12];
  say(ltoa(number, digits, 10));
}

static void say_hex(uint8_t byte) {
  say_char("0123456789ABCDEF"[byte >> 4]);
  say_char("0123456789ABCDEF"[byte & 15]);
}

#endif
