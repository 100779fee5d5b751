/** Downloading a file through a module, in parts as they come or whole (§2, 0x40–0x44). */
import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import type { Clock } from "../protocol/bus.ts";
import type { RequestOf } from "../protocol/commands.ts";
import { isSakuraError, SakuraError } from "../protocol/errors.ts";
import type { Connection } from "./connection.ts";
import { FileLink, type FileMetadata, type FileModule } from "./file-link.ts";
import { FileTransfer } from "./file-transfer.ts";

export interface FileProgress {
  /** Bytes that are there, whatever their order. */
  readonly received: number;
  readonly size: number;
  /** From 1 on; a further pass fills what was lost on a bad line, or reads again what a wrong CRC-32 makes doubtful. */
  readonly pass: number;
}

export interface FileDownloadOptions {
  /** Bytes a request asks for at most, 1 to 255; 255 unless told. A bad line is asked for fewer by itself. */
  readonly chunkBytes?: number | undefined;
  readonly onProgress?: ((progress: FileProgress) => void) | undefined;
  /** Gives the download up, and cancels it at the module. */
  readonly signal?: AbortSignal | undefined;
  /** Until the module knows what the file is, in ms; 30000 unless told. */
  readonly metadataTimeoutMs?: number | undefined;
  /** How long the download may stand still, in ms; 60000 unless told. */
  readonly idleTimeoutMs?: number | undefined;
  /** How long a lost port is waited for, where it is opened again, in ms; 300000 unless told. */
  readonly portTimeoutMs?: number | undefined;
  /** How often the file is gone through at most, 1 to 1000; 100 unless told. */
  readonly passes?: number | undefined;
  /** A larger file is not downloaded; 64 MiB unless told. */
  readonly maxBytes?: number | undefined;
}

const MAX_BYTES = 64 * 1024 * 1024;

/** See `SakuraModule.downloadFile`. */
export async function downloadFile(
  module: FileModule,
  connection: Connection,
  clock: Clock,
  file: RequestOf<"START_FILE_DOWNLOAD">,
  options: FileDownloadOptions,
): Promise<FileDownload> {
  const { metadataTimeoutMs = 30_000, idleTimeoutMs = 60_000, portTimeoutMs = 300_000, signal } = options;
  const { chunkBytes = 255, passes = 100, maxBytes = MAX_BYTES } = options;
  checkInteger("the bytes of a part", chunkBytes, 1, 255);
  checkInteger("the passes", passes, 1, 1000);
  checkInteger("the bytes of a file", maxBytes, 0, 0xffff_ffff);
  for (const ms of [metadataTimeoutMs, idleTimeoutMs, portTimeoutMs])
    checkInteger("a timeout in ms", ms, 1, 2 ** 31 - 1);
  const stop = new AbortController();
  const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const link = new FileLink(module, connection, clock, { metadataTimeoutMs, idleTimeoutMs, portTimeoutMs }, either);
  const transfer = new FileTransfer(file, link, { chunkBytes, passes, maxBytes });
  const download = new FileDownload(link, transfer, stop, options.onProgress);
  await download.start();
  return download;
}

/**
 * A download that has begun: what the file is stands in `metadata`. Take it in one of three ways:
 *
 *     for await (const part of download) …        the parts in order, as soon as all before them are there
 *     download.readable().pipe(…)                  the same as a stream
 *     const bytes = await download.bytes();        whole, its CRC-32 right
 *
 * On a good line parts come as the module hands them out. The CRC-32 can be looked at only when the last byte is there:
 * then the iteration ends, or throws when bytes that it gave were wrong. `bytes()` never gives wrong bytes.
 *
 * The module is asked only while somebody takes: nothing is read ahead. Whoever leaves a `for await` early, or no
 * longer wants the file, has the module cancel it (`cancel`).
 *
 * @throws SakuraError, from each of the three
 *   - DAMAGED_ANSWER: the CRC-32 is wrong after all remedies, or bytes that were given are; or too much was lost
 *   - MODULE_REFUSED with context.status: the file cannot be had any more
 *   - TIMEOUT: the download stands still; ABORTED; CLOSED; PORT_LOST where the port is not opened again or not back in time
 */
