/*
 * The generated header on this computer, for test/interop/external/codegen.test.ts: every command's C
 * function is called from here, and the test is the wire.
 *
 *   in   call NAME INDEX     calls the function of a command with the arguments of this index
 *   out  > HEX               the request that it sends
 *   in   < HEX               the answer's bytes; "< !" is a bus that failed
 *   out  = RETURNED WORDS…   what the function returned, and on success what it decoded
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sakuraio.h"

static char line[2048];

static int read_line(void) {
  if (fgets(line, sizeof line, stdin) == NULL) return 0;
  line[strcspn(line, "\r\n")] = 0;
  return 1;
}

static void print_hex(const uint8_t *bytes, size_t length) {
  size_t i;
  for (i = 0; i < length; i++) printf("%s%02X", i == 0 ? "" : " ", bytes[i]);
}

/* A text as one word: a damaged answer may have anything in it. */
static void print_text(const char *text) {
  for (; *text != 0; text++) {
    if (*text > ' ' && *text <= '~') putchar(*text);
    else printf("\\x%02X", (unsigned char)*text);
  }
}

/* The answer goes into memory of exactly its capacity, so that a sanitizer sees a byte too many. */
static int ask_the_test(void *context, const uint8_t *request, size_t request_length,
    uint8_t *response, size_t capacity) {
  const char *at = line + 1;
  int received = 0;
  (void)context;
  printf("> ");
  print_hex(request, request_length);
  printf("\n");
  fflush(stdout);
  if (!read_line() || line[0] != '<' || strcmp(line, "< !") == 0) return -7;
  for (;;) {
    char *end;
    unsigned long byte = strtoul(at, &end, 16);
    if (end == at) return received;
    at = end;
    if ((size_t)received < capacity) response[received++] = (uint8_t)byte;
  }
}

static const sakuraio_device module = {ask_the_test, NULL};

/* Whether what the function decoded is to be printed behind what it returned. */
static int done(int result) {
  printf("= %d", result);
  return result == SAKURAIO_OK;
}

static void print_entry(int result, const sakuraio_entry *entry, int64_t offset_ms) {
  if (!done(result)) return;
  printf(" %d %c ", entry->channel, entry->type > ' ' && entry->type <= '~' ? entry->type : '?');
  switch (entry->type) {
    case SAKURAIO_TYPE_INT32: printf("%" PRId32, sakuraio_entry_get_int32(entry)); break;
    case SAKURAIO_TYPE_UINT32: printf("%" PRIu32, sakuraio_entry_get_uint32(entry)); break;
    case SAKURAIO_TYPE_INT64: printf("%" PRId64, sakuraio_entry_get_int64(entry)); break;
    case SAKURAIO_TYPE_UINT64: printf("%" PRIu64, sakuraio_entry_get_uint64(entry)); break;
    case SAKURAIO_TYPE_FLOAT: printf("%.9g", (double)sakuraio_entry_get_float(entry)); break;
    case SAKURAIO_TYPE_DOUBLE: printf("%.17g", sakuraio_entry_get_double(entry)); break;
    default: print_hex(entry->value, sizeof entry->value);
  }
  printf(" %" PRId64, offset_ms);
}

static void get_connection_status(int index) {
  uint8_t online, last_error;
  (void)index;
  if (done(sakuraio_get_connection_status(&module, &online, &last_error)))
    printf(" %d %d", online, last_error);
}

static void get_signal_quality(int index) {
  uint8_t signal;
  (void)index;
  if (done(sakuraio_get_signal_quality(&module, &signal))) printf(" %d", signal);
}

static void get_datetime(int index) {
  uint64_t unix_time_ms;
  (void)index;
  if (done(sakuraio_get_datetime(&module, &unix_time_ms))) printf(" %" PRIu64, unix_time_ms);
}

static void echo_back(int index) {
  static const uint8_t word[4] = {0xDE, 0xAD, 0xBE, 0xEF};
  uint8_t longest[255];
  uint8_t answer[255];
  size_t length = 999;
  const uint8_t *bytes = index == 0 ? NULL : index == 2 || index == 3 ? longest : word;
  memset(longest, 0x5A, sizeof longest);
  if (done(sakuraio_echo_back(&module, bytes, index == 0 ? 0 : index == 3 ? 256 : bytes == longest ? 255 : 4,
          answer, index == 4 ? 3 : sizeof answer, &length))) {
    printf(" %u ", (unsigned)length);
    print_hex(answer, length);
  }
}

