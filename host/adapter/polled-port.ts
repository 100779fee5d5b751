/**
 * The bytes of an open serial port on Linux and macOS, read and written the moment the system is ready for them.
 *
 * The library's own stream sends each read through libuv's thread pool twice, and when a port vanishes right behind
 * its last bytes it reads nothing for ever, at full load, instead of ending (an end of file is a read of 0 bytes).
 */

import { EventEmitter } from "node:events";
import { readSync, writeSync } from "node:fs";
import { errnoOf } from "../../protocol/errors.ts";

/** What is used of the library's poller. */
interface Poller {
  on(event: "readable" | "writable", listener: (error: Error | null) => void): unknown;
  /** Asks for the given events once each; an earlier wish that is not among them is forgotten. */
  poll(events: number): void;
}

const READABLE = 1;
const WRITABLE = 2;

/** Reads go here and are copied out at once, so every port can share it. */
const scratch = new Uint8Array(65536);

interface PortEvents {
  data: [chunk: Uint8Array];
  error: [error: Error];
  close: [];
}

/** `data` for each chunk, `error` once when the port is lost. It does not close the port. */
export class PolledPort extends EventEmitter<PortEvents> {
  readonly #fd: number;
  readonly #poller: Poller;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #stopped = false;

  /** @param fd an open terminal device that does not block */
  constructor(fd: number, poller: Poller) {
    super();
    this.#fd = fd;
    this.#poller = poller;
    poller.on("readable", (error) => this.#ready(error, () => this.#read()));
    poller.on("writable", (error) => this.#ready(error, () => this.#flush()));
    this.#arm();
  }

  get writableLength(): number {
    return this.#pendingBytes;
  }

  write(bytes: Uint8Array): void {
    if (this.#stopped) return;
    const written = this.#pending.length > 0 ? 0 : this.#put(bytes);
    if (written === bytes.length || this.#stopped) return;
    // A copy: the caller may use its bytes again.
    this.#pending.push(bytes.slice(written));
    this.#pendingBytes += bytes.length - written;
    this.#arm();
  }

  /** Before the port is closed: what is still unwritten is dropped. */
  stop(): void {
    this.#stopped = true;
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  #ready(error: Error | null, act: () => void): void {
    if (this.#stopped) return;
    try {
      // libuv reports a hang-up as a bad descriptor, which would puzzle whoever reads it.
      if (error) this.#lost(new Error("it was hung up", { cause: error }));
      else act();
    } catch (thrown) {
      // A listener's. The native caller would abort the process; like this it is an uncaught exception as any other.
      process.nextTick(() => {
        throw thrown;
      });
    }
  }

  /** Always both wishes at once: see {@link Poller.poll}. */
  #arm(): void {
    if (!this.#stopped) this.#poller.poll(this.#pending.length > 0 ? READABLE | WRITABLE : READABLE);
  }

  #read(): void {
    let length: number;
    try {
      length = readSync(this.#fd, scratch, 0, scratch.length, null);
    } catch (error) {
      if (isTransient(error)) this.#arm();
      else this.#lost(error);
      return;
    }
    if (length === 0) {
      this.#lost(new Error("it was hung up"));
      return;
    }
    // Before the listeners: one that throws must not leave the port deaf.
    this.#arm();
    this.emit("data", scratch.slice(0, length));
  }

  #flush(): void {
    // One piece, so that a thousand kept bytes are one system call and not a thousand.
    const kept = this.#pending.length === 1 ? this.#pending[0] : Buffer.concat(this.#pending);
    if (kept) {
      const written = this.#put(kept);
      if (this.#stopped) return;
      this.#pendingBytes -= written;
      this.#pending = written < kept.length ? [kept.subarray(written)] : [];
    }
    this.#arm();
  }

  /** How many bytes the system took. */
  #put(bytes: Uint8Array): number {
    try {
      return writeSync(this.#fd, bytes);
    } catch (error) {
      if (!isTransient(error)) this.#lost(error);
      return 0;
    }
  }

  #lost(error: unknown): void {
    this.stop();
    this.emit("error", error instanceof Error ? error : new Error(String(error)));
  }
}

function isTransient(error: unknown): boolean {
  const code = errnoOf(error);
  return code === "EAGAIN" || code === "EWOULDBLOCK" || code === "EINTR";
}
