/** Arbitrary requests, answers, channel values and messages, derived from the protocol's own types. */
import fc from "fast-check";
import {
  type ChannelEntry,
  type ChannelType,
  type ChannelValue,
  type CommandName,
  commandTable,
  type DownlinkMessage,
  MESSAGE_CHANNELS_MAX,
  type PlatformMessage,
  type RequestOf,
  type ResponseOf,
} from "../../protocol/index.ts";

const I64 = { min: -9_223_372_036_854_775_808n, max: 9_223_372_036_854_775_807n };
const U64 = { min: 0n, max: 18_446_744_073_709_551_615n };
export const i64 = fc.bigInt(I64);
export const u64 = fc.bigInt(U64);
export const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const payload = fc.uint8Array({ maxLength: 255 });
const nothing = fc.constant(undefined);

/** Every float32 is as likely as any other, NaN and the infinities among them. */
export const float32 = fc.integer({ min: 0, max: 0xffff_ffff }).map((bits) => {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits);
  return view.getFloat32(0);
});

/** A new channel type does not compile without its values here. */
const channelValues: { readonly [T in ChannelType]: fc.Arbitrary<Extract<ChannelValue, { type: T }>> } = {
  i: fc.record({ type: fc.constant("i"), value: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }) }),
  I: fc.record({ type: fc.constant("I"), value: u32 }),
  l: fc.record({ type: fc.constant("l"), value: i64 }),
  L: fc.record({ type: fc.constant("L"), value: u64 }),
  f: fc.record({ type: fc.constant("f"), value: fc.oneof(fc.float(), float32) }),
  d: fc.record({ type: fc.constant("d"), value: fc.double() }),
  b: fc.record({ type: fc.constant("b"), value: fc.uint8Array({ minLength: 8, maxLength: 8 }) }),
};
export const channelValue: fc.Arbitrary<ChannelValue> = fc.oneof(...Object.values(channelValues));

const channel = fc.integer({ min: 0, max: 127 });
export const entry: fc.Arbitrary<ChannelEntry> = fc
  .tuple(channel, channelValue)
  .map(([number, value]) => ({ channel: number, ...value }));
const timed = fc.tuple(entry, i64).map(([value, offset]) => ({ ...value, offset }));
const perhapsTimed = fc.oneof(entry, timed);

/** The names of a byte, and `unknown-N` for the numbers that have none, up to `max`. */
function namedUpTo<const T extends string>(max: number, known: Readonly<Record<T, number>>) {
  const taken = new Set<number>(Object.values(known));
  const names = Object.keys(known).filter((name): name is T => Object.hasOwn(known, name));
  return fc.oneof(
    fc.constantFrom(...names),
    fc
      .integer({ min: 0, max })
      .filter((value) => !taken.has(value))
      .map((value) => `unknown-${value}` as const),
  );
}

const txState = namedUpTo(255, { done: 0, sending: 1, failed: 2 });
const queueLength = fc.record({ available: u8, queued: u8 });
const ascii = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.integer({ min: 0, max: 0x7f }).map((code) => String.fromCharCode(code)), minLength, maxLength });
const powerSaveMode = namedUpTo(255, { disabled: 0, "auto-sleep": 1, "rf-off": 2 });

/** A new command does not compile without its requests here. */
export const requests: { readonly [N in CommandName]: fc.Arbitrary<RequestOf<N>> } = {
  GET_CONNECTION_STATUS: nothing,
  GET_SIGNAL_QUALITY: nothing,
  GET_DATETIME: nothing,
  ECHO_BACK: payload,
  READ_ADC: u8,
  TX_ENQUEUE: perhapsTimed,
  TX_SENDIMMED: fc.record(
    { channels: fc.array(entry, { minLength: 1, maxLength: MESSAGE_CHANNELS_MAX }), offset: i64 },
    { requiredKeys: ["channels"] },
  ),
  TX_LENGTH: nothing,
  TX_CLEAR: nothing,
  TX_SEND: nothing,
  TX_STAT: nothing,
  RX_DEQUEUE: nothing,
  RX_PEEK: nothing,
  RX_LENGTH: nothing,
  RX_CLEAR: nothing,
  START_FILE_DOWNLOAD: fc.integer({ min: 1, max: 5 }),
  GET_FILE_METADATA: nothing,
  GET_FILE_DOWNLOAD_STATUS: nothing,
  CANCEL_FILE_DOWNLOAD: nothing,
  GET_FILE_DATA: fc.integer({ min: 1, max: 255 }),
  GET_PRODUCT_ID: nothing,
  GET_UNIQUE_ID: nothing,
  GET_FIRMWARE_VERSION: nothing,
  UNLOCK: nothing,
  UPDATE_FIRMWARE: nothing,
  GET_UPDATE_FIRMWARE_STATUS: nothing,
  SOFTWARE_RESET: nothing,
  SET_POWER_SAVE_MODE: powerSaveMode,
  GET_POWER_SAVE_MODE: nothing,
};