export class FileDownload implements AsyncIterable<Uint8Array> {
  readonly #link: FileLink;
  readonly #transfer: FileTransfer;
  readonly #stop: AbortController;
  readonly #onProgress: ((progress: FileProgress) => void) | undefined;
  #step: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #told = -1;

  /** @internal */
  constructor(
    link: FileLink,
    transfer: FileTransfer,
    stop: AbortController,
    onProgress: ((progress: FileProgress) => void) | undefined,
  ) {
    this.#link = link;
    this.#transfer = transfer;
    this.#stop = stop;
    this.#onProgress = onProgress;
  }

  /** Size in bytes, time in Unix ms, and CRC-32. */
  get metadata(): FileMetadata {
    return this.#transfer.metadata;
  }

  /** How far it is. */
  get progress(): FileProgress {
    const { bytes, passes } = this.#transfer;
    return { received: bytes.held, size: bytes.size, pass: passes };
  }

  /** @internal */
  start(): Promise<void> {
    return this.#go(() => this.#transfer.begin());
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    const transfer = this.#transfer;
    const { version } = transfer;
    let given = 0;
    let crc = 0;
    try {
      for (;;) {
        if (transfer.version !== version && given > 0) throw changed(given);
        const end = transfer.bytes.nextBelow(1, given);
        if (end > given) {
          const part = transfer.bytes.slice(given, end);
          crc = crc32(part, crc);
          given = end;
          yield part;
        } else if (transfer.complete) {
          break;
        } else {
          await this.#advance();
        }
      }
    } finally {
      if (!transfer.complete) await this.cancel();
    }
    if (crc !== transfer.metadata.crc32) throw gaveWrongBytes(given);
  }

  /** The parts as a stream of bytes. */
  readable(): Readable {
    return Readable.from(this, { objectMode: false });
  }

  /** The whole file. */
  async bytes(): Promise<Uint8Array> {
    while (!this.#transfer.complete) await this.#advance();
    return this.#transfer.bytes.slice();
  }

  /** Cancels the download at the module. Whatever waits for it, or asks later, fails with ABORTED. */
  async cancel(): Promise<void> {
    if (this.#transfer.complete || this.#failure) return;
    this.#failure = { error: new SakuraError("ABORTED", "the download was cancelled") };
    this.#stop.abort();
    await this.#link.abandon();
  }

  /** One step, which all who wait for it share. */
  #advance(): Promise<void> {
    this.#step ??= this.#go(() => this.#transfer.step()).finally(() => {
      this.#step = undefined;
    });
    return this.#step;
  }

  async #go(work: () => Promise<void>): Promise<void> {
    if (this.#failure) throw this.#failure.error;
    try {
      await work();
      this.#tell();
    } catch (error) {
      throw await this.#fail(error);
    }
  }

  /** For good; gives what is thrown from now on. Without a CANCEL the module would refuse the next download. */
  async #fail(error: unknown): Promise<unknown> {
    // A `cancel` has come first.
    if (this.#failure) return this.#failure.error;
    this.#failure = { error };
    if (!isSakuraError(error, "CLOSED") && !isSakuraError(error, "PORT_LOST")) await this.#link.abandon();
    return error;
  }

  #tell(): void {
    const { progress } = this;
    if (progress.received === this.#told) return;
    this.#told = progress.received;
    this.#onProgress?.(progress);
  }
}

function changed(given: number): SakuraError {
  return new SakuraError(
    "DAMAGED_ANSWER",
    `the file was replaced by another one after ${given} bytes of it had been given: download it again`,
    { context: { given, reason: "changed" } },
  );
}

function gaveWrongBytes(given: number): SakuraError {
  return new SakuraError(
    "DAMAGED_ANSWER",
    "some of the bytes given proved wrong later: bytes() of the same download gives them right",
    { context: { given, reason: "crc32" } },
  );
}

function checkInteger(what: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw new SakuraError("INVALID_ARGUMENT", `${what}: an integer from ${low} to ${high}, not ${value}`);
}
