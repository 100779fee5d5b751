/**
 * Channel values: the seven types that a module's channels carry (§2, Channel values). Always eight bytes on the wire,
 * shorter values zero-padded; padding that is not zero is accepted and ignored.
 */
import {
  type Codec,
  I64_MAX,
  I64_MIN,
  invalidArgument,
  invalidPayload,
  readF32,
  readF64,
  readI64,
  readU64,
  U64_MAX,
  writeF32,
  writeF64,
  writeI64,
  writeU64,
} from "./codec.ts";
import type { SakuraError } from "./errors.ts";

/** What each type is in a program: `l` and `L` are exact as bigint, `b` is eight bytes. */
export interface ChannelTypes {
  /** int32 */
  i: number;
  /** uint32 */
  I: number;
  /** int64 */
  l: bigint;
  /** uint64 */
  L: bigint;
  /** float32; a number is rounded to the nearest float32 when it is encoded */
  f: number;
  /** float64 */
  d: number;
  /** eight bytes */
  b: Uint8Array;
}
export type ChannelType = keyof ChannelTypes;

/** A value with its type: `{ type: "i", value: 25 }`. */
export type ChannelValue = { [T in ChannelType]: { readonly type: T; readonly value: ChannelTypes[T] } }[ChannelType];

/** A value on a channel, 0..127. */
export type ChannelEntry = ChannelValue & { readonly channel: number };

/** What a C programmer calls each type, in the order of the vendor's documents. */
export const channelTypes: { readonly [T in ChannelType]: string } = {
  i: "int32_t",
  I: "uint32_t",
  l: "int64_t",
  L: "uint64_t",
  f: "float",
  d: "double",
  b: "byte[8]",
};

export const CHANNEL_MAX = 127;

export function isChannelType(type: string): type is ChannelType {
  return Object.hasOwn(channelTypes, type);
}

/**
 * Says what is wrong with a value for its type, or nothing: the one place that knows the ranges.
 * A float32 or float64 may be any number; a finite number too large for a float32 is refused.
 */
export function valueProblem(entry: ChannelValue): string | undefined {
  switch (entry.type) {
    case "i":
      return Number.isInteger(entry.value) && entry.value >= -0x8000_0000 && entry.value <= 0x7fff_ffff
        ? undefined
        : "type i takes an integer from -2147483648 to 2147483647";
    case "I":
      return Number.isInteger(entry.value) && entry.value >= 0 && entry.value <= 0xffff_ffff
        ? undefined
        : "type I takes an integer from 0 to 4294967295";
    case "l":
      return typeof entry.value === "bigint" && entry.value >= I64_MIN && entry.value <= I64_MAX
        ? undefined
        : `type l takes an integer from ${I64_MIN} to ${I64_MAX}`;
    case "L":
      return typeof entry.value === "bigint" && entry.value >= 0n && entry.value <= U64_MAX
        ? undefined
        : `type L takes an integer from 0 to ${U64_MAX}`;
    case "f":
      return typeof entry.value === "number" &&
        (Number.isFinite(Math.fround(entry.value)) || !Number.isFinite(entry.value))
        ? undefined
        : "type f takes a number within the range of a float32 (up to 3.4028235e38)";
    case "d":
      return typeof entry.value === "number" ? undefined : "type d takes a number";
    case "b":
      return entry.value instanceof Uint8Array && entry.value.length === 8 ? undefined : "type b takes exactly 8 bytes";
    default:
      return unknownType(entry);
  }
}

function unknownType(entry: { readonly type: unknown }): string {
  return `unknown type ${JSON.stringify(entry.type)}; the types are ${Object.keys(channelTypes).join(" ")}`;
}

/** Each type's byte on the wire: its character. */
const CODE_i = 0x69;
const CODE_I = 0x49;
const CODE_l = 0x6c;
const CODE_L = 0x4c;
const CODE_f = 0x66;
const CODE_d = 0x64;
const CODE_b = 0x62;

/** Bytes of one entry: channel, type, value[8]. */
export const ENTRY_SIZE = 10;

/** The space is zeroed. @throws SakuraError INVALID_ARGUMENT, and nothing of use has been written */
export function writeEntry(entry: ChannelEntry, out: Uint8Array, at: number): void {
  const { channel } = entry;
  if (channel !== (channel & CHANNEL_MAX))
    throw invalidArgument(`a channel is an integer from 0 to ${CHANNEL_MAX}`, channel);
  out[at] = channel;
  out[at + 1] = writeValue(entry, out, at + 2);
}

/**
 * Checks and writes in one go: this is where a sender's time goes. Whether an integer is in range is whether it survives
 * being made one of that size; what is wrong otherwise is {@link valueProblem}'s to say.
 * @returns the type's code
 */
function writeValue(entry: ChannelValue, out: Uint8Array, at: number): number {
  switch (entry.type) {
    case "i":
      if (entry.value !== (entry.value | 0)) throw wrongValue(entry);
      writeI32(entry.value, out, at);
      return CODE_i;
    case "I":
      if (entry.value !== entry.value >>> 0) throw wrongValue(entry);
      writeI32(entry.value, out, at);
      return CODE_I;
    case "l":
      writeI64(entry.value, out, at, "a value of type l");
      return CODE_l;
    case "L":
      writeU64(entry.value, out, at, "a value of type L");
      return CODE_L;
    case "f":
      if (valueProblem(entry) !== undefined) throw wrongValue(entry);
      writeF32(entry.value, out, at);
      return CODE_f;
    case "d":
      if (valueProblem(entry) !== undefined) throw wrongValue(entry);
      writeF64(entry.value, out, at);
      return CODE_d;
    case "b":
      if (valueProblem(entry) !== undefined) throw wrongValue(entry);
      out.set(entry.value, at);
      return CODE_b;
    default:
      throw wrongValue(entry);
  }
}

