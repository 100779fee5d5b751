/**
 * The emulated module's end of a new pseudo-terminal: a serial port for any driver on this machine, without hardware.
 *
 *     driver ── /dev/pts/N (device end, raw) ══ kernel ══ controlling end ── ByteDuplex ── emulated module
 */
import { EventEmitter } from "node:events";
import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import type { ByteDuplex } from "../../protocol/bus.ts";
import { duplexOverStream } from "../../protocol/duplex.ts";
import { errnoOf, isSakuraError, reasonOf, SakuraError } from "../../protocol/errors.ts";
import { type DescriptorWatch, loadTerminalCalls, type TerminalCalls } from "./pty-libc.ts";
import { placeLink, removeLink } from "./pty-link.ts";

export interface PtyOptions {
  /** Where to put a symbolic link to the device. Replaces another symbolic link, and nothing else. */
  readonly link?: string | undefined;
}

export interface PtyEndpoint {
  /** What a driver opens: the link as an absolute path, or the device where no link was asked for. */
  readonly path: string;
  /** The device end, `/dev/pts/N`. */
  readonly device: string;
  /**
   * The controlling end. It outlives every driver: it ends with `close()` alone. What is written while nobody reads
   * the device waits for a reader up to 1 MiB; beyond that it is dropped, as a UART's bytes are on an open line.
   */
  readonly duplex: ByteDuplex;
  /** Removes the link if it is still this one's, and lets go of both ends. A driver sees its port vanish. */
  close(): Promise<void>;
}

/**
 * Opens a new pseudo-terminal, raw from the start: 8-bit clean, no echo. Linux and macOS.
 *
 * @throws SakuraError UNSUPPORTED on Windows and where the C library cannot be called; PORT_FAILED when the system
 *   has none to give; INVALID_ARGUMENT or PORT_DENIED when the link cannot be made
 */
export async function openPty(options: PtyOptions = {}): Promise<PtyEndpoint> {
  const calls = await loadTerminalCalls();
  const ends = openEnds(calls);
  const { device } = ends;
  const link = options.link === undefined ? undefined : resolve(options.link);
  const path = link ?? device;
  let stream: PtyStream | undefined;
  try {
    stream = new PtyStream(ends, calls);
    if (link !== undefined) placeLink(link, device);
  } catch (error) {
    stream?.stop();
    closeEnds(ends);
    throw error;
  }
  const opened = stream;
  const duplex = duplexOverStream(opened, {
    name: path,
    release: async () => {
      opened.stop();
      try {
        // While the ends are still open no other program can be given the same device name.
        if (link !== undefined) removeLink(link, device);
      } finally {
        closeEnds(ends);
      }
    },
  });
  return { path, device, duplex, close: () => duplex.close() };
}

interface PtyEnds {
  readonly controlling: number;
  /** Ours is held open so that a driver's close is not the last one, which would end the controlling end. */
  readonly held: number;
  readonly device: string;
}

function openEnds(calls: TerminalCalls): PtyEnds {
  const mode = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK;
  let controlling: number | undefined;
  let held: number | undefined;
  try {
    controlling = openSync("/dev/ptmx", mode);
    const device = calls.unlock(controlling);
    held = openSync(device, mode);
    calls.makeRaw(held);
    return { controlling, held, device };
  } catch (cause) {
    for (const fd of [controlling, held]) if (fd !== undefined) closeSync(fd);
    throw isSakuraError(cause) ? cause : openFailed(cause);
  }
}

function closeEnds(ends: PtyEnds): void {
  closeSync(ends.controlling);
  closeSync(ends.held);
}

function openFailed(cause: unknown): SakuraError {
  switch (errnoOf(cause)) {
    case "EMFILE":
    case "ENFILE":
      return new SakuraError("PORT_FAILED", "no pseudo-terminal: too many files are open; raise `ulimit -n`", {
        cause,
      });
    case "ENOSPC":
      return new SakuraError(
        "PORT_FAILED",
        "no pseudo-terminal: the system has given out all of them; close some or raise `sysctl kernel.pty.max`",
        { cause },
      );
    default:
      return new SakuraError("PORT_FAILED", `no pseudo-terminal: ${reasonOf(cause)}; use tcp:127.0.0.1:0 instead`, {
        cause,
      });
  }
}

/** Reads go here and are copied out at once, so every pseudo-terminal can share it. */
const scratch = new Uint8Array(65536);
const MOST_PENDING_BYTES = 1024 * 1024;

interface PtyEvents {
  data: [chunk: Uint8Array];
  error: [error: Error];
  close: [];
}

/** The controlling end as a stream. Neither direction ever blocks, nor waits for a thread. */
class PtyStream extends EventEmitter<PtyEvents> {
  readonly #ends: PtyEnds;
  readonly #calls: TerminalCalls;
  readonly #watch: DescriptorWatch;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #stopped = false;

  constructor(ends: PtyEnds, calls: TerminalCalls) {
    super();
    this.#ends = ends;
    this.#calls = calls;
    this.#watch = calls.watch(ends.controlling, () => this.#ready());
  }

  get writableLength(): number {
    return this.#pendingBytes;
  }

  write(bytes: Uint8Array): void {
    if (this.#stopped) return;
    if (this.#pending.length > 0) {
      this.#keep(bytes);
      return;
    }
    const written = this.#put(bytes);
    if (written === bytes.length || this.#stopped) return;
    this.#keep(bytes.subarray(written));
    this.#watch.wantWritable(true);
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#watch.stop();
  }

  #keep(bytes: Uint8Array): void {
    if (this.#pendingBytes + bytes.length > MOST_PENDING_BYTES) return;
    // A copy: the caller may use its bytes again.
    this.#pending.push(bytes.slice());
    this.#pendingBytes += bytes.length;
  }

  /** How many bytes the system took. */
  #put(bytes: Uint8Array): number {
    try {
      return writeSync(this.#ends.controlling, bytes);
    } catch (error) {
      this.#failed(error);
      return 0;
    }
  }

  #ready(): void {
    try {
      if (this.#pending.length > 0) this.#flush();
      if (!this.#stopped) this.#read();
    } catch (thrown) {
      // A listener's. The native caller would lose it; like this it is an uncaught exception as any other.
      process.nextTick(() => {
        throw thrown;
      });
    }
  }

  #flush(): void {
    // One piece, so that a thousand kept bytes are one system call and not a thousand.
    const kept = this.#pending.length === 1 ? this.#pending[0] : Buffer.concat(this.#pending);
    if (!kept) return;
    const written = this.#put(kept);
    if (this.#stopped) return;
    this.#pendingBytes -= written;
    this.#pending = written < kept.length ? [kept.subarray(written)] : [];
    if (this.#pending.length === 0) this.#watch.wantWritable(false);
  }

  #read(): void {
    let length: number;
    try {
      length = readSync(this.#ends.controlling, scratch, 0, scratch.length, null);
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (length === 0) return;
    // A driver that claimed the device for itself and was killed would otherwise keep every later one out: the claim
    // dies with the last close, and ours is never closed before the end.
    this.#calls.clearExclusive(this.#ends.held);
    this.emit("data", scratch.slice(0, length));
  }

  #failed(error: unknown): void {
    const code = errnoOf(error);
    if (code === "EAGAIN" || code === "EWOULDBLOCK" || code === "EINTR") return;
    this.emit("error", error instanceof Error ? error : new Error(String(error)));
  }
}
