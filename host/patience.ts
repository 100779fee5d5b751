/** Waiting for a module that restarts or updates: it may be silent meanwhile, and its port may go and come back. */
import type { Clock } from "../protocol/bus.ts";
import { isSakuraError, SakuraError } from "../protocol/errors.ts";
import { monotonicMs, pause } from "./clock.ts";
import type { Connection } from "./connection.ts";
import type { CommandOptions } from "./job.ts";
import { isRefusal } from "./outcome.ts";

export interface PatienceOptions {
  readonly clock: Clock;
  readonly connection: Connection;
  /** For all of it, in ms. */
  readonly timeoutMs: number;
  /** Between two looks, in ms. */
  readonly pollMs: number;
  readonly signal?: AbortSignal | undefined;
}

const AGREE_TRIES = 5;

/** The limits of one such wait, which may have several parts. */
export class Patience {
  readonly #options: PatienceOptions;
  readonly #start: number;

  constructor(options: PatienceOptions) {
    this.#options = options;
    this.#start = monotonicMs(options.clock);
  }

  get elapsedMs(): number {
    return Math.round(monotonicMs(this.#options.clock) - this.#start);
  }

  get over(): boolean {
    return this.elapsedMs >= this.#options.timeoutMs;
  }

  /** For each command of the wait: silence is an answer here, so it is tried once more at most. */
  get command(): CommandOptions {
    return { signal: this.#options.signal, retries: 1 };
  }

  /**
   * Asks once. Nothing comes back when the module is silent or busy, or when the port is gone and will be back.
   * @throws SakuraError ABORTED, PORT_LOST for a port that is not opened again, CLOSED, and refusals other than BUSY
   */
  async ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    try {
      return await question();
    } catch (error) {
      if (!this.#passes(error)) throw error;
      return undefined;
    }
  }

  /**
   * As {@link ask}, until two answers in a row are the same: what much depends on, and a single byte of parity guards.
   * @param text what is compared
   */
  async askTwice<T>(question: () => Promise<T>, text: (answer: T) => string): Promise<T | undefined> {
    let before = await this.ask(question);
    for (let again = 1; before !== undefined && again < AGREE_TRIES; again++) {
      const now = await this.ask(question);
      if (now !== undefined && text(now) === text(before)) return now;
      before = now;
    }
    return undefined;
  }

  /** @throws SakuraError ABORTED */
  async pause(): Promise<void> {
    const { clock, pollMs, signal } = this.#options;
    await pause(clock, pollMs, signal);
    if (signal?.aborted) throw new SakuraError("ABORTED", "the waiting was given up", { cause: signal.reason });
  }

  #passes(error: unknown): boolean {
    if (isSakuraError(error, "PORT_LOST")) return this.#options.connection.reopens;
    const passing = ["NO_ANSWER", "DAMAGED_ANSWER", "INVALID_PAYLOAD", "OUTCOME_UNKNOWN"];
    return (
      isRefusal(error, "BUSY") || isRefusal(error, "PARITY") || (isSakuraError(error) && passing.includes(error.code))
    );
  }
}
