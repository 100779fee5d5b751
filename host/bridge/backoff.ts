/** When to try again: exponential, with full jitter, so that many bridges do not come back all at once (aws-iot §3). */
import type { Clock } from "../../protocol/bus.ts";

export interface BackoffOptions {
  /** The least wait in ms; the first wait is between this and twice this. */
  readonly minMs: number;
  /** The longest wait in ms. */
  readonly maxMs: number;
  /** 0 ≤ n < 1; default Math.random. */
  readonly random?: (() => number) | undefined;
}

/** AWS takes one CONNECT a second from a client id, so even the luckiest throw waits 1 s. */
export const SERVICE_BACKOFF = { minMs: 1_000, maxMs: 120_000 } as const;

export class Backoff {
  readonly #min: number;
  readonly #max: number;
  readonly #random: () => number;
  #failures = 0;

  constructor({ minMs, maxMs, random = Math.random }: BackoffOptions) {
    this.#min = minMs;
    this.#max = maxMs;
    this.#random = random;
  }

  /** Failures since the last reset. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts one more failure, and says how long to wait: anything from the least to a bound that doubles each time. */
  fail(): number {
    this.#failures++;
    const bound = Math.min(this.#max, this.#min * 2 ** this.#failures);
    return Math.round(this.#min + this.#random() * (bound - this.#min));
  }

  reset(): void {
    this.#failures = 0;
  }
}

/** Whether the work ended, well or badly, within `ms`. Its failure is its owner's. */
export function endsWithin(clock: Clock, ms: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, () => resolve(false));
    const ended = (): void => {
      cancel();
      resolve(true);
    };
    work.then(ended, ended);
  });
}
