/** The module's file commands, carried through a bad line, a busy module and a port that goes and comes back. */
import type { Clock } from "../protocol/bus.ts";
import type { RequestOf, ResponseOf } from "../protocol/commands.ts";
import { isSakuraError, reasonOf, SakuraError } from "../protocol/errors.ts";
import { monotonicMs, pause } from "./clock.ts";
import type { Connection } from "./connection.ts";
import type { CommandOptions } from "./job.ts";
import type { ModuleMethods } from "./module-methods.ts";
import { isRefusal } from "./outcome.ts";

export type FileModule = Pick<
  ModuleMethods,
  "startFileDownload" | "getFileMetadata" | "getFileDownloadStatus" | "cancelFileDownload" | "getFileData"
>;

/** What a file is: its size in bytes, its time in Unix ms, its CRC-32 (as zlib's). */
export interface FileMetadata {
  readonly size: number;
  readonly timestamp: bigint;
  readonly crc32: number;
}

export interface FileLinkLimits {
  readonly metadataTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly portTimeoutMs: number;
}

/** What became of asking for a part. */
export type PartOutcome =
  | { readonly kind: "part"; readonly bytes: Uint8Array }
  /** The module did not hand one out. */
  | { readonly kind: "not-asked" }
  /** It may have handed one out. */
  | { readonly kind: "unknown" };

/** Drivers wait that long between CANCEL and START (§2). */
const AFTER_CANCEL_MS = 1000;
/** Each of them after a CANCEL, because a download was under way or because nobody knows. */
const STARTS_MAX = 10;
const METADATA_POLL_MS = 100;
const AGAIN_MS = 50;
/** For the CANCEL of a download that is given up. */
const LAST_COMMAND_MS = 1500;
const LAST_TRY_MS = 400;

export class FileLink {
  readonly #module: FileModule;
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #limits: FileLinkLimits;
  readonly #signal: AbortSignal | undefined;
  /** A module that has never answered is not waited for. */
  #answered = false;
  #progressAt: number;

  constructor(
    module: FileModule,
    connection: Connection,
    clock: Clock,
    limits: FileLinkLimits,
    signal: AbortSignal | undefined,
  ) {
    this.#module = module;
    this.#connection = connection;
    this.#clock = clock;
    this.#limits = limits;
    this.#signal = signal;
    this.#progressAt = monotonicMs(clock);
  }

  /** The download goes on: the time limit for standing still begins anew. */
  progress(): void {
    this.#progressAt = monotonicMs(this.#clock);
  }

  /**
   * Starts the download, and waits for what the file is. One that is under way already is cancelled.
   * @param again the file was there before: a server or a module that cannot now is asked until it can
   * @throws SakuraError MODULE_REFUSED with context.status for a file that cannot be had; TIMEOUT
   */
  async begin(file: RequestOf<"START_FILE_DOWNLOAD">, again: boolean): Promise<FileMetadata> {
    for (;;) {
      await this.#start(file);
      const metadata = await this.#metadata(file);
      if (metadata?.status === "ok") {
        const { size, timestamp, crc32 } = metadata;
        return { size, timestamp, crc32 };
      }
      if (metadata && !(again && (metadata.status === "error" || metadata.status === "server-error"))) {
        throw refusedFile(file, metadata.status);
      }
      this.#checkIdle(metadata && refusedFile(file, metadata.status));
      await this.cancel();
      await this.wait(AFTER_CANCEL_MS);
    }
  }

