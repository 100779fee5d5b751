/** Hexadecimal, as the wire and the messages carry it. */
import { SakuraError } from "./errors.ts";

const UPPER = Array.from({ length: 256 }, (_, byte) => byte.toString(16).toUpperCase().padStart(2, "0"));
const LOWER = UPPER.map((digits) => digits.toLowerCase());

/** The digit's value by its character code, either case; -1 for any other. */
const DIGITS: Int8Array = (() => {
  const digits = new Int8Array(256).fill(-1);
  for (let value = 0; value < 16; value++) {
    digits[value.toString(16).charCodeAt(0)] = value;
    digits[value.toString(16).toUpperCase().charCodeAt(0)] = value;
  }
  return digits;
})();

const UPPER_CODES = Uint8Array.from("0123456789ABCDEF", (digit) => digit.charCodeAt(0));

export function toHex(bytes: Uint8Array, separator = ""): string {
  return Array.from(bytes, (byte) => UPPER[byte] ?? "").join(separator);
}

/** A byte for people to read: `0x4F`. */
export function hexByte(byte: number): string {
  return `0x${UPPER[byte] ?? byte.toString(16)}`;
}

export function toHexLower(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += LOWER[byte];
  return text;
}

/** The value of a hexadecimal digit's character code, or -1. */
export function hexDigit(code: number): number {
  return DIGITS[code] ?? -1;
}

/** Writes the bytes as upper-case ASCII digits. */
export function writeHex(bytes: Uint8Array, out: Uint8Array, at: number): void {
  for (let i = 0, place = at; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    out[place++] = UPPER_CODES[byte >> 4] ?? 0;
    out[place++] = UPPER_CODES[byte & 15] ?? 0;
  }
}

/**
 * Bytes from digits in either case. White space, `:` and `,` between bytes are ignored.
 * @throws SakuraError INVALID_ARGUMENT for anything else, or an odd number of digits
 */
export function fromHex(text: string): Uint8Array {
  const digits = text.replace(/[\s:,]+/g, "");
  const bytes = parseHex(digits);
  if (!bytes)
    throw new SakuraError("INVALID_ARGUMENT", `an even number of hexadecimal digits, such as "A1 0f", not "${text}"`);
  return bytes;
}

/** Bytes from exactly such digits, or nothing. */
export function parseHex(digits: string): Uint8Array | undefined {
  if (digits.length % 2 !== 0) return undefined;
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const high = hexDigit(digits.charCodeAt(2 * i));
    const low = hexDigit(digits.charCodeAt(2 * i + 1));
    if (high < 0 || low < 0) return undefined;
    bytes[i] = high * 16 + low;
  }
  return bytes;
}
