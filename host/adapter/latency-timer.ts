/** The latency timer of an FTDI adapter: how long it keeps a few received bytes back before it hands them over. */
import { readFile, realpath } from "node:fs/promises";
import { basename, join } from "node:path";

/** Where a person reads it, and writes a lower one as root: `/sys/bus/usb-serial/devices/ttyUSB0/latency_timer`. */
export interface LatencyTimer {
  /** In ms, 1 to 255; Linux sets 16. Each short answer waits this long, so that 1 is right for a module. */
  readonly ms: number;
  readonly file: string;
}

/**
 * Linux only, where the kernel's driver shows it; nothing for an adapter that has none.
 *
 * @param path the port, or a link to it
 * @param roots where `/sys` is; a test brings its own
 */
export async function readLatencyTimer(
  path: string,
  roots: { readonly sys: string } = { sys: "/sys" },
): Promise<LatencyTimer | undefined> {
  const device = await realpath(path).catch(() => path);
  const file = join(roots.sys, "bus/usb-serial/devices", basename(device), "latency_timer");
  const text = await readFile(file, "utf8").catch(() => "");
  const ms = /^\s*(\d{1,3})\s*$/.exec(text)?.[1];
  return ms === undefined ? undefined : { ms: Number(ms), file };
}
