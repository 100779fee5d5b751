/**
 * THE table: every command of the module, its request, its answer and what it does (§2). Everything else derives from
 * it: the host's methods, the emulated module's dispatch, the C header, the documentation, the fuzz tests.
 */
import { entriesWithOptionalOffset, entryWithOffset, entryWithOptionalOffset } from "./channel.ts";
import {
  ascii,
  type Codec,
  literal,
  named,
  none,
  rest,
  struct,
  u8,
  u16le,
  u32le,
  u64le,
  type ValueOf,
} from "./codec.ts";
import { oneField } from "./layout.ts";
import {
  type ConnectionError,
  connectionErrors,
  downloadStatuses,
  fileStatuses,
  powerSaveModes,
  txStates,
  type UpdateResult,
  updateResults,
} from "./status.ts";

/**
 * Whether a driver may send the command again when no good answer came.
 * - `safe`: carrying it out twice is the same as once.
 * - `once`: a second time does something else (queues the value twice, takes the next one), so that after a lost answer
 *   the outcome is unknown. A refusal is still safe to repeat: the module did nothing.
 */
export type Repeat = "safe" | "once";

/** One row of the table. */
export interface Command<Request, Response> {
  readonly code: number;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
  readonly repeat: Repeat;
  readonly doc: string;
}

function command<Request, Response>(
  code: number,
  request: Codec<Request>,
  response: Codec<Response>,
  repeat: Repeat,
  doc: string,
): Command<Request, Response> {
  return { code, request, response, repeat, doc };
}

const connectionStatus: Codec<{ readonly online: boolean; readonly lastError: ConnectionError }> = {
  shape: "u8: bit 7 online, bits 6..0 last error",
  layout: oneField({ kind: "flag", flag: "online", name: "last error", mask: 0x7f, names: connectionErrors }),
  min: 1,
  max: 1,
  size: () => 1,
  write(value, out, at) {
    out[at] = (value.online ? 0x80 : 0) | connectionErrors.valueOf(value.lastError);
  },
  read(bytes, from) {
    const byte = bytes[from] ?? 0;
    return { online: (byte & 0x80) !== 0, lastError: connectionErrors.nameOf(byte & 0x7f) };
  },
};

const updateStatus: Codec<{ readonly inProgress: boolean; readonly result: UpdateResult }> = {
  shape: "u8: bit 7 in progress, low bits the last result",
  layout: oneField({ kind: "flag", flag: "in progress", name: "result", mask: 0x3f, names: updateResults }),
  min: 1,
  max: 1,
  size: () => 1,
  write(value, out, at) {
    out[at] = (value.inProgress ? 0x80 : 0) | updateResults.valueOf(value.result);
  },
  read(bytes, from) {
    const byte = bytes[from] ?? 0;
    return { inProgress: (byte & 0x80) !== 0, result: updateResults.nameOf(byte & 0x3f) };
  },
};

const queueLength = struct({ available: u8(), queued: u8() });
const fileMetadata = struct({
  status: named("", fileStatuses),
  size: u32le(),
  timestamp: u64le(),
  crc32: u32le(),
});

/** 53 6B 72 61, "Skra". */
const unlockKey = literal("unlock key", [0x53, 0x6b, 0x72, 0x61]);

