/** What a firmware version can do. */

/** What came with which version (§2). */
const features = [{ feature: "power-save", since: "1.4.0" }] as const;

export interface MissingFeature {
  readonly feature: (typeof features)[number]["feature"];
  /** The first version that has it, such as `1.4.0`. */
  readonly since: string;
}

/**
 * What a module with this firmware lacks.
 * @param version as GET_FIRMWARE_VERSION answers it, such as `v1.1.2-170223-7e6ce64`; one in another form lacks nothing
 */
export function missingFeatures(version: string): readonly MissingFeature[] {
  const own = numbersOf(version);
  return own ? features.filter(({ since }) => compare(own, numbersOf(since) ?? []) < 0) : [];
}

function numbersOf(version: string): readonly number[] | undefined {
  const match = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(version);
  return match ? match.slice(1).map((digits = "0") => Number(digits)) : undefined;
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < 3; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
