/**
 * A record's value: what it is, as JSON, and bytes behind it, under one checksum. LevelDB does not check its own sums
 * when it reads, so that a damaged payload would go out as if it were one.
 *
 *     CRC-32 of all that follows (4) · bytes of the JSON (4) · JSON · bytes
 */
import { crc32 } from "node:zlib";

const HEAD_BYTES = 8;

export interface Unsealed {
  readonly header: unknown;
  readonly body: Buffer;
}

/** @param bodyBytes of all parts together */
export function seal(header: object, parts: readonly Uint8Array[], bodyBytes: number): Buffer {
  const json = JSON.stringify(header);
  // In UTF-8, a UTF-16 unit takes three bytes at most.
  const value = Buffer.allocUnsafe(HEAD_BYTES + json.length * 3 + bodyBytes);
  const jsonBytes = value.write(json, HEAD_BYTES, "utf8");
  value.writeUInt32BE(jsonBytes, 4);
  let at = HEAD_BYTES + jsonBytes;
  for (const part of parts) {
    value.set(part, at);
    at += part.length;
  }
  const sealed = value.subarray(0, at);
  sealed.writeUInt32BE(crc32(sealed.subarray(4)), 0);
  return sealed;
}

/** Nothing when it is damaged. */
export function unseal(value: Buffer): Unsealed | undefined {
  if (value.length < HEAD_BYTES || value.readUInt32BE(0) !== crc32(value.subarray(4))) return undefined;
  const bodyAt = HEAD_BYTES + value.readUInt32BE(4);
  if (bodyAt > value.length) return undefined;
  try {
    return { header: JSON.parse(value.toString("utf8", HEAD_BYTES, bodyAt)), body: value.subarray(bodyAt) };
  } catch {
    return undefined;
  }
}
