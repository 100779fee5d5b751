/**
 * Small codecs for the fields of requests and responses. Each knows its size, its range and its shape in words, and
 * the types of what the command table builds from them are inferred. All integers are little-endian (§1).
 */
import { SakuraError } from "./errors.ts";
import { fieldsOf, type Layout, oneField } from "./layout.ts";

/** Reads and writes one value at a place in a frame. */
export interface Codec<T> {
  /** The fields in words, for the documentation: `u8 channel, u8 type, value[8]`; empty for no payload. */
  readonly shape: string;
  /** The same as data, for code in other languages: `sakuraio codegen`. */
  readonly layout: Layout;
  /** The fewest and the most bytes that a payload of this shape has. */
  readonly min: number;
  readonly max: number;
  /** The bytes that `write` will write. */
  size(value: T): number;
  /**
   * Writes the value at `at`. The space is there.
   * @throws SakuraError INVALID_ARGUMENT when the value is outside its range
   */
  write(value: T, out: Uint8Array, at: number): void;
  /**
   * Reads the value from `from` up to `to`; the size has been checked against `min` and `max`.
   * @throws SakuraError INVALID_PAYLOAD when the bytes are no such value
   */
  read(bytes: Uint8Array, from: number, to: number): T;
}

/** The type that a codec reads and writes. */
export type ValueOf<C> = C extends Codec<infer T> ? T : never;

export function invalidArgument(what: string, got: unknown): SakuraError {
  return new SakuraError("INVALID_ARGUMENT", `${what}, not ${shown(got)}`);
}

export function invalidPayload(message: string): SakuraError {
  return new SakuraError("INVALID_PAYLOAD", message);
}

function shown(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return typeof value === "bigint" ? `${value}` : (JSON.stringify(value) ?? String(value));
}

/** No payload at all. */
export const none: Codec<undefined> = {
  shape: "",
  layout: { kind: "none" },
  min: 0,
  max: 0,
  size: () => 0,
  write: () => undefined,
  read: () => undefined,
};

function unsigned(bits: 8 | 16 | 32, name: string, low: number, high: number): Codec<number> {
  const size = bits / 8;
  const label = name || `a u${bits}`;
  return {
    shape: `u${bits}${name ? ` ${name}` : ""}`,
    layout: oneField({ kind: "unsigned", bits, name }),
    min: size,
    max: size,
    size: () => size,
    write(value, out, at) {
      if (!Number.isInteger(value) || value < low || value > high)
        throw invalidArgument(`${label} is an integer from ${low} to ${high}`, value);
      for (let i = 0, rest = value; i < size; i++, rest = Math.floor(rest / 256)) out[at + i] = rest & 0xff;
    },
    read(bytes, from) {
      let value = 0;
      for (let i = size - 1; i >= 0; i--) value = value * 256 + (bytes[from + i] ?? 0);
      if (value < low || value > high) throw invalidPayload(`${label} is ${low} to ${high}, not ${value}`);
      return value;
    },
  };
}

/** An unsigned byte, within `low`..`high`. */
export const u8 = (name = "", low = 0, high = 0xff): Codec<number> => unsigned(8, name, low, high);
export const u16le = (name = "", low = 0, high = 0xffff): Codec<number> => unsigned(16, name, low, high);
export const u32le = (name = ""): Codec<number> => unsigned(32, name, 0, 0xffff_ffff);

const scratch = new DataView(new ArrayBuffer(8));
const scratchBytes = new Uint8Array(scratch.buffer);

/** Eight bytes through one shared DataView: a view for every frame would cost more than the frame. */
function load(bytes: Uint8Array, from: number): DataView {
  for (let i = 0; i < 8; i++) scratchBytes[i] = bytes[from + i] ?? 0;
  return scratch;
}
function store(out: Uint8Array, at: number): void {
  for (let i = 0; i < 8; i++) out[at + i] = scratchBytes[i] ?? 0;
}

export const I64_MIN = -(2n ** 63n);
export const I64_MAX = 2n ** 63n - 1n;
export const U64_MAX = 2n ** 64n - 1n;

export const readI64 = (bytes: Uint8Array, from: number): bigint => load(bytes, from).getBigInt64(0, true);
export const readU64 = (bytes: Uint8Array, from: number): bigint => load(bytes, from).getBigUint64(0, true);
export const readF64 = (bytes: Uint8Array, from: number): number => load(bytes, from).getFloat64(0, true);
export const readF32 = (bytes: Uint8Array, from: number): number => load(bytes, from).getFloat32(0, true);

export function writeI64(value: bigint, out: Uint8Array, at: number, label = "an i64"): void {
  if (typeof value !== "bigint" || value < I64_MIN || value > I64_MAX)
    throw invalidArgument(`${label} is a bigint from ${I64_MIN} to ${I64_MAX}`, value);
  scratch.setBigInt64(0, value, true);
  store(out, at);
}
export function writeU64(value: bigint, out: Uint8Array, at: number, label = "a u64"): void {
  if (typeof value !== "bigint" || value < 0n || value > U64_MAX)
    throw invalidArgument(`${label} is a bigint from 0 to ${U64_MAX}`, value);
  scratch.setBigUint64(0, value, true);
  store(out, at);
}
export function writeF64(value: number, out: Uint8Array, at: number): void {
  scratch.setFloat64(0, value, true);
  store(out, at);
}
/** Four bytes; the caller pads. */
export function writeF32(value: number, out: Uint8Array, at: number): void {
  scratch.setFloat32(0, value, true);
  for (let i = 0; i < 4; i++) out[at + i] = scratchBytes[i] ?? 0;
}