  async part(maxBytes: number): Promise<PartOutcome> {
    try {
      return { kind: "part", bytes: await this.#once((options) => this.#module.getFileData(maxBytes, options)) };
    } catch (error) {
      // No download is under way: the status tells more.
      if (isRefusal(error, "RUNTIME") || isSakuraError(error, "OUTCOME_UNKNOWN")) return { kind: "unknown" };
      await this.#bear(error);
      return { kind: isSakuraError(error, "MODULE_REFUSED") ? "not-asked" : "unknown" };
    }
  }

  status(): Promise<ResponseOf<"GET_FILE_DOWNLOAD_STATUS">> {
    return this.#persist((options) => this.#module.getFileDownloadStatus(options));
  }

  /** Also where none is under way. */
  async cancel(): Promise<void> {
    await this.#persist(async (options) => {
      try {
        await this.#module.cancelFileDownload(options);
      } catch (error) {
        if (!isRefusal(error, "RUNTIME")) throw error;
      }
    });
  }

  /** Cancels a download that is given up, as well as that can be done soon. */
  async abandon(): Promise<void> {
    if (!this.#answered || this.#connection.state.kind !== "open") return;
    const late = new AbortController();
    const stop = this.#clock.after(LAST_COMMAND_MS, () => late.abort());
    try {
      await this.#module.cancelFileDownload({ signal: late.signal, timeoutMs: LAST_TRY_MS });
    } catch (error) {
      // Why the download is given up is what its caller is told; the next START cancels this one.
      if (!isSakuraError(error)) throw error;
    } finally {
      stop();
    }
  }

  /** @throws SakuraError ABORTED; TIMEOUT when the download has been standing still for too long */
  async wait(ms: number): Promise<void> {
    this.#checkIdle(undefined);
    await pause(this.#clock, ms, this.#signal);
    this.checkSignal();
  }

  checkSignal(): void {
    if (!this.#signal?.aborted) return;
    throw new SakuraError("ABORTED", "the download was given up", { cause: this.#signal.reason });
  }

  async #start(file: RequestOf<"START_FILE_DOWNLOAD">): Promise<void> {
    for (let starts = 1; ; ) {
      try {
        await this.#once((options) => this.#module.startFileDownload(file, options));
        return;
      } catch (error) {
        if (isRefusal(error, "RUNTIME") || isSakuraError(error, "OUTCOME_UNKNOWN")) {
          if (++starts > STARTS_MAX) throw error;
          await this.cancel();
          await this.wait(AFTER_CANCEL_MS);
        } else {
          await this.#bear(error);
        }
      }
    }
  }

  /** The same twice, for damage can pass the parity. Nothing when no download is under way any more. */
  async #metadata(file: number): Promise<ResponseOf<"GET_FILE_METADATA"> | undefined> {
    const end = monotonicMs(this.#clock) + this.#limits.metadataTimeoutMs;
    let before: ResponseOf<"GET_FILE_METADATA"> | undefined;
    for (;;) {
      try {
        const metadata = await this.#once((options) => this.#module.getFileMetadata(options));
        if (before && metadata.status === before.status && isSameFile(metadata, before)) return metadata;
        before = metadata;
      } catch (error) {
        if (isRefusal(error, "RUNTIME") && (await this.status()).status === "none") return undefined;
        // Whatever the refusal, it is not there yet (§2).
        if (!isSakuraError(error, "MODULE_REFUSED")) await this.#bear(error);
        if (monotonicMs(this.#clock) >= end) throw noMetadata(file, this.#limits.metadataTimeoutMs, error);
        await pause(this.#clock, METADATA_POLL_MS, this.#signal);
        this.checkSignal();
      }
    }
  }

  async #once<T>(command: (options: CommandOptions) => Promise<T>): Promise<T> {
    const answer = await command({ signal: this.#signal });
    this.#answered = true;
    return answer;
  }

  async #persist<T>(command: (options: CommandOptions) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await this.#once(command);
      } catch (error) {
        await this.#bear(error);
      }
    }
  }

  /** Waits until it makes sense to try again. @throws the error when it does not, or TIMEOUT */
  async #bear(error: unknown): Promise<void> {
    this.checkSignal();
    if (!isSakuraError(error)) throw error;
    switch (error.code) {
      case "PORT_LOST":
        if (!this.#connection.reopens) throw error;
        await this.#connection.whenOpen({ timeoutMs: this.#limits.portTimeoutMs, signal: this.#signal });
        this.progress();
        return;
      case "NO_ANSWER":
      case "DAMAGED_ANSWER":
      case "INVALID_PAYLOAD":
      case "MODULE_REFUSED":
        if (!this.#answered) throw error;
        this.#checkIdle(error);
        await pause(this.#clock, AGAIN_MS, this.#signal);
        this.checkSignal();
        return;
      default:
        throw error;
    }
  }

  #checkIdle(cause: unknown): void {
    const { idleTimeoutMs } = this.#limits;
    if (monotonicMs(this.#clock) - this.#progressAt < idleTimeoutMs) return;
    const why = cause === undefined ? "no more of it comes" : reasonOf(cause);
    throw new SakuraError("TIMEOUT", `the download has stood still for ${idleTimeoutMs} ms: ${why}`, {
      context: { timeoutMs: idleTimeoutMs },
      cause,
    });
  }
}

export function isSameFile(a: FileMetadata, b: FileMetadata): boolean {
  return a.size === b.size && a.timestamp === b.timestamp && a.crc32 === b.crc32;
}

const reasons: Readonly<Record<string, string>> = {
  error: "it cannot ask the platform: check that it is online",
  "invalid-request": "the platform takes the request for a wrong one",
  "not-found": "the platform has no such file: check the number, and the project's files in the control panel",
  "server-error": "the platform's server failed: try again later",
  "invalid-data": "what the platform has there is no valid file: upload it again",
};

function refusedFile(file: number, status: string): SakuraError {
  const reason = reasons[status] ?? `it says ${status}`;
  return new SakuraError("MODULE_REFUSED", `the module cannot download file ${file}: ${reason}`, {
    context: { command: "GET_FILE_METADATA", status, file },
  });
}

function noMetadata(file: number, timeoutMs: number, cause: unknown): SakuraError {
  return new SakuraError(
    "TIMEOUT",
    `the module has not learned in ${timeoutMs} ms what file ${file} is: check that it is online, then try again`,
    { context: { file, timeoutMs }, cause },
  );
}
