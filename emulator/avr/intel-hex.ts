/** Intel HEX, as avr-gcc, Arduino and avrdude write it, into the ATmega328P's flash. */
import { SakuraError } from "../../protocol/errors.ts";

/** The ATmega328P's flash in bytes (datasheet §8.2). */
export const FLASH_BYTES = 32_768;

/** A byte of erased flash. */
export const ERASED = 0xff;

/** A program as it lies in flash. */
export interface FlashImage {
  /** {@link FLASH_BYTES} long; what the file does not name is erased. */
  readonly bytes: Uint8Array;
  /** How many bytes the file names. */
  readonly size: number;
}

interface HexRecord {
  readonly line: number;
  readonly address: number;
  readonly type: number;
  readonly data: Uint8Array;
}

/** As a text has it, and as its bytes read one by one. */
const BYTE_ORDER_MARK = /^(?:\uFEFF|\u00EF\u00BB\u00BF)/;

/**
 * Reads the text of a `.hex` file.
 * @throws SakuraError INVALID_ARGUMENT naming the line and what is wrong with it
 */
export function parseIntelHex(text: string): FlashImage {
  const bytes = new Uint8Array(FLASH_BYTES).fill(ERASED);
  const named = new Uint8Array(FLASH_BYTES);
  let base = 0;
  let ended = false;
  let line = 0;
  for (const raw of text.replace(BYTE_ORDER_MARK, "").split(/\r\n|\r|\n/)) {
    line++;
    const content = raw.trim();
    if (content === "") continue;
    if (ended) throw wrong(line, "something follows the end record");
    const record = readRecord(content, line);
    switch (record.type) {
      case 0x00:
        place(record, base, bytes, named);
        break;
      case 0x01:
        expectLength(record, 0);
        ended = true;
        break;
      case 0x02:
        expectLength(record, 2);
        base = word(record.data) << 4;
        break;
      case 0x04:
        expectLength(record, 2);
        base = word(record.data) * 0x1_0000;
        break;
      // Where execution starts on an 80x86 or a 32-bit CPU; an AVR starts at its reset vector.
      case 0x03:
      case 0x05:
        expectLength(record, 4);
        break;
      default:
        throw wrong(line, `a record of the unknown type ${hex(record.type, 2)}`);
    }
  }
  if (!ended) throw wrong(line, "the file is cut off: there is no end record (:00000001FF)");
  const size = named.reduce((count, one) => count + one, 0);
  if (size === 0) throw new SakuraError("INVALID_ARGUMENT", "the .hex file has no program in it");
  if (named[0] !== 1)
    throw new SakuraError(
      "INVALID_ARGUMENT",
      "the .hex file has nothing at address 0, where the ATmega328P starts: it is a bootloader alone, or for another place",
    );
  return { bytes, size };
}

function readRecord(content: string, line: number): HexRecord {
  if (!/^:(?:[0-9A-Fa-f]{2}){5,}$/.test(content))
    throw wrong(line, `not a record, which is ":" and pairs of hex digits: ${JSON.stringify(content.slice(0, 40))}`);
  const bytes = new Uint8Array(Buffer.from(content.slice(1), "hex"));
  const [length = 0, high = 0, low = 0, type = 0] = bytes;
  if (bytes.length !== length + 5)
    throw wrong(line, `the record says ${length} bytes of data and has ${bytes.length - 5}`);
  const sum = bytes.subarray(0, -1).reduce((total, byte) => total + byte, 0);
  const expected = -sum & 0xff;
  const found = bytes.at(-1) ?? 0;
  if (found !== expected) throw wrong(line, `wrong checksum: ${hex(found, 2)} where ${hex(expected, 2)} belongs`);
  return { line, address: (high << 8) | low, type, data: bytes.subarray(4, -1) };
}

function place({ line, address, data }: HexRecord, base: number, bytes: Uint8Array, named: Uint8Array): void {
  for (const [index, byte] of data.entries()) {
    const at = base + address + index;
    if (at >= FLASH_BYTES)
      throw wrong(line, `data at ${hex(at, 4)}, beyond the 32 KB of an ATmega328P's flash: built for another chip?`);
    if (named[at] === 1 && bytes[at] !== byte) throw wrong(line, `other data for ${hex(at, 4)} than a line before it`);
    bytes[at] = byte;
    named[at] = 1;
  }
}

function expectLength({ line, type, data }: HexRecord, length: number): void {
  if (data.length !== length)
    throw wrong(line, `a record of type ${hex(type, 2)} has ${length} bytes of data, not ${data.length}`);
}

function word(data: Uint8Array): number {
  return ((data[0] ?? 0) << 8) | (data[1] ?? 0);
}

function hex(value: number, digits: number): string {
  return `0x${value.toString(16).toUpperCase().padStart(digits, "0")}`;
}

function wrong(line: number, what: string): SakuraError {
  return new SakuraError("INVALID_ARGUMENT", `line ${line} of the .hex file: ${what}`, { context: { line } });
}
