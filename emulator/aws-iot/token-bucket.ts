/** So much a second, and a second's worth at once after a rest: how AWS measures its rates. */
import type { Clock } from "../../protocol/bus.ts";

export class TokenBucket {
  readonly #clock: Clock;
  readonly #perSecond: () => number;
  #tokens = Number.POSITIVE_INFINITY;
  #at: number;

  /** @param perSecond asked each time, so that it may change; Infinity is no limit */
  constructor(clock: Clock, perSecond: () => number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#at = clock.now();
  }

  /** Takes one, if there is one. */
  tryTake(): boolean {
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Takes as many, whether they are there or not. @returns ms until the debt is paid; 0 without one */
  take(count: number): number {
    this.#refill();
    this.#tokens -= count;
    return this.#msUntil(0);
  }

  /** How many ms until there is one; 0 when there is. */
  msUntilOne(): number {
    this.#refill();
    return this.#msUntil(1);
  }

  #msUntil(tokens: number): number {
    // Never a wait of less than a millisecond: a timer that comes early would come again and again.
    return this.#tokens >= tokens ? 0 : Math.max(1, Math.ceil(((tokens - this.#tokens) * 1_000) / this.#perSecond()));
  }

  #refill(): void {
    const now = this.#clock.now();
    const perSecond = this.#perSecond();
    // A wall's clock may be set back.
    const elapsed = Math.max(0, now - this.#at);
    this.#at = now;
    const grown = perSecond === Number.POSITIVE_INFINITY ? perSecond : this.#tokens + (elapsed * perSecond) / 1_000;
    this.#tokens = Math.min(perSecond, grown);
  }
}
