/**
 * Every command's frames as literal bytes. They were worked out apart from the code under test, from the tables of the
 * vendor's documents: `source` names the section. The parity of each is the XOR of the bytes before it (§1).
 */
import type { CommandName, RequestOf, ResponseOf } from "../../protocol/index.ts";
import { bytes } from "./bytes.ts";

/** A value and the frame that carries it. */
export interface Vector<T> {
  readonly source: string;
  readonly value: T;
  /** Both ways, unless `oneWay` says that only reading gives the value. */
  readonly frame: string;
  readonly oneWay?: true;
}

/** Head, length 255, 255 times 0x5A, parity: the 0x5A of an odd count is left, 0F ^ FF ^ 5A = AA. */
const ECHO_255 = `0F FF ${"5A ".repeat(255)}AA`;

/** 16 entries on channels 0 to F, each int32 one more than its channel. */
const SENDIMMED_16 = [
  "21 A0 00 69 01 00 00 00 00 00 00 00 01 69 02 00 00 00 00 00 00 00 02 69 03 00 00 00 00 00 00 00 03 69",
  "04 00 00 00 00 00 00 00 04 69 05 00 00 00 00 00 00 00 05 69 06 00 00 00 00 00 00 00 06 69 07 00 00 00",
  "00 00 00 00 07 69 08 00 00 00 00 00 00 00 08 69 09 00 00 00 00 00 00 00 09 69 0A 00 00 00 00 00 00 00",
  "0A 69 0B 00 00 00 00 00 00 00 0B 69 0C 00 00 00 00 00 00 00 0C 69 0D 00 00 00 00 00 00 00 0D 69 0E 00",
  "00 00 00 00 00 00 0E 69 0F 00 00 00 00 00 00 00 0F 69 10 00 00 00 00 00 00 00 91",
].join(" ");

const SENDIMMED_16_OFFSET = [
  "21 A8 00 69 01 00 00 00 00 00 00 00 01 69 02 00 00 00 00 00 00 00 02 69 03 00 00 00 00 00 00 00 03 69",
  "04 00 00 00 00 00 00 00 04 69 05 00 00 00 00 00 00 00 05 69 06 00 00 00 00 00 00 00 06 69 07 00 00 00",
  "00 00 00 00 07 69 08 00 00 00 00 00 00 00 08 69 09 00 00 00 00 00 00 00 09 69 0A 00 00 00 00 00 00 00",
  "0A 69 0B 00 00 00 00 00 00 00 0B 69 0C 00 00 00 00 00 00 00 0C 69 0D 00 00 00 00 00 00 00 0D 69 0E 00",
  "00 00 00 00 00 00 0E 69 0F 00 00 00 00 00 00 00 0F 69 10 00 00 00 00 00 00 00 00 FF FF FF FF FF FF FF",
  "66",
].join(" ");

