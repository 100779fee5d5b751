/* The least that is of use, to see what it costs in flash: enqueue, send, dequeue over I2C. */
#include "twi.h"

int main(void) {
  sakuraio_device module = {twi_transfer, NULL};
  sakuraio_entry entry;
  int64_t offset_ms;
  int32_t value = 0;
  twi_begin();
  for (;;) {
    if (sakuraio_tx_enqueue_int32(&module, 1, value) == SAKURAIO_OK) sakuraio_tx_send(&module);
    if (sakuraio_rx_dequeue(&module, &entry, &offset_ms) == SAKURAIO_OK)
      value = sakuraio_entry_get_int32(&entry);
  }
}
