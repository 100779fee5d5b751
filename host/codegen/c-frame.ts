/** The part of the header that no command changes: the device, frames (§1), and integers byte by byte. */
import { CHANNEL_MAX, ENTRY_SIZE, MESSAGE_CHANNELS_MAX } from "../../protocol/channel.ts";
import { FRAME_OVERHEAD, PAYLOAD_MAX } from "../../protocol/frame.ts";
import { hexByte } from "../../protocol/hex.ts";
import { I2C_ADDRESS, SPI_HZ_MAX } from "../../protocol/wiring.ts";

/** What one entry with its offset takes: no command works with less. */
const PAYLOAD_LEAST = ENTRY_SIZE + 8;

export const limits = `\
/*
 * The longest payload that this program sends and takes, ${PAYLOAD_LEAST} to ${PAYLOAD_MAX}. Define it before the #include
 * to save stack in the commands whose payload varies (29 is what Arduino's Wire can carry): an
 * argument that does not fit is SAKURAIO_ERROR_ARGUMENT, an answer that does not is
 * SAKURAIO_ERROR_LENGTH.
 */
#ifndef SAKURAIO_PAYLOAD_MAX
#define SAKURAIO_PAYLOAD_MAX ${PAYLOAD_MAX}
#endif
#if SAKURAIO_PAYLOAD_MAX < ${PAYLOAD_LEAST} || SAKURAIO_PAYLOAD_MAX > ${PAYLOAD_MAX}
#error "SAKURAIO_PAYLOAD_MAX is ${PAYLOAD_LEAST} to ${PAYLOAD_MAX}"
#endif
#define SAKURAIO_AT_MOST(size) ((size) < SAKURAIO_PAYLOAD_MAX ? (size) : SAKURAIO_PAYLOAD_MAX)

/* Bytes of a frame beside its payload: code or status, length, parity. */
#define SAKURAIO_FRAME_OVERHEAD ${FRAME_OVERHEAD}
/* Channels are 0 to ${CHANNEL_MAX}; one message holds at most ${MESSAGE_CHANNELS_MAX} of them. */
#define SAKURAIO_CHANNEL_MAX ${CHANNEL_MAX}
#define SAKURAIO_MESSAGE_CHANNELS_MAX ${MESSAGE_CHANNELS_MAX}

/* The 7-bit address on I2C, and the fastest clock on SPI, in Hz. */
#define SAKURAIO_I2C_ADDRESS ${hexByte(I2C_ADDRESS)}
#define SAKURAIO_SPI_HZ_MAX ${SPI_HZ_MAX}L`;

/** What a command's function returns beside the module's statuses. */
export const errors = `\
/* What every command returns: a SAKURAIO_STATUS_ (SAKURAIO_OK is success), or one of these. */
#define SAKURAIO_ERROR_TRANSFER  (-1) /* the transfer function failed */
#define SAKURAIO_ERROR_LENGTH    (-2) /* the answer is cut short, or is no answer to this command */
#define SAKURAIO_ERROR_PARITY    (-3) /* the answer arrived damaged */
#define SAKURAIO_ERROR_NO_ANSWER (-4) /* only zeros or ones came: nobody is there yet */
#define SAKURAIO_ERROR_ARGUMENT  (-5) /* more than fits in a frame, or nothing; nothing was sent */`;

export const device = `\
/*
 * One exchange with the module, on whatever bus it is: sends all of the request, waits (about 10 ms
 * on I2C and SPI), and reads the answer into response, at most capacity bytes.
 *
 * How long the answer is stands in its second byte: sakuraio_answer_length() tells, once two bytes
 * are there. Bytes past its end do no harm, so that a bus which must know beforehand how much it
 * reads (Arduino's Wire) can read capacity. On I2C each new read starts again at the first byte.
 *
 * Returns how many bytes were read, or a negative number when the bus failed or nobody answered in
 * time. request and response never overlap.
 */
typedef int (*sakuraio_transfer)(void *context, const uint8_t *request, size_t request_length,
    uint8_t *response, size_t capacity);

/* One module. context is handed to transfer as it is, and may be NULL. */
typedef struct {
  sakuraio_transfer transfer;
  void *context;
} sakuraio_device;`;

