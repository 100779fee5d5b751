/**
 * What the generated C functions decode from the answers of commands.ts, in that order, as test/firmware/host-check.c
 * prints it: what was returned (1 is SAKURAIO_OK), then each value.
 */
import type { CommandName } from "../../protocol/index.ts";

const DONE = ["1"];

/** A command without its literals does not compile. */
export const cAnswers: { readonly [N in CommandName]: readonly string[] } = {
  GET_CONNECTION_STATUS: ["1 1 0", "1 0 0", "1 0 1", "1 0 2", "1 1 3", "1 1 127"],
  GET_SIGNAL_QUALITY: ["1 0", "1 5"],
  GET_DATETIME: ["1 1491022270000", "1 18446744073709551615"],
  ECHO_BACK: ["1 0 ", "1 4 DE AD BE EF"],
  READ_ADC: ["1 1023", "1 65535"],
  TX_ENQUEUE: DONE,
  TX_SENDIMMED: DONE,
  TX_LENGTH: ["1 29 3", "1 255 0"],
  TX_CLEAR: DONE,
  TX_SEND: DONE,
  TX_STAT: ["1 0 0", "1 1 2", "1 2 1", "1 3 255"],
  RX_DEQUEUE: ["1 1 l -2 -1500", "1 127 f -1.5 0"],
  RX_PEEK: ["1 1 b 0F 1E 2D 3C 4B 5C 6B 7A -9223372036854775808"],
  RX_LENGTH: ["1 0 32"],
  RX_CLEAR: DONE,
  START_FILE_DOWNLOAD: DONE,
  GET_FILE_METADATA: [
    "1 0 66051 1491022270000 CBF43926",
    "1 129 0 0 00000000",
    "1 255 4294967295 18446744073709551615 FFFFFFFF",
  ],
  GET_FILE_DOWNLOAD_STATUS: ["1 0 0", "1 1 0", "1 2 513", "1 129 4294967295"],
  CANCEL_FILE_DOWNLOAD: DONE,
  GET_FILE_DATA: ["1 0 ", "1 6 00 01 02 FD FE FF"],
  GET_PRODUCT_ID: ["1 1", "1 2", "1 3"],
  GET_UNIQUE_ID: ["1 16B0100260"],
  GET_FIRMWARE_VERSION: ["1 v1.1.2-170223-7e6ce64", "1 v1.4.4-0123456789abcdef012345678"],
  UNLOCK: DONE,
  UPDATE_FIRMWARE: DONE,
  GET_UPDATE_FIRMWARE_STATUS: ["1 0 0", "1 1 0", "1 0 1", "1 0 2", "1 0 3", "1 0 4", "1 1 3"],
  SOFTWARE_RESET: DONE,
  SET_POWER_SAVE_MODE: DONE,
  GET_POWER_SAVE_MODE: ["1 0", "1 1", "1 2"],
};

/** A type and its value as RX_DEQUEUE and RX_PEEK give them from the answers of channels.ts, in that order. */
export const cChannelValues: readonly string[] = [
  "i -2147483648",
  "i -1",
  "i 0",
  "i 2147483647",
  "I 0",
  "I 2147483648",
  "I 4294967295",
  "l -9223372036854775808",
  "l -1",
  "l 9007199254740993",
  "l 9223372036854775807",
  "L 0",
  "L 9223372036854775808",
  "L 18446744073709551615",
  // Nine digits tell every float32 apart, seventeen every float64.
  "f 3.40282347e+38",
  "f -3.40282347e+38",
  "f 1.40129846e-45",
  "f 0.00100000005",
  "f -0",
  "f inf",
  "f -inf",
  "d 1.7976931348623157e+308",
  "d -1.7976931348623157e+308",
  "d 4.9406564584124654e-324",
  "d 0.10000000000000001",
  "d -0",
  "d inf",
  "d -inf",
  "b 00 00 00 00 00 00 00 00",
  "b 0F 1E 2D 3C 4B 5C 6B 7A",
  "b FF FF FF FF FF FF FF FF",
  "i 12345",
  "I 12345",
  "f 1.5",
  "f nan",
  "d nan",
];
