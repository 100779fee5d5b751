/*
 * What both example firmwares do, on a bus of their own: measure, send, and answer what comes down.
 *
 * Four values go up each round, and each value that came down goes up again on the next channel.
 * main.c says which bus it is: BUS, bus_begin(), bus_transfer, and LED, a pin of port B.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <avr/io.h>
#include <util/delay.h>

#include "sakuraio.h"
#include "serial.h"

static const sakuraio_device module = {bus_transfer, NULL};

/* Says what went wrong, and whether nothing did. */
static uint8_t ok(const char *what, int result) {
  if (result == SAKURAIO_OK) return 1;
  say_flash(what);
  SAY(": ");
  say_number(result);
  SAY("\r\n");
  _delay_ms(20);
  return 0;
}

/* Commands that may be repeated are, until they are answered. */
#define ASK(what, command)                   \
  do {                                       \
  } while (!ok(PSTR(what), command))

/* Others only when the module says that it has done nothing; what else went wrong is past help. */
static uint8_t again(int result) {
  return result == SAKURAIO_STATUS_BUSY || result == SAKURAIO_STATUS_PARITY;
}
#define ORDER(what, command)                 \
  do {                                       \
    int result;                              \
    do {                                     \
      result = command;                      \
    } while (!ok(PSTR(what), result) && again(result)); \
  } while (0)

static void greet(void) {
  char id[SAKURAIO_UNIQUE_ID_SIZE];
  uint8_t online;
  uint8_t error;
  SAY("hello " BUS "\r\n");
  ASK("id", sakuraio_get_unique_id(&module, id));
  SAY("id ");
  say(id);
  SAY("\r\n");
  for (;;) {
    ASK("connection", sakuraio_get_connection_status(&module, &online, &error));
    if (online) break;
    _delay_ms(100);
  }
  SAY("online\r\n");
}

static void measure(int32_t counter) {
  ORDER("enqueue int32", sakuraio_tx_enqueue_int32(&module, 0, counter));
  ORDER("enqueue float", sakuraio_tx_enqueue_float(&module, 1, (float)counter / 8));
  ORDER("enqueue int64", sakuraio_tx_enqueue_int64(&module, 2, counter * INT64_C(-10000000000)));
  ORDER("enqueue double", sakuraio_tx_enqueue_double_with_offset(&module, 3, (double)counter / -4, -500));
}

/* Sends the TX queue and waits for its end. What could not be sent stays in the queue for next time. */
static void send(void) {
  uint8_t queue;
  uint8_t immediate;
  ORDER("send", sakuraio_tx_send(&module));
  for (;;) {
    ASK("stat", sakuraio_tx_stat(&module, &queue, &immediate));
    if (queue != SAKURAIO_TX_STATE_SENDING) break;
    _delay_ms(20);
  }
  if (queue == SAKURAIO_TX_STATE_DONE) SAY("sent\r\n");
  else SAY("not sent\r\n");
}

static void say_entry(const sakuraio_entry *entry) {
  uint8_t i;
  SAY("received ");
  say_number(entry->channel);
  say_char(' ');
  say_char((char)entry->type);
  say_char(' ');
  for (i = 0; i < sizeof entry->value; i++) say_hex(entry->value[i]);
  SAY("\r\n");
}

/* Sends back what came down, on the next channel. Returns how many values that were. */
static uint8_t answer(void) {
  uint8_t count = 0;
  sakuraio_entry entry;
  int64_t offset_ms;
  for (;;) {
    int result = sakuraio_rx_dequeue(&module, &entry, &offset_ms);
    /* An empty queue. */
    if (result == SAKURAIO_STATUS_RUNTIME) return count;
    if (!ok(PSTR("dequeue"), result)) {
      if (again(result)) continue;
      return count;
    }
    say_entry(&entry);
    PINB = _BV(LED);
    entry.channel = (entry.channel + 1) & SAKURAIO_CHANNEL_MAX;
    ORDER("enqueue answer", sakuraio_tx_enqueue(&module, &entry));
    count++;
  }
}

int main(void) {
  int32_t counter;
  DDRB |= _BV(LED);
  serial_begin();
  bus_begin();
  greet();
  for (counter = 1;; counter++) {
    measure(counter);
    send();
    if (answer() > 0) send();
    _delay_ms(200);
  }
}

#endif
