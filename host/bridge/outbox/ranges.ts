/** Whole numbers as ranges, in order: what is done beyond the first that is not. */
export type Range = readonly [from: number, to: number];

export class Ranges {
  #ranges: Range[];

  /** @param ranges in order and apart; `to` is not included */
  constructor(ranges: readonly Range[] = []) {
    this.#ranges = [...ranges];
  }

  get all(): readonly Range[] {
    return this.#ranges;
  }

  has(number: number): boolean {
    return this.countIn(number, number + 1) === 1;
  }

  countIn(from: number, to: number): number {
    let count = 0;
    for (const range of this.#ranges) {
      if (range[0] >= to) break;
      count += Math.max(0, Math.min(to, range[1]) - Math.max(from, range[0]));
    }
    return count;
  }

  /** Adds a range that may touch or overlap others. */
  add(from: number, to: number): void {
    if (from >= to) return;
    const last = this.#ranges.at(-1);
    if (!last || last[1] < from) {
      this.#ranges.push([from, to]);
      return;
    }
    const apart = this.#ranges.filter((range) => range[1] < from || range[0] > to);
    const joined = this.#ranges.filter((range) => !apart.includes(range));
    const start = Math.min(from, ...joined.map((range) => range[0]));
    const end = Math.max(to, ...joined.map((range) => range[1]));
    this.#ranges = [...apart, [start, end] satisfies Range].sort((a, b) => a[0] - b[0]);
  }

  /** Lets go of what lies before. */
  dropBefore(number: number): void {
    while (this.#ranges[0] && this.#ranges[0][1] <= number) this.#ranges.shift();
  }
}