export const u64le = (name = ""): Codec<bigint> => ({
  shape: `u64${name ? ` ${name}` : ""}`,
  layout: oneField({ kind: "unsigned", bits: 64, name }),
  min: 8,
  max: 8,
  size: () => 8,
  write: (value, out, at) => writeU64(value, out, at, name || undefined),
  read: (bytes, from) => readU64(bytes, from),
});

/** ASCII text of `min` to `max` characters that fills the rest of the payload. */
export const ascii = (name: string, min: number, max: number): Codec<string> => ({
  shape: `${min === max ? max : `${min}..${max}`} ASCII bytes${name ? ` ${name}` : ""}`,
  layout: { kind: "ascii", name, min, max },
  min,
  max,
  size: (value) => value.length,
  write(value, out, at) {
    if (value.length < min || value.length > max)
      throw invalidArgument(`${name} has ${min === max ? max : `${min} to ${max}`} ASCII characters`, value);
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) throw invalidArgument(`${name} is ASCII`, value);
      out[at + i] = code;
    }
  },
  read(bytes, from, to) {
    let text = "";
    for (let i = from; i < to; i++) {
      const code = bytes[i] ?? 0;
      if (code > 0x7f) throw invalidPayload(`${name} holds a byte outside ASCII (0x${code.toString(16)})`);
      text += String.fromCharCode(code);
    }
    return text;
  },
});

/** Whatever bytes are left, `min` to `max` of them. The value read is a copy. */
export const rest = (name = "bytes", min = 0, max = 255): Codec<Uint8Array> => ({
  shape: `${min === max ? min : `${min}..${max}`} ${name}`,
  layout: { kind: "bytes", name, min, max },
  min,
  max,
  size: (value) => value.length,
  write(value, out, at) {
    if (!(value instanceof Uint8Array) || value.length < min || value.length > max)
      throw invalidArgument(`${name}: ${min} to ${max} bytes`, value);
    out.set(value, at);
  },
  read: (bytes, from, to) => bytes.slice(from, to),
});

/** Exactly these bytes, such as a key. The value is `undefined`: there is nothing to choose. */
export const literal = (name: string, expected: readonly number[]): Codec<undefined> => ({
  shape: `${expected.map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ")}`,
  layout: { kind: "literal", bytes: expected },
  min: expected.length,
  max: expected.length,
  size: () => expected.length,
  write: (_value, out, at) => out.set(expected, at),
  read(bytes, from) {
    if (!expected.every((byte, i) => bytes[from + i] === byte)) throw invalidPayload(`not the ${name}`);
    return undefined;
  },
});

/** A name for a number, or `unknown-N` for one that no public source names: a newer firmware must not break a driver. */
export type Named<T extends Readonly<Record<string, number>>> = (keyof T & string) | `unknown-${number}`;

/** Looks names up in both directions, within `0..max`. */
export interface Names<T extends Readonly<Record<string, number>>> {
  /** What the numbers say: `power-save mode`. */
  readonly label: string;
  readonly values: T;
  nameOf(value: number): Named<T>;
  /** @throws SakuraError INVALID_ARGUMENT for a name that is not one */
  valueOf(name: Named<T>): number;
}

export function names<const T extends Readonly<Record<string, number>>>(
  label: string,
  values: T,
  max = 0xff,
): Names<T> {
  const byValue = new Map<number, keyof T & string>();
  for (const name of Object.keys(values)) byValue.set(Number(values[name]), name);
  return {
    label,
    values,
    nameOf: (value) => byValue.get(value) ?? `unknown-${value}`,
    valueOf(name) {
      const value = Object.hasOwn(values, name) ? Number(values[name]) : Number(/^unknown-(\d{1,5})$/.exec(name)?.[1]);
      if (!(value >= 0 && value <= max)) throw invalidArgument(`one of ${Object.keys(values).join(", ")}`, name);
      return value;
    },
  };
}

/** A byte with names. */
export function named<const T extends Readonly<Record<string, number>>>(
  label: string,
  table: Names<T>,
): Codec<Named<T>> {
  return {
    shape: `u8${label ? ` ${label}` : ""}`,
    layout: oneField({ kind: "named", name: label, names: table }),
    min: 1,
    max: 1,
    size: () => 1,
    write(value, out, at) {
      out[at] = table.valueOf(value);
    },
    read: (bytes, from) => table.nameOf(bytes[from] ?? 0),
  };
}

/** Fields of fixed size, one after the other. */
export function struct<T extends object>(fields: { readonly [K in keyof T]: Codec<T[K]> }): Codec<T>;
export function struct(fields: Readonly<Record<string, Codec<unknown>>>): Codec<Record<string, unknown>> {
  const entries = Object.entries(fields);
  const total = entries.reduce((sum, [, codec]) => sum + codec.max, 0);
  return {
    shape: entries.map(([name, codec]) => `${codec.shape} ${name}`).join(", "),
    layout: fieldsOf(entries.map(([name, codec]) => [name, codec.layout])),
    min: total,
    max: total,
    size: () => total,
    write(value, out, at) {
      let place = at;
      for (const [name, codec] of entries) {
        codec.write(value[name], out, place);
        place += codec.max;
      }
    },
    read(bytes, from) {
      const value: Record<string, unknown> = {};
      let place = from;
      for (const [name, codec] of entries) {
        value[name] = codec.read(bytes, place, place + codec.max);
        place += codec.max;
      }
      return value;
    },
  };
}
