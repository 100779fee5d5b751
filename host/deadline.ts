/** A time limit that is set anew for every command without a new timer for every command. */
import type { Clock } from "../protocol/bus.ts";

/**
 * One limit, set and cleared at will. Its timer is left running when the limit moves later or is cleared, and looks
 * when it fires whether there is anything to do: thousands of commands a second share one timer.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #reached: () => void;
  #limit = Number.POSITIVE_INFINITY;
  #timerAt = Number.POSITIVE_INFINITY;
  #cancelTimer: () => void = () => undefined;

  constructor(clock: Clock, reached: () => void) {
    this.#clock = clock;
    this.#reached = reached;
  }

  /** Replaces the limit by one `ms` from now. */
  set(ms: number): void {
    this.#limit = this.#clock.now() + ms;
    if (this.#limit < this.#timerAt) this.#arm(ms);
  }

  clear(): void {
    this.#limit = Number.POSITIVE_INFINITY;
  }

  /** Clears the limit and lets go of the timer. */
  stop(): void {
    this.clear();
    this.#cancelTimer();
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #arm(ms: number): void {
    this.#cancelTimer();
    this.#timerAt = this.#limit;
    this.#cancelTimer = this.#clock.after(ms, () => this.#fired());
  }

  #fired(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    if (this.#limit === Number.POSITIVE_INFINITY) return;
    const left = this.#limit - this.#clock.now();
    if (left > 0) {
      this.#arm(left);
      return;
    }
    this.clear();
    this.#reached();
  }
}
