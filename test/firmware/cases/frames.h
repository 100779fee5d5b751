/* Requests as literal bytes (module-protocol §2), parity included. */
#pragma once
#include <stdint.h>

/* TX_ENQUEUE channel 1, i, 25 */
static const uint8_t ENQUEUE_25[] = {0x20, 0x0a, 0x01, 0x69, 0x19, 0, 0, 0, 0, 0, 0, 0, 0x5b};
/* TX_SEND */
static const uint8_t SEND[] = {0x24, 0x00, 0x24};
/* TX_SENDIMMED channel 1, i, 25 */
static const uint8_t SENDIMMED_25[] = {0x21, 0x0a, 0x01, 0x69, 0x19, 0, 0, 0, 0, 0, 0, 0, 0x5a};
/* GET_SIGNAL_QUALITY */
static const uint8_t SIGNAL[] = {0x02, 0x00, 0x02};
