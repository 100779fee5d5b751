/** At most so many messages in any one second, as AWS IoT Core allows a connection (aws-iot §3). */

import type { Clock } from "../../protocol/bus.ts";
import { monotonicMs } from "../clock.ts";

/** A second and a little: the network may bring together what was sent apart, and AWS discards what is too much. */
const WINDOW_MS = 1_050;

/** Counts both directions together. */
export class RateLimit {
  readonly #clock: Clock;
  /** When each of the last messages went, oldest at `#next`. */
  readonly #times: number[];
  #next = 0;

  /** @param perSecond a whole number above 0 */
  constructor(perSecond: number, clock: Clock) {
    this.#clock = clock;
    this.#times = new Array<number>(perSecond).fill(Number.NEGATIVE_INFINITY);
  }

  /** How many ms until one more may go; 0 when it may now. */
  wait(): number {
    const oldest = this.#times[this.#next] ?? Number.NEGATIVE_INFINITY;
    // A wall's clock that is set back must not hold messages for longer than the limit can.
    return Math.min(Math.max(0, oldest + WINDOW_MS - monotonicMs(this.#clock)), WINDOW_MS);
  }

  /** One has gone, or come. */
  count(): void {
    this.#times[this.#next] = monotonicMs(this.#clock);
    this.#next = (this.#next + 1) % this.#times.length;
  }
}
