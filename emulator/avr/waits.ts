/** Waiting in simulated time: whoever waits has a deadline in CPU cycles, and is told when it passes. */

interface Wait {
  /** Looks whether what was waited for is there, and settles the wait when it is. */
  readonly look: () => boolean;
  readonly deadline: number;
  readonly expire: () => void;
  readonly fail: (reason: unknown) => void;
}

export class Waits {
  #waits: Wait[] = [];

  get size(): number {
    return this.#waits.length;
  }

  /** The cycle at which the first of them gives up. */
  get deadline(): number {
    return this.#waits.reduce((first, { deadline }) => Math.min(first, deadline), Number.POSITIVE_INFINITY);
  }

  /**
   * Resolves with the first value that `find` gives. At the deadline it resolves, or rejects, with what `expired` gives
   * or throws.
   */
  add<T>(find: () => T | undefined, deadline: number, expired: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waits.push({
        look() {
          const found = find();
          if (found === undefined) return false;
          resolve(found);
          return true;
        },
        deadline,
        expire() {
          try {
            resolve(expired());
          } catch (error) {
            reject(error);
          }
        },
        fail: reject,
      });
    });
  }

  /** Settles those that have what they wait for, or have waited long enough. Returns whether there were any. */
  settle(cycle: number): boolean {
    const before = this.#waits.length;
    this.#waits = this.#waits.filter((wait) => {
      if (wait.look()) return false;
      if (cycle < wait.deadline) return true;
      wait.expire();
      return false;
    });
    return this.#waits.length < before;
  }

  /** Rejects all of them. */
  failAll(reason: unknown): void {
    for (const wait of this.#waits.splice(0)) wait.fail(reason);
  }
}