function wrongValue(entry: ChannelValue): SakuraError {
  return invalidArgument(valueProblem(entry) ?? "a value of its type", entry.value);
}

function writeI32(value: number, out: Uint8Array, at: number): void {
  out[at] = value & 0xff;
  out[at + 1] = (value >>> 8) & 0xff;
  out[at + 2] = (value >>> 16) & 0xff;
  out[at + 3] = (value >>> 24) & 0xff;
}

function readI32(bytes: Uint8Array, from: number): number {
  return (
    (bytes[from] ?? 0) | ((bytes[from + 1] ?? 0) << 8) | ((bytes[from + 2] ?? 0) << 16) | ((bytes[from + 3] ?? 0) << 24)
  );
}

export function readEntry(bytes: Uint8Array, from: number): ChannelEntry {
  const channel = bytes[from] ?? 0;
  if (channel > CHANNEL_MAX) throw invalidPayload(`channel ${channel} is over ${CHANNEL_MAX}`);
  const at = from + 2;
  const type = bytes[from + 1] ?? 0;
  switch (type) {
    case CODE_i:
      return { channel, type: "i", value: readI32(bytes, at) };
    case CODE_I:
      return { channel, type: "I", value: readI32(bytes, at) >>> 0 };
    case CODE_l:
      return { channel, type: "l", value: readI64(bytes, at) };
    case CODE_L:
      return { channel, type: "L", value: readU64(bytes, at) };
    case CODE_f:
      return { channel, type: "f", value: readF32(bytes, at) };
    case CODE_d:
      return { channel, type: "d", value: readF64(bytes, at) };
    case CODE_b:
      return { channel, type: "b", value: bytes.slice(at, at + 8) };
    default:
      throw invalidPayload(`0x${type.toString(16).padStart(2, "0")} is no channel type`);
  }
}

/** One entry and, 8 bytes more, its offset in ms where one is given (TX_ENQUEUE). */
export const entryWithOptionalOffset: Codec<ChannelEntry & { readonly offset?: bigint | undefined }> = {
  shape: "u8 channel, u8 type, value[8] (, i64 offset ms)",
  layout: { kind: "entries", max: 1, offset: "optional" },
  min: ENTRY_SIZE,
  max: ENTRY_SIZE + 8,
  size: (value) => (value.offset === undefined ? ENTRY_SIZE : ENTRY_SIZE + 8),
  write(value, out, at) {
    writeEntry(value, out, at);
    if (value.offset !== undefined) writeI64(value.offset, out, at + ENTRY_SIZE, "offset");
  },
  read(bytes, from, to) {
    const entry = readEntry(bytes, from);
    if (to - from === ENTRY_SIZE) return entry;
    if (to - from !== ENTRY_SIZE + 8) throw invalidPayload(`10 or 18 bytes, not ${to - from}`);
    return { ...entry, offset: readI64(bytes, from + ENTRY_SIZE) };
  },
};

/** One entry and the time since it was received, in ms, negative (RX_DEQUEUE, RX_PEEK). */
export const entryWithOffset: Codec<ChannelEntry & { readonly offset: bigint }> = {
  shape: "u8 channel, u8 type, value[8], i64 offset ms",
  layout: { kind: "entries", max: 1, offset: "always" },
  min: ENTRY_SIZE + 8,
  max: ENTRY_SIZE + 8,
  size: () => ENTRY_SIZE + 8,
  write(value, out, at) {
    writeEntry(value, out, at);
    writeI64(value.offset, out, at + ENTRY_SIZE, "offset");
  },
  read: (bytes, from) => ({ ...readEntry(bytes, from), offset: readI64(bytes, from + ENTRY_SIZE) }),
};

/** The most channels that one platform message holds (§7). */
export const MESSAGE_CHANNELS_MAX = 16;

/** 1 to 16 entries before one offset, which applies to all of them (TX_SENDIMMED). */
export const entriesWithOptionalOffset: Codec<{
  readonly channels: readonly ChannelEntry[];
  readonly offset?: bigint | undefined;
}> = {
  shape: "1..16 × (u8 channel, u8 type, value[8]) (, i64 offset ms)",
  layout: { kind: "entries", max: MESSAGE_CHANNELS_MAX, offset: "optional" },
  min: ENTRY_SIZE,
  max: MESSAGE_CHANNELS_MAX * ENTRY_SIZE + 8,
  size: (value) => value.channels.length * ENTRY_SIZE + (value.offset === undefined ? 0 : 8),
  write(value, out, at) {
    if (value.channels.length < 1 || value.channels.length > MESSAGE_CHANNELS_MAX)
      throw invalidArgument("1 to 16 channels", value.channels.length);
    for (const [i, entry] of value.channels.entries()) writeEntry(entry, out, at + i * ENTRY_SIZE);
    if (value.offset !== undefined) writeI64(value.offset, out, at + value.channels.length * ENTRY_SIZE, "offset");
  },
  read(bytes, from, to) {
    const tail = (to - from) % ENTRY_SIZE;
    if (tail !== 0 && tail !== 8) throw invalidPayload(`10 bytes a channel and 8 for the offset, not ${to - from}`);
    const channels: ChannelEntry[] = [];
    for (let at = from; at + ENTRY_SIZE <= to; at += ENTRY_SIZE) channels.push(readEntry(bytes, at));
    return tail === 0 ? { channels } : { channels, offset: readI64(bytes, to - 8) };
  },
};
