/** Time for the emulated module: the wall's, or a test's own. */
import type { Clock } from "../protocol/bus.ts";

/** The wall's clock. A pending wait keeps the process alive. */
export const realClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** Time that stands still until it is told to go on, so that no test has to sleep. */
export class VirtualClock implements Clock {
  #now: number;
  /** How far the wall's time has been set. */
  #set = 0;
  #sequence = 0;
  #waits: { readonly due: number; readonly sequence: number; readonly run: () => void }[] = [];

  /** @param startMs Unix time in ms at which it begins */
  constructor(startMs = Date.UTC(2017, 3, 1, 4, 51, 10)) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now + this.#set;
  }

  monotonic(): number {
    return this.#now;
  }

  /** Sets the wall's time by `ms`, forward or back, as an operator or the network does: no wait notices. */
  setWall(ms: number): void {
    this.#set += ms;
  }

  /** Waits that have not run yet. */
  get pending(): number {
    return this.#waits.length;
  }

  after(ms: number, run: () => void): () => void {
    const wait = { due: this.#now + Math.max(0, ms), sequence: this.#sequence++, run };
    this.#waits.push(wait);
    this.#waits.sort((a, b) => a.due - b.due || a.sequence - b.sequence);
    return () => {
      this.#waits = this.#waits.filter((other) => other !== wait);
    };
  }

  /**
   * Goes on by `ms`, running what falls due in order, each at its own time. Between two waits, and at the end, promises
   * that have settled run first, so that code which awaits between its waits is carried along.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#waits[0]; next && next.due <= end; next = this.#waits[0]) {
      this.#waits.shift();
      this.#now = next.due;
      next.run();
      await settle();
    }
    this.#now = end;
  }

  /** Goes to this time at once, without awaiting anything in between: for a caller that is itself a clock. */
  advanceTo(epochMs: number): void {
    const end = epochMs - this.#set;
    for (let next = this.#waits[0]; next && next.due <= end; next = this.#waits[0]) {
      this.#waits.shift();
      this.#now = next.due;
      next.run();
    }
    this.#now = Math.max(this.#now, end);
  }
}

/** Lets settled promises run, and the promises that those settle. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