/** A new command does not compile without its answers here. */
export const responses: { readonly [N in CommandName]: fc.Arbitrary<ResponseOf<N>> } = {
  GET_CONNECTION_STATUS: fc.record({
    online: fc.boolean(),
    lastError: namedUpTo(0x7f, {
      none: 0,
      "out-of-service-area": 1,
      "connection-error": 2,
      "unexpected-disconnect": 3,
    }),
  }),
  GET_SIGNAL_QUALITY: u8,
  GET_DATETIME: u64,
  ECHO_BACK: payload,
  READ_ADC: u16,
  TX_ENQUEUE: nothing,
  TX_SENDIMMED: nothing,
  TX_LENGTH: queueLength,
  TX_CLEAR: nothing,
  TX_SEND: nothing,
  TX_STAT: fc.record({ queue: txState, immediate: txState }),
  RX_DEQUEUE: timed,
  RX_PEEK: timed,
  RX_LENGTH: queueLength,
  RX_CLEAR: nothing,
  START_FILE_DOWNLOAD: nothing,
  GET_FILE_METADATA: fc.record({
    status: namedUpTo(255, {
      ok: 0,
      error: 1,
      "invalid-request": 2,
      "not-found": 0x81,
      "server-error": 0x82,
      "invalid-data": 0x83,
    }),
    size: u32,
    timestamp: u64,
    crc32: u32,
  }),
  GET_FILE_DOWNLOAD_STATUS: fc.record({
    status: namedUpTo(255, { none: 0, requesting: 1, receiving: 2, error: 0x81 }),
    received: u32,
  }),
  CANCEL_FILE_DOWNLOAD: nothing,
  GET_FILE_DATA: payload,
  GET_PRODUCT_ID: u16,
  GET_UNIQUE_ID: ascii(10, 10),
  GET_FIRMWARE_VERSION: ascii(0, 32),
  UNLOCK: nothing,
  UPDATE_FIRMWARE: nothing,
  GET_UPDATE_FIRMWARE_STATUS: fc.record({
    inProgress: fc.boolean(),
    result: namedUpTo(0x3f, {
      ok: 0,
      "already-up-to-date": 1,
      "version-check-failed": 2,
      "download-failed": 3,
      "verification-failed": 4,
    }),
  }),
  SOFTWARE_RESET: nothing,
  SET_POWER_SAVE_MODE: nothing,
  GET_POWER_SAVE_MODE: powerSaveMode,
};

/** A frame with a good parity, whatever it holds. */
export const sealed = (head: fc.Arbitrary<number>, body: fc.Arbitrary<Uint8Array> = payload) =>
  fc.tuple(head, body).map(([first, bytes]) => seal(first, bytes));

function seal(head: number, bytes: Uint8Array): Uint8Array {
  const before = [head, bytes.length, ...bytes];
  return Uint8Array.from([...before, before.reduce((parity, byte) => parity ^ byte, 0)]);
}

/** A code of the table. */
export const code = fc.constantFrom(...Object.values(commandTable).map((command) => command.code));

/** The bytes in pieces, cut where the numbers say. */
export function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
  const ends = [...places, bytes.length];
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
}
export const cuts = fc.array(fc.nat(), { maxLength: 12 });

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Text of any UTF-16 code units, lone surrogates and control characters among them; half of it ASCII. */
export const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0x7f }), fc.integer({ min: 0, max: 0xffff })), { maxLength: 20 })
  .map((units) => String.fromCharCode(...units));

export const moduleId = anyText.map((id) => `u${id.replace(/[/#+\0]/g, "_")}`);

export const datetime = fc
  .tuple(
    fc.date({ min: new Date("0000-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true }),
    fc.nat(999_999_999),
    fc.nat(9),
  )
  .map(([date, nanos, digits]) => {
    const fraction = digits === 0 ? "" : `.${String(nanos).padStart(9, "0").slice(0, digits)}`;
    return `${date.toISOString().slice(0, 19)}${fraction}Z`;
  });

const finite = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map((value) => value + 0);
const timedChannel = fc.tuple(entry, datetime).map(([value, time]) => ({ ...value, datetime: time }));

export const platformMessage: fc.Arbitrary<PlatformMessage> = fc.oneof(
  fc.record({
    module: moduleId,
    type: fc.constant("channels"),
    datetime,
    payload: fc.record({ channels: fc.array(timedChannel, { maxLength: MESSAGE_CHANNELS_MAX }) }),
  }),
  fc.record({
    module: moduleId,
    type: fc.constant("connection"),
    datetime,
    payload: fc.record({ is_online: fc.boolean() }),
  }),
  fc.record({
    module: moduleId,
    type: fc.constant("location"),
    datetime,
    payload: fc.record({
      coordinate: fc.option(
        fc.record({ latitude: finite(-90, 90), longitude: finite(-180, 180), range_m: finite(0, 1e7) }),
      ),
    }),
  }),
);

/** Values that JSON can hold. */
const jsonEntry = entry.filter(({ value }) => typeof value !== "number" || Number.isFinite(value));
export const downlink: fc.Arbitrary<DownlinkMessage> = fc.record({
  type: fc.constant("channels"),
  module: moduleId,
  payload: fc.record({ channels: fc.array(jsonEntry, { minLength: 1, maxLength: MESSAGE_CHANNELS_MAX }) }),
});
