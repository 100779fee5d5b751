/** How much room is left where the outbox is. */
import { statfs } from "node:fs/promises";

const MIB = 1024 * 1024;

/** Bytes that this user may still write. @throws what the system says */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

/** For people. */
export function sizeText(bytes: number): string {
  return bytes < MIB ? `${Math.floor(bytes / 1024)} KiB` : `${Math.floor(bytes / MIB)} MiB`;
}
