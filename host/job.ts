/** One command on its way to a module, and the limits that hold for it. */
import type { Clock } from "../protocol/bus.ts";
import type { Repeat } from "../protocol/commands.ts";
import { SakuraError } from "../protocol/errors.ts";

/** A command as the queue sees it. */
export interface QueuedCommand<T> {
  /** For messages. */
  readonly name: string;
  readonly repeat: Repeat;
  readonly request: Uint8Array;
  /** @throws SakuraError as `decodeResponse` */
  readonly decode: (answer: Uint8Array) => T;
}

export interface CommandOptions {
  /** Gives the command up. One that waits leaves the queue at once. */
  readonly signal?: AbortSignal | undefined;
  /** For each try, in ms, 1 to 600000; the time on the wire comes on top. */
  readonly timeoutMs?: number | undefined;
  /** How often a try without a good answer is followed by another, 0 to 100, where the command may be repeated. */
  readonly retries?: number | undefined;
}

export interface QueueDefaults {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly retries: number;
}

const TIMEOUT_MS_MAX = 600_000;
const RETRIES_MAX = 100;

/** A command on its way, with the limits that hold for it. */
export class Job {
  readonly command: Pick<QueuedCommand<unknown>, "name" | "repeat" | "request">;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly signal: AbortSignal | undefined;
  /** Resolves the caller's promise. Throws what is wrong with the answer. */
  readonly take: (answer: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
  /** Since when it has been waiting for a lost port: Unix ms. */
  waitsSince: number | undefined;
  #onAbort: (() => void) | undefined;

  constructor(
    command: Job["command"],
    options: CommandOptions,
    defaults: QueueDefaults,
    take: (answer: Uint8Array) => void,
    reject: (error: unknown) => void,
  ) {
    this.command = command;
    this.timeoutMs = options.timeoutMs ?? defaults.timeoutMs;
    this.retries = options.retries ?? defaults.retries;
    this.signal = options.signal;
    this.take = take;
    this.reject = reject;
    checkLimits(this);
  }

  /** Begins to wait for its turn. */
  enter(onAbort: (signal: AbortSignal) => void): void {
    const { signal } = this;
    if (!signal) return;
    this.#onAbort = () => onAbort(signal);
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Its turn has come, or never will. */
  leave(): void {
    if (this.#onAbort) this.signal?.removeEventListener("abort", this.#onAbort);
    this.#onAbort = undefined;
  }
}

/** @throws SakuraError INVALID_ARGUMENT */
export function checkLimits({ timeoutMs, retries }: { readonly timeoutMs: number; readonly retries: number }): void {
  if (!(timeoutMs >= 1 && timeoutMs <= TIMEOUT_MS_MAX)) {
    throw new SakuraError("INVALID_ARGUMENT", `a timeout is 1 to ${TIMEOUT_MS_MAX} ms, not ${timeoutMs}`);
  }
  if (!Number.isInteger(retries) || retries < 0 || retries > RETRIES_MAX) {
    throw new SakuraError("INVALID_ARGUMENT", `retries are an integer from 0 to ${RETRIES_MAX}, not ${retries}`);
  }
}