static void read_adc(int index) {
  uint16_t reading;
  if (done(sakuraio_read_adc(&module, index == 0 ? 0 : 255, &reading))) printf(" %u", reading);
}

static void tx_enqueue(int index) {
  static const uint8_t eight[8] = {0x0F, 0x1E, 0x2D, 0x3C, 0x4B, 0x5C, 0x6B, 0x7A};
  switch (index) {
    /* The requests of test/vectors/commands.ts. */
    case 0: done(sakuraio_tx_enqueue_int64_with_offset(&module, 1, INT64_C(0x0807060504030201), -4321)); break;
    case 1: done(sakuraio_tx_enqueue_int32(&module, 0, 12345)); break;
    case 2: done(sakuraio_tx_enqueue_double_with_offset(&module, 127, -0.1, 0)); break;
    case 3: done(sakuraio_tx_enqueue_bytes_with_offset(&module, 2, eight, INT64_MAX)); break;
    case 4: done(sakuraio_tx_enqueue_uint32_with_offset(&module, 2, 1, INT64_MIN)); break;
    /* The ends of each type, as in test/vectors/channels.ts. */
    case 5: done(sakuraio_tx_enqueue_int32(&module, 127, INT32_MIN)); break;
    case 6: done(sakuraio_tx_enqueue_int32_with_offset(&module, 127, -1, -1)); break;
    case 7: done(sakuraio_tx_enqueue_uint32(&module, 127, UINT32_MAX)); break;
    case 8: done(sakuraio_tx_enqueue_int64(&module, 127, INT64_MIN)); break;
    case 9: done(sakuraio_tx_enqueue_uint64(&module, 127, UINT64_MAX)); break;
    case 10: done(sakuraio_tx_enqueue_uint64_with_offset(&module, 127, 1, 1)); break;
    case 11: done(sakuraio_tx_enqueue_float(&module, 127, 0.001f)); break;
    case 12: done(sakuraio_tx_enqueue_float_with_offset(&module, 127, -0.0f, -1)); break;
    case 13: done(sakuraio_tx_enqueue_double(&module, 127, 0.1)); break;
    case 14: done(sakuraio_tx_enqueue_bytes(&module, 127, eight)); break;
    default: done(sakuraio_tx_enqueue_int32(&module, 128, 1));
  }
}

static void tx_sendimmed(int index) {
  sakuraio_entry entries[17];
  uint8_t i;
  switch (index) {
    case 0:
    case 1:
      entries[0] = sakuraio_entry_float(3, 1.5f);
      done(index == 0 ? sakuraio_tx_sendimmed(&module, entries, 1)
                      : sakuraio_tx_sendimmed_with_offset(&module, entries, 1, -4321));
      return;
    case 2:
      entries[0] = sakuraio_entry_int32(0, -1);
      entries[1] = sakuraio_entry_uint64(1, 2);
      done(sakuraio_tx_sendimmed_with_offset(&module, entries, 2, -1));
      return;
    default:
      for (i = 0; i < 17; i++) entries[i] = sakuraio_entry_int32(i, i + 1);
      if (index == 3) done(sakuraio_tx_sendimmed(&module, entries, 16));
      if (index == 4) done(sakuraio_tx_sendimmed_with_offset(&module, entries, 16, -256));
      /* No values, and too many. */
      if (index == 5) done(sakuraio_tx_sendimmed(&module, entries, 0));
      if (index == 6) done(sakuraio_tx_sendimmed(&module, entries, 17));
      if (index == 7) done(sakuraio_tx_sendimmed_with_offset(&module, entries, 0, -1));
      if (index == 8) done(sakuraio_tx_sendimmed_with_offset(&module, entries, 17, -1));
  }
}

static void tx_length(int index) {
  uint8_t available, queued;
  (void)index;
  if (done(sakuraio_tx_length(&module, &available, &queued))) printf(" %d %d", available, queued);
}

static void tx_clear(int index) {
  (void)index;
  done(sakuraio_tx_clear(&module));
}

static void tx_send(int index) {
  (void)index;
  done(sakuraio_tx_send(&module));
}

