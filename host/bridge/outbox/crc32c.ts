/** CRC-32C (Castagnoli, RFC 3720 §12.1), with which LevelDB marks its blocks. Eight bytes a step: a store has many. */
const POLYNOMIAL = 0x82f63b78;

/** Of a byte with no other behind it, with one, and so on. */
const [T0, T1, T2, T3, T4, T5, T6, T7] = tables();

/** Reads the bytes as a little-endian machine has them, which all are that Node runs on with LevelDB. */
export function crc32c(bytes: Uint8Array): number {
  let crc = -1;
  let at = 0;
  const aligned = Math.min(bytes.length, -bytes.byteOffset & 3);
  for (; at < aligned; at++) crc = step(crc, bytes[at]);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, (bytes.length - at) >> 2);
  const end = words.length & ~1;
  for (let index = 0; index < end; index += 2) {
    const low = crc ^ (words[index] ?? 0);
    const high = words[index + 1] ?? 0;
    crc =
      (T7[low & 0xff] ?? 0) ^
      (T6[(low >>> 8) & 0xff] ?? 0) ^
      (T5[(low >>> 16) & 0xff] ?? 0) ^
      (T4[low >>> 24] ?? 0) ^
      (T3[high & 0xff] ?? 0) ^
      (T2[(high >>> 8) & 0xff] ?? 0) ^
      (T1[(high >>> 16) & 0xff] ?? 0) ^
      (T0[high >>> 24] ?? 0);
  }
  for (at += end * 4; at < bytes.length; at++) crc = step(crc, bytes[at]);
  return ~crc >>> 0;
}

/** As LevelDB stores it: the sum of bytes that hold sums is no good one. */
export function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function step(crc: number, byte = 0): number {
  return (crc >>> 8) ^ (T0[(crc ^ byte) & 0xff] ?? 0);
}

function tables() {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    return crc;
  });
  const behind = (table: Int32Array) => table.map((crc) => (crc >>> 8) ^ (first[crc & 0xff] ?? 0));
  const second = behind(first);
  const third = behind(second);
  const fourth = behind(third);
  const fifth = behind(fourth);
  const sixth = behind(fifth);
  const seventh = behind(sixth);
  return [first, second, third, fourth, fifth, sixth, seventh, behind(seventh)] as const;
}
