/**
 * Looks through LevelDB's log files before LevelDB does: it leaves out what is damaged there without a word.
 *
 * A log (LevelDB's log_format.md) is blocks of 32 KiB, each of records that end in it:
 *
 *     masked CRC-32C of kind and data (4) · length (2) · kind (1) · data
 *
 * A record that goes beyond the file is what a killed process leaves: its write never ended, so nobody was told that
 * it had, and it is no damage.
 */
import { readFile } from "node:fs/promises";
import { crc32c, masked } from "./crc32c.ts";

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
/** Of space that was made and not written. */
const NO_RECORD = 0;

/** Where the first damage is, in bytes from the beginning; nothing for a log that is whole. */
export function logDamage(log: Buffer): number | undefined {
  for (let block = 0; block < log.length; block += BLOCK_BYTES) {
    const blockEnd = block + BLOCK_BYTES;
    for (let at = block; at + HEADER_BYTES <= Math.min(blockEnd, log.length); ) {
      const length = log.readUInt16LE(at + 4);
      const kind = log.readUInt8(at + 6);
      if (kind === NO_RECORD && length === 0) break;
      const end = at + HEADER_BYTES + length;
      if (end > blockEnd) return at;
      if (end > log.length) return undefined;
      if (masked(crc32c(log.subarray(at + 6, end))) !== log.readUInt32LE(at)) return at;
      at = end;
    }
  }
  return undefined;
}

export async function checkLog(path: string): Promise<number | undefined> {
  return logDamage(await readFile(path));
}