static void tx_stat(int index) {
  uint8_t queue, immediate;
  (void)index;
  if (done(sakuraio_tx_stat(&module, &queue, &immediate))) printf(" %d %d", queue, immediate);
}

static void rx_dequeue(int index) {
  sakuraio_entry entry;
  int64_t offset_ms = 0;
  int result = sakuraio_rx_dequeue(&module, &entry, &offset_ms);
  (void)index;
  print_entry(result, &entry, offset_ms);
}

static void rx_peek(int index) {
  sakuraio_entry entry;
  int64_t offset_ms = 0;
  int result = sakuraio_rx_peek(&module, &entry, &offset_ms);
  (void)index;
  print_entry(result, &entry, offset_ms);
}

static void rx_length(int index) {
  uint8_t available, queued;
  (void)index;
  if (done(sakuraio_rx_length(&module, &available, &queued))) printf(" %d %d", available, queued);
}

static void rx_clear(int index) {
  (void)index;
  done(sakuraio_rx_clear(&module));
}

static void start_file_download(int index) {
  done(sakuraio_start_file_download(&module, index == 0 ? 1 : index == 1 ? 5 : 0x0102));
}

static void get_file_metadata(int index) {
  uint8_t status;
  uint32_t size, crc32;
  uint64_t timestamp;
  (void)index;
  if (done(sakuraio_get_file_metadata(&module, &status, &size, &timestamp, &crc32)))
    printf(" %d %" PRIu32 " %" PRIu64 " %08" PRIX32, status, size, timestamp, crc32);
}

static void get_file_download_status(int index) {
  uint8_t status;
  uint32_t received;
  (void)index;
  if (done(sakuraio_get_file_download_status(&module, &status, &received)))
    printf(" %d %" PRIu32, status, received);
}

static void cancel_file_download(int index) {
  (void)index;
  done(sakuraio_cancel_file_download(&module));
}

static void get_file_data(int index) {
  uint8_t bytes[255];
  size_t length = 999;
  size_t capacity = index == 2 ? 5 : sizeof bytes;
  if (done(sakuraio_get_file_data(&module, index == 0 ? 1 : 255, bytes, capacity, &length))) {
    printf(" %u ", (unsigned)length);
    print_hex(bytes, length);
  }
}

static void get_product_id(int index) {
  uint16_t product_id;
  (void)index;
  if (done(sakuraio_get_product_id(&module, &product_id))) printf(" %u", product_id);
}

static void get_unique_id(int index) {
  char unique_id[SAKURAIO_UNIQUE_ID_SIZE];
  (void)index;
  if (!done(sakuraio_get_unique_id(&module, unique_id))) return;
  printf(" ");
  print_text(unique_id);
}

static void get_firmware_version(int index) {
  char firmware_version[SAKURAIO_FIRMWARE_VERSION_SIZE];
  (void)index;
  if (!done(sakuraio_get_firmware_version(&module, firmware_version))) return;
  printf(" ");
  print_text(firmware_version);
}

static void unlock(int index) {
  (void)index;
  done(sakuraio_unlock(&module));
}

static void update_firmware(int index) {
  (void)index;
  done(sakuraio_update_firmware(&module));
}

static void get_update_firmware_status(int index) {
  uint8_t in_progress, result;
  (void)index;
  if (done(sakuraio_get_update_firmware_status(&module, &in_progress, &result)))
    printf(" %d %d", in_progress, result);
}

static void software_reset(int index) {
  (void)index;
  done(sakuraio_software_reset(&module));
}

static void set_power_save_mode(int index) {
  done(sakuraio_set_power_save_mode(&module, (uint8_t)index));
}

static void get_power_save_mode(int index) {
  uint8_t mode;
  (void)index;
  if (done(sakuraio_get_power_save_mode(&module, &mode))) printf(" %d", mode);
}