export const integers = `\
/* Integers are little-endian on the wire, whatever the processor is. */
static inline void sakuraio_store_u16(uint8_t *out, uint16_t value) {
  out[0] = (uint8_t)value;
  out[1] = (uint8_t)(value >> 8);
}

static inline void sakuraio_store_u32(uint8_t *out, uint32_t value) {
  sakuraio_store_u16(out, (uint16_t)value);
  sakuraio_store_u16(out + 2, (uint16_t)(value >> 16));
}

static inline void sakuraio_store_u64(uint8_t *out, uint64_t value) {
  sakuraio_store_u32(out, (uint32_t)value);
  sakuraio_store_u32(out + 4, (uint32_t)(value >> 32));
}

static inline uint16_t sakuraio_load_u16(const uint8_t *bytes) {
  return (uint16_t)(bytes[0] | ((unsigned int)bytes[1] << 8));
}

static inline uint32_t sakuraio_load_u32(const uint8_t *bytes) {
  return sakuraio_load_u16(bytes) | ((uint32_t)sakuraio_load_u16(bytes + 2) << 16);
}

static inline uint64_t sakuraio_load_u64(const uint8_t *bytes) {
  return sakuraio_load_u32(bytes) | ((uint64_t)sakuraio_load_u32(bytes + 4) << 32);
}`;

export const frames = `\
/* XOR of all bytes. A frame's last byte is that of those before it: a whole frame gives 0. */
static inline uint8_t sakuraio_parity(const uint8_t *bytes, size_t length) {
  uint8_t parity = 0;
  size_t i;
  for (i = 0; i < length; i++) parity = (uint8_t)(parity ^ bytes[i]);
  return parity;
}

/*
 * Makes a frame around the payload that stands at frame + 2 already: code, length, parity.
 * Returns the bytes of the whole frame.
 */
static inline size_t sakuraio_frame_build(uint8_t *frame, uint8_t code, uint8_t payload_length) {
  size_t parity_at = (size_t)payload_length + 2;
  frame[0] = code;
  frame[1] = payload_length;
  frame[parity_at] = sakuraio_parity(frame, parity_at);
  return parity_at + 1;
}

/*
 * Checks an answer of which so many bytes were read; more than it has do no harm.
 * Returns the module's status, or SAKURAIO_ERROR_LENGTH, _PARITY or _NO_ANSWER.
 */
static inline int sakuraio_frame_check(const uint8_t *frame, size_t received) {
  size_t length;
  if (received < SAKURAIO_FRAME_OVERHEAD) return SAKURAIO_ERROR_LENGTH;
  if (frame[0] == 0xFF && frame[1] == 0xFF) return SAKURAIO_ERROR_NO_ANSWER;
  length = (size_t)frame[1] + SAKURAIO_FRAME_OVERHEAD;
  if (length > received) return SAKURAIO_ERROR_LENGTH;
  if (sakuraio_parity(frame, length) != 0) return SAKURAIO_ERROR_PARITY;
  return frame[0] == 0 ? SAKURAIO_ERROR_NO_ANSWER : frame[0];
}

/* For a transfer function: the bytes of the whole answer by its first two, but no more than fit. */
static inline size_t sakuraio_answer_length(const uint8_t *response, size_t capacity) {
  size_t length = (size_t)response[1] + SAKURAIO_FRAME_OVERHEAD;
  return length < capacity ? length : capacity;
}

/*
 * Sends the payload at request + 2 as this command and checks the answer, whose payload of least to
 * most bytes is then at response + 2. There is room for a whole frame in both.
 */
static inline int sakuraio_exchange(const sakuraio_device *device, uint8_t code, uint8_t *request,
    uint8_t payload_length, uint8_t *response, uint8_t least, uint8_t most) {
  size_t capacity = (size_t)most + SAKURAIO_FRAME_OVERHEAD;
  size_t length = sakuraio_frame_build(request, code, payload_length);
  int result = device->transfer(device->context, request, length, response, capacity);
  if (result < 0) return SAKURAIO_ERROR_TRANSFER;
  if ((size_t)result > capacity) return SAKURAIO_ERROR_LENGTH;
  result = sakuraio_frame_check(response, (size_t)result);
  if (result != SAKURAIO_OK) return result;
  return response[1] < least || response[1] > most ? SAKURAIO_ERROR_LENGTH : SAKURAIO_OK;
}`;