/** A command without its vectors does not compile. */
export const requestVectors: { readonly [N in CommandName]: readonly Vector<RequestOf<N>>[] } = {
  GET_CONNECTION_STATUS: [{ source: "module-protocol §2, 0x01", value: undefined, frame: "01 00 01" }],
  GET_SIGNAL_QUALITY: [{ source: "module-protocol §2, 0x02", value: undefined, frame: "02 00 02" }],
  GET_DATETIME: [{ source: "module-protocol §2, 0x03", value: undefined, frame: "03 00 03" }],
  ECHO_BACK: [
    { source: "module-protocol §2, 0x0F: no bytes", value: bytes(""), frame: "0F 00 0F" },
    { source: "module-protocol §2, 0x0F: any bytes", value: bytes("DE AD BE EF"), frame: "0F 04 DE AD BE EF 29" },
    { source: "module-protocol §1, `len` 0..255", value: new Uint8Array(255).fill(0x5a), frame: ECHO_255 },
  ],
  READ_ADC: [
    { source: "module-protocol §2, 0x10", value: 0, frame: "10 01 00 11" },
    { source: "module-protocol §2, 0x10", value: 255, frame: "10 01 FF EE" },
  ],
  TX_ENQUEUE: [
    {
      source: "module-protocol §2, 0x20 with an offset: 18 bytes; a reading taken 4.321 s ago",
      value: { channel: 1, type: "l", value: 0x0807_0605_0403_0201n, offset: -4321n },
      frame: "20 12 01 6C 01 02 03 04 05 06 07 08 1F EF FF FF FF FF FF FF A7",
    },
    {
      source: "module-protocol §2, 0x20 without an offset: 10 bytes",
      value: { channel: 0, type: "i", value: 12345 },
      frame: "20 0A 00 69 39 30 00 00 00 00 00 00 4A",
    },
    {
      source: "module-protocol §2, an offset of 0 is not an absent one on the wire",
      value: { channel: 127, type: "d", value: -0.1, offset: 0n },
      frame: "20 12 7F 64 9A 99 99 99 99 99 B9 BF 00 00 00 00 00 00 00 00 2C",
    },
    {
      source: "module-protocol §2 [choice], a positive offset is accepted",
      value: { channel: 2, type: "b", value: bytes("0F 1E 2D 3C 4B 5C 6B 7A"), offset: 9_223_372_036_854_775_807n },
      frame: "20 12 02 62 0F 1E 2D 3C 4B 5C 6B 7A FF FF FF FF FF FF FF 7F D4",
    },
    {
      source: "module-protocol §2, i64 offset",
      value: { channel: 2, type: "I", value: 1, offset: -9_223_372_036_854_775_808n },
      frame: "20 12 02 49 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 80 F8",
    },
  ],
  TX_SENDIMMED: [
    {
      source: "module-protocol §2, 0x21 as TX_ENQUEUE: 10 bytes",
      value: { channels: [{ channel: 3, type: "f", value: 1.5 }] },
      frame: "21 0A 03 66 00 00 C0 3F 00 00 00 00 B1",
    },
    {
      source: "module-protocol §2, 0x21 as TX_ENQUEUE: 18 bytes",
      value: { channels: [{ channel: 3, type: "f", value: 1.5 }], offset: -4321n },
      frame: "21 12 03 66 00 00 C0 3F 00 00 00 00 1F EF FF FF FF FF FF FF 59",
    },
    {
      source: "module-protocol §2, 0x21: several before the one offset",
      value: {
        channels: [
          { channel: 0, type: "i", value: -1 },
          { channel: 1, type: "L", value: 2n },
        ],
        offset: -1n,
      },
      frame: "21 1C 00 69 FF FF FF FF 00 00 00 00 01 4C 02 00 00 00 00 00 00 00 FF FF FF FF FF FF FF FF 1B",
    },
    {
      source: "module-protocol §2, 0x21: up to 16, without an offset",
      value: {
        channels: Array.from({ length: 16 }, (_, channel) => ({ channel, type: "i", value: channel + 1 }) as const),
      },
      frame: SENDIMMED_16,
    },
    {
      source: "module-protocol §2, 0x21: up to 16, with an offset",
      value: {
        channels: Array.from({ length: 16 }, (_, channel) => ({ channel, type: "i", value: channel + 1 }) as const),
        offset: -256n,
      },
      frame: SENDIMMED_16_OFFSET,
    },
  ],
  TX_LENGTH: [{ source: "module-protocol §2, 0x22", value: undefined, frame: "22 00 22" }],
  TX_CLEAR: [{ source: "module-protocol §2, 0x23", value: undefined, frame: "23 00 23" }],
  TX_SEND: [{ source: "module-protocol §2, 0x24", value: undefined, frame: "24 00 24" }],
  TX_STAT: [{ source: "module-protocol §2, 0x25", value: undefined, frame: "25 00 25" }],
  RX_DEQUEUE: [{ source: "module-protocol §2, 0x30", value: undefined, frame: "30 00 30" }],
  RX_PEEK: [{ source: "module-protocol §2, 0x31", value: undefined, frame: "31 00 31" }],
  RX_LENGTH: [{ source: "module-protocol §2, 0x32", value: undefined, frame: "32 00 32" }],
  RX_CLEAR: [{ source: "module-protocol §2, 0x33", value: undefined, frame: "33 00 33" }],
  START_FILE_DOWNLOAD: [
    { source: "module-protocol §2, 0x40: u16 file id, 1", value: 1, frame: "40 02 01 00 43" },
    { source: "module-protocol §2, 0x40: u16 file id, 5", value: 5, frame: "40 02 05 00 47" },
  ],
  GET_FILE_METADATA: [{ source: "module-protocol §2, 0x41", value: undefined, frame: "41 00 41" }],
  GET_FILE_DOWNLOAD_STATUS: [{ source: "module-protocol §2, 0x42", value: undefined, frame: "42 00 42" }],
  CANCEL_FILE_DOWNLOAD: [{ source: "module-protocol §2, 0x43", value: undefined, frame: "43 00 43" }],
  GET_FILE_DATA: [
    { source: "module-protocol §2, 0x44: u8 max bytes, 1", value: 1, frame: "44 01 01 44" },
    { source: "module-protocol §2, 0x44: u8 max bytes, 255", value: 255, frame: "44 01 FF BA" },
  ],
  GET_PRODUCT_ID: [{ source: "module-protocol §2, 0xA0", value: undefined, frame: "A0 00 A0" }],
  GET_UNIQUE_ID: [{ source: "module-protocol §3, the example", value: undefined, frame: "A1 00 A1" }],
  GET_FIRMWARE_VERSION: [{ source: "module-protocol §2, 0xA2", value: undefined, frame: "A2 00 A2" }],
  UNLOCK: [{ source: "module-protocol §2, 0xA8: 53 6B 72 61", value: undefined, frame: "A8 04 53 6B 72 61 87" }],
  UPDATE_FIRMWARE: [{ source: "module-protocol §2, 0xA9", value: undefined, frame: "A9 00 A9" }],
  GET_UPDATE_FIRMWARE_STATUS: [{ source: "module-protocol §2, 0xAA", value: undefined, frame: "AA 00 AA" }],
  SOFTWARE_RESET: [{ source: "module-protocol §2, 0xAF", value: undefined, frame: "AF 00 AF" }],
  SET_POWER_SAVE_MODE: [
    { source: "module-protocol §2, 0xB0: 0", value: "disabled", frame: "B0 01 00 B1" },
    { source: "module-protocol §2, 0xB0: 1", value: "auto-sleep", frame: "B0 01 01 B0" },
    { source: "module-protocol §2, 0xB0: 2", value: "rf-off", frame: "B0 01 02 B3" },
  ],
  GET_POWER_SAVE_MODE: [{ source: "module-protocol §2, 0xB1", value: undefined, frame: "B1 00 B1" }],
};

