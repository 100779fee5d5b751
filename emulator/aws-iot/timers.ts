/** The pending waits of one thing, to be called off together. */
import type { Clock } from "../../protocol/bus.ts";

export class Timers {
  readonly #clock: Clock;
  readonly #cancellations = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  after(ms: number, run: () => void): void {
    const cancel = this.#clock.after(ms, () => {
      this.#cancellations.delete(cancel);
      run();
    });
    this.#cancellations.add(cancel);
  }

  cancelAll(): void {
    for (const cancel of this.#cancellations) cancel();
    this.#cancellations.clear();
  }
}