/* How a compiler whose double is a float32 reads and writes a float64: against this compiler's own. */
static void floats(int index) {
  uint32_t seed = 1;
  long i;
  (void)index;
  for (i = 0; i < 4000000; i++) {
    uint64_t bits = 0;
    uint8_t bytes[8], widened[8];
    double wide;
    float narrow;
    int part;
    for (part = 0; part < 4; part++) {
      seed = seed * 1664525u + 1013904223u;
      bits = bits << 16 | seed >> 16;
    }
    /* Half of them where float32 begins and ends, some exactly between two float32. */
    if (i & 1) bits = (bits & UINT64_C(0x800FFFFFFFFFFFFF)) | (uint64_t)(860 + bits % 300) << 52;
    if (i % 8 == 3) bits = (bits & ~UINT64_C(0x1FFFFFFF)) | 0x10000000;
    if (i % 16 == 5) bits &= ~((UINT64_C(1) << 45) - 1);
    /* A little more than half, by the very last bit. */
    if (i % 16 == 9) bits = (bits & ~((UINT64_C(1) << 45) - 1)) | 1;
    memcpy(&wide, &bits, sizeof wide);
    if (wide != wide) continue;
    sakuraio_store_u64(bytes, bits);
    narrow = (float)wide;
    if (sakuraio_load_narrowed(bytes) != sakuraio_float32_bits(narrow)) {
      printf("= narrowed %016" PRIX64 " is %08" PRIX32, bits, sakuraio_load_narrowed(bytes));
      return;
    }
    wide = (double)narrow;
    sakuraio_store_double(bytes, wide);
    sakuraio_store_widened(widened, sakuraio_float32_bits(narrow));
    if (memcmp(bytes, widened, sizeof bytes) != 0) {
      printf("= widened %08" PRIX32 " is ", sakuraio_float32_bits(narrow));
      print_hex(widened, sizeof widened);
      return;
    }
  }
  printf("= good");
}

static void not_a_number(int index) {
  uint8_t bytes[8];
  (void)index;
  sakuraio_store_u64(bytes, UINT64_C(0xFFF0000000000001));
  printf("= %08" PRIX32, sakuraio_load_narrowed(bytes));
  sakuraio_store_widened(bytes, UINT32_C(0x7FC00000));
  printf(" %016" PRIX64, sakuraio_load_u64(bytes));
}

static const struct {
  const char *name;
  void (*call)(int index);
} calls[] = {
    {"GET_CONNECTION_STATUS", get_connection_status},
    {"GET_SIGNAL_QUALITY", get_signal_quality},
    {"GET_DATETIME", get_datetime},
    {"ECHO_BACK", echo_back},
    {"READ_ADC", read_adc},
    {"TX_ENQUEUE", tx_enqueue},
    {"TX_SENDIMMED", tx_sendimmed},
    {"TX_LENGTH", tx_length},
    {"TX_CLEAR", tx_clear},
    {"TX_SEND", tx_send},
    {"TX_STAT", tx_stat},
    {"RX_DEQUEUE", rx_dequeue},
    {"RX_PEEK", rx_peek},
    {"RX_LENGTH", rx_length},
    {"RX_CLEAR", rx_clear},
    {"START_FILE_DOWNLOAD", start_file_download},
    {"GET_FILE_METADATA", get_file_metadata},
    {"GET_FILE_DOWNLOAD_STATUS", get_file_download_status},
    {"CANCEL_FILE_DOWNLOAD", cancel_file_download},
    {"GET_FILE_DATA", get_file_data},
    {"GET_PRODUCT_ID", get_product_id},
    {"GET_UNIQUE_ID", get_unique_id},
    {"GET_FIRMWARE_VERSION", get_firmware_version},
    {"UNLOCK", unlock},
    {"UPDATE_FIRMWARE", update_firmware},
    {"GET_UPDATE_FIRMWARE_STATUS", get_update_firmware_status},
    {"SOFTWARE_RESET", software_reset},
    {"SET_POWER_SAVE_MODE", set_power_save_mode},
    {"GET_POWER_SAVE_MODE", get_power_save_mode},
    {"floats", floats},
    {"not-a-number", not_a_number},
};

int main(void) {
  while (read_line()) {
    char name[64] = "";
    int index = 0;
    size_t i;
    if (sscanf(line, "call %63s %d", name, &index) < 1) return 2;
    for (i = 0; i < sizeof calls / sizeof *calls && strcmp(calls[i].name, name) != 0; i++) {
    }
    if (i == sizeof calls / sizeof *calls) printf("= no such call");
    else calls[i].call(index);
    printf("\n");
    fflush(stdout);
  }
  return 0;
}