/** Success and nothing else. */
const DONE: readonly Vector<undefined>[] = [
  { source: "module-protocol §1 and §2, status NONE without a payload", value: undefined, frame: "01 00 01" },
];

/** A command without its vectors does not compile. */
export const responseVectors: { readonly [N in CommandName]: readonly Vector<ResponseOf<N>>[] } = {
  GET_CONNECTION_STATUS: [
    {
      source: "module-protocol §2, 0x01: bit 7 online, 0 none",
      value: { online: true, lastError: "none" },
      frame: "01 01 80 80",
    },
    {
      source: "module-protocol §2, 0x01: offline, 0 none",
      value: { online: false, lastError: "none" },
      frame: "01 01 00 00",
    },
    {
      source: "module-protocol §2, 0x01: 1",
      value: { online: false, lastError: "out-of-service-area" },
      frame: "01 01 01 01",
    },
    {
      source: "module-protocol §2, 0x01: 2",
      value: { online: false, lastError: "connection-error" },
      frame: "01 01 02 02",
    },
    {
      source: "module-protocol §2, 0x01: online, 3",
      value: { online: true, lastError: "unexpected-disconnect" },
      frame: "01 01 83 83",
    },
    {
      source: "module-protocol §2, 0x01: bits 6..0, no name",
      value: { online: true, lastError: "unknown-127" },
      frame: "01 01 FF FF",
    },
  ],
  GET_SIGNAL_QUALITY: [
    { source: "module-protocol §2, 0x02: 0 out of service", value: 0, frame: "01 01 00 00" },
    { source: "module-protocol §2, 0x02: 5 strongest", value: 5, frame: "01 01 05 05" },
  ],
  GET_DATETIME: [
    {
      source: "module-protocol §2, 0x03: u64 ms; 2017-04-01T04:51:10.000Z",
      value: 1_491_022_270_000n,
      frame: "01 08 30 4E DA 27 5B 01 00 00 D0",
    },
    {
      source: "module-protocol §2, 0x03: u64",
      value: 18_446_744_073_709_551_615n,
      frame: "01 08 FF FF FF FF FF FF FF FF 09",
    },
  ],
  ECHO_BACK: [
    { source: "module-protocol §2, 0x0F: the same bytes", value: bytes(""), frame: "01 00 01" },
    { source: "module-protocol §2, 0x0F: the same bytes", value: bytes("DE AD BE EF"), frame: "01 04 DE AD BE EF 27" },
  ],
  READ_ADC: [
    { source: "module-protocol §2, 0x10: u16", value: 0x03ff, frame: "01 02 FF 03 FF" },
    { source: "module-protocol §2, 0x10: u16", value: 65_535, frame: "01 02 FF FF 03" },
  ],
  TX_ENQUEUE: DONE,
  TX_SENDIMMED: DONE,
  TX_LENGTH: [
    {
      source: "module-protocol §2, 0x22: available, queued",
      value: { available: 29, queued: 3 },
      frame: "01 02 1D 03 1D",
    },
    {
      source: "module-protocol §2, 0x22; §7, 255 settable",
      value: { available: 255, queued: 0 },
      frame: "01 02 FF 00 FC",
    },
  ],
  TX_CLEAR: DONE,
  TX_SEND: DONE,
  TX_STAT: [
    {
      source: "module-protocol §2, 0x25: 0 and 0",
      value: { queue: "done", immediate: "done" },
      frame: "01 02 00 00 03",
    },
    {
      source: "module-protocol §2, 0x25: 1 and 2",
      value: { queue: "sending", immediate: "failed" },
      frame: "01 02 01 02 00",
    },
    {
      source: "module-protocol §2, 0x25: 2 and 1",
      value: { queue: "failed", immediate: "sending" },
      frame: "01 02 02 01 00",
    },
    {
      source: "module-protocol §2, 0x25: no name",
      value: { queue: "unknown-3", immediate: "unknown-255" },
      frame: "01 02 03 FF FF",
    },
  ],
  RX_DEQUEUE: [
    {
      source: "module-protocol §2, 0x30: 18 bytes; §7, the offset is the time since it came, negative",
      value: { channel: 1, type: "l", value: -2n, offset: -1500n },
      frame: "01 12 01 6C FE FF FF FF FF FF FF FF 24 FA FF FF FF FF FF FF A1",
    },
    {
      source: "module-protocol §2, 0x30: 18 bytes",
      value: { channel: 127, type: "f", value: -1.5, offset: 0n },
      frame: "01 12 7F 66 00 00 C0 BF 00 00 00 00 00 00 00 00 00 00 00 00 75",
    },
  ],
  RX_PEEK: [
    {
      source: "module-protocol §2, 0x31 as RX_DEQUEUE; the value of aws-iot §1's downlink",
      value: { channel: 1, type: "b", value: bytes("0F 1E 2D 3C 4B 5C 6B 7A"), offset: -9_223_372_036_854_775_808n },
      frame: "01 12 01 62 0F 1E 2D 3C 4B 5C 6B 7A 00 00 00 00 00 00 00 80 F6",
    },
  ],
  RX_LENGTH: [
    {
      source: "module-protocol §2, 0x32: available, queued",
      value: { available: 0, queued: 32 },
      frame: "01 02 00 20 23",
    },
  ],
  RX_CLEAR: DONE,
  START_FILE_DOWNLOAD: DONE,
  GET_FILE_METADATA: [
    {
      source: "module-protocol §2, 0x41: u8, u32, u64, u32, 17 bytes; 0 ok",
      value: { status: "ok", size: 0x0001_0203, timestamp: 1_491_022_270_000n, crc32: 0xcbf4_3926 },
      frame: "01 11 00 03 02 01 00 30 4E DA 27 5B 01 00 00 26 39 F4 CB E9",
    },
    {
      source: "module-protocol §2, file metadata status: 0x81 not found",
      value: { status: "not-found", size: 0, timestamp: 0n, crc32: 0 },
      frame: "01 11 81 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 91",
    },
    {
      source: "module-protocol §2, 0x41: every field at its end",
      value: {
        status: "unknown-255",
        size: 4_294_967_295,
        timestamp: 18_446_744_073_709_551_615n,
        crc32: 4_294_967_295,
      },
      frame: "01 11 FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF EF",
    },
  ],
  GET_FILE_DOWNLOAD_STATUS: [
    {
      source: "module-protocol §2, 0x42: 0 none",
      value: { status: "none", received: 0 },
      frame: "01 05 00 00 00 00 00 04",
    },
    {
      source: "module-protocol §2, 0x42: 1 requesting",
      value: { status: "requesting", received: 0 },
      frame: "01 05 01 00 00 00 00 05",
    },
    {
      source: "module-protocol §2, 0x42: 2 receiving",
      value: { status: "receiving", received: 513 },
      frame: "01 05 02 01 02 00 00 05",
    },
    {
      source: "module-protocol §2, 0x42: 0x81 error",
      value: { status: "error", received: 4_294_967_295 },
      frame: "01 05 81 FF FF FF FF 85",
    },
  ],
  CANCEL_FILE_DOWNLOAD: DONE,
  GET_FILE_DATA: [
    { source: "module-protocol §2: status 01 and 0 bytes before any is there", value: bytes(""), frame: "01 00 01" },
    {
      source: "module-protocol §2, 0x44: the next part",
      value: bytes("00 01 02 FD FE FF"),
      frame: "01 06 00 01 02 FD FE FF F8",
    },
  ],
  GET_PRODUCT_ID: [
    { source: "module-protocol §2, 0xA0: 1 SCM-LTE-BETA", value: 1, frame: "01 02 01 00 02" },
    { source: "module-protocol §2, 0xA0: 2 SCM-LTE-01", value: 2, frame: "01 02 02 00 01" },
    { source: "module-protocol §2, 0xA0: 3 SCM-LTE-01 Rev.B", value: 3, frame: "01 02 03 00 00" },
  ],
  GET_UNIQUE_ID: [
    { source: "module-protocol §3, the example", value: "16B0100260", frame: "01 0A 31 36 42 30 31 30 30 32 36 30 7B" },
  ],
  GET_FIRMWARE_VERSION: [
    {
      source: "module-protocol §2, 0xA2, the example",
      value: "v1.1.2-170223-7e6ce64",
      frame: "01 15 76 31 2E 31 2E 32 2D 31 37 30 32 32 33 2D 37 65 36 63 65 36 34 35",
    },
    {
      source: "module-protocol §2, 0xA2: up to 32 bytes",
      value: "v1.4.4-0123456789abcdef012345678",
      frame: "01 20 76 31 2E 34 2E 34 2D 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66 30 31 32 33 34 35 36 37 38 75",
    },
  ],
  UNLOCK: DONE,
  UPDATE_FIRMWARE: DONE,
  GET_UPDATE_FIRMWARE_STATUS: [
    { source: "module-protocol §2, 0xAA: 0 ok", value: { inProgress: false, result: "ok" }, frame: "01 01 00 00" },
    {
      source: "module-protocol §2, 0xAA: bit 7 in progress",
      value: { inProgress: true, result: "ok" },
      frame: "01 01 80 80",
    },
    {
      source: "module-protocol §2, 0xAA: 1",
      value: { inProgress: false, result: "already-up-to-date" },
      frame: "01 01 01 01",
    },
    {
      source: "module-protocol §2, 0xAA: 2",
      value: { inProgress: false, result: "version-check-failed" },
      frame: "01 01 02 02",
    },
    {
      source: "module-protocol §2, 0xAA: 3",
      value: { inProgress: false, result: "download-failed" },
      frame: "01 01 03 03",
    },
    {
      source: "module-protocol §2, 0xAA: 4",
      value: { inProgress: false, result: "verification-failed" },
      frame: "01 01 04 04",
    },
    {
      source: "module-protocol §2, 0xAA: the error is masked with 0x3F",
      value: { inProgress: true, result: "download-failed" },
      frame: "01 01 C3 C3",
      oneWay: true,
    },
  ],
  SOFTWARE_RESET: DONE,
  SET_POWER_SAVE_MODE: DONE,
  GET_POWER_SAVE_MODE: [
    { source: "module-protocol §2, 0xB1: 0", value: "disabled", frame: "01 01 00 00" },
    { source: "module-protocol §2, 0xB1: 1", value: "auto-sleep", frame: "01 01 01 01" },
    { source: "module-protocol §2, 0xB1: 2", value: "rf-off", frame: "01 01 02 02" },
  ],
};