// biome-ignore format: a row of the table is a line
const commands = {
  // name                          code  request                    response                                                         repeat  doc
  GET_CONNECTION_STATUS:    command(0x01, none,                      connectionStatus,                                                "safe", "Whether the module is online, and why it was last offline"),
  GET_SIGNAL_QUALITY:       command(0x02, none,                      u8("signal"),                                                    "safe", "Signal, 0 (out of service) to 5 (strongest)"),
  GET_DATETIME:             command(0x03, none,                      u64le("Unix time ms"),                                           "safe", "The platform's time"),
  ECHO_BACK:                command(0x0f, rest(),                    rest(),                                                          "safe", "Answers with the same bytes"),
  READ_ADC:                 command(0x10, u8("pin"),                 u16le("reading"),                                                "safe", "Reads an analogue pin (deprecated)"),
  TX_ENQUEUE:               command(0x20, entryWithOptionalOffset,   none,                                                            "once", "Puts a value in the TX queue"),
  TX_SENDIMMED:             command(0x21, entriesWithOptionalOffset, none,                                                            "once", "Sends 1 to 16 values at once, past the queue"),
  TX_LENGTH:                command(0x22, none,                      queueLength,                                                     "safe", "Free and taken places of the TX queue"),
  TX_CLEAR:                 command(0x23, none,                      none,                                                            "safe", "Empties the TX queue"),
  TX_SEND:                  command(0x24, none,                      none,                                                            "once", "Sends what is in the TX queue"),
  TX_STAT:                  command(0x25, none,                      struct({ queue: named("", txStates), immediate: named("", txStates) }), "safe", "How the last TX_SEND and the last TX_SENDIMMED went"),
  RX_DEQUEUE:               command(0x30, none,                      entryWithOffset,                                                 "once", "Takes the oldest value from the RX queue"),
  RX_PEEK:                  command(0x31, none,                      entryWithOffset,                                                 "safe", "Reads the oldest value of the RX queue and leaves it there"),
  RX_LENGTH:                command(0x32, none,                      queueLength,                                                     "safe", "Free and taken places of the RX queue"),
  RX_CLEAR:                 command(0x33, none,                      none,                                                            "safe", "Empties the RX queue"),
  START_FILE_DOWNLOAD:      command(0x40, u16le("file id", 1, 5),    none,                                                            "once", "Starts to download a file, 1 to 5"),
  GET_FILE_METADATA:        command(0x41, none,                      fileMetadata,                                                    "safe", "Size, time and CRC-32 of the file under way"),
  GET_FILE_DOWNLOAD_STATUS: command(0x42, none,                      struct({ status: named("", downloadStatuses), received: u32le() }), "safe", "State of the download, and the bytes handed out so far"),
  CANCEL_FILE_DOWNLOAD:     command(0x43, none,                      none,                                                            "safe", "Ends the download"),
  GET_FILE_DATA:            command(0x44, u8("max bytes", 1),        rest(),                                                          "once", "Takes the next part of the file; 0 bytes when none is there yet"),
  GET_PRODUCT_ID:           command(0xa0, none,                      u16le("product id"),                                             "safe", "1 SCM-LTE-BETA, 2 SCM-LTE-01, 3 SCM-LTE-01 Rev.B"),
  GET_UNIQUE_ID:            command(0xa1, none,                      ascii("unique id", 10, 10),                                      "safe", "The id printed on the module"),
  GET_FIRMWARE_VERSION:     command(0xa2, none,                      ascii("firmware version", 0, 32),                                "safe", "The module's firmware"),
  UNLOCK:                   command(0xa8, unlockKey,                 none,                                                            "safe", "Allows one UPDATE_FIRMWARE or SOFTWARE_RESET"),
  UPDATE_FIRMWARE:          command(0xa9, none,                      none,                                                            "once", "Starts a firmware update; needs UNLOCK"),
  GET_UPDATE_FIRMWARE_STATUS: command(0xaa, none,                    updateStatus,                                                    "safe", "Whether an update runs, and how the last one ended"),
  SOFTWARE_RESET:           command(0xaf, none,                      none,                                                            "once", "Restarts the module; needs UNLOCK"),
  SET_POWER_SAVE_MODE:      command(0xb0, named("mode", powerSaveModes), none,                                                        "safe", "0 disabled, 1 auto sleep, 2 RF off (firmware 1.4.0 and later)"),
  GET_POWER_SAVE_MODE:      command(0xb1, none,                      named("mode", powerSaveModes),                                   "safe", "The power-save mode (firmware 1.4.0 and later)"),
};

export type CommandName = keyof typeof commands;
/** What a command takes; `undefined` when it takes nothing. */
export type RequestOf<N extends CommandName> = ValueOf<(typeof commands)[N]["request"]>;
/** What a command answers; `undefined` when it answers nothing but its status. */
export type ResponseOf<N extends CommandName> = ValueOf<(typeof commands)[N]["response"]>;

/** The rows by name, with their types tied to the name, so that code which is generic over the name type-checks. */
export type CommandTable = { readonly [N in CommandName]: Command<RequestOf<N>, ResponseOf<N>> };
// Every frame looks its command up by a name that varies, and an object without a prototype is looked up by hash: it
// takes a fifth less time to encode and decode a frame (npm run bench -- --only codec).
export const commandTable: CommandTable = withoutPrototype(commands);

function withoutPrototype<T extends object>(object: T): T {
  return Object.assign(Object.create(null), object);
}

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(commands, name);
}

export const commandNames: readonly CommandName[] = Object.keys(commands).filter(isCommandName);

const byCode: readonly (CommandName | undefined)[] = Array.from({ length: 256 }, (_, code) =>
  commandNames.find((name) => commands[name].code === code),
);

/** The command with this code, if there is one. */
export function commandByCode(code: number): CommandName | undefined {
  return byCode[code];
}
