/** Figures that are comparable: the contestants take turns within one run, so that a busy machine is busy for all. */

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const below = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  const above = sorted[Math.floor(middle)] ?? Number.NaN;
  return {
    median: (below + above) / 2,
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
  };
}

/** The value that a share of them does not exceed: 0.99 for the 99th percentile. */
export function percentileOf(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Lets the contestants take turns, A B C A B C, in each of the rounds. Gives each one's results, by round. */
export async function takeTurns<Result>(
  rounds: number,
  contestants: ReadonlyMap<string, () => Result | Promise<Result>>,
): Promise<ReadonlyMap<string, readonly Result[]>> {
  const series = new Map<string, Result[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, measure] of contestants) {
      const results = series.get(name) ?? [];
      series.set(name, results);
      results.push(await measure());
    }
  }
  return series;
}

/** How the figures of one compare to those of the other, round by round. */
export function ratioOf(figures: readonly number[], to: readonly number[]): Spread {
  return spreadOf(figures.map((figure, round) => figure / (to[round] ?? Number.NaN)));
}
