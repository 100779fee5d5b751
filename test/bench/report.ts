/** What a benchmark found, for people and for scripts. */
import type { Spread } from "./measure.ts";

export interface Row {
  readonly name: string;
  /** The median of the rounds. */
  readonly figure: number;
  readonly unit: string;
  /** Against what stands in `of`, within the same run. */
  readonly ratio?: Spread & { readonly of: string };
  /** How much more than what stands in `of`, round by round, in the figure's unit. */
  readonly over?: Spread & { readonly of: string };
  /** Of what a wire of this speed could carry. */
  readonly wireShare?: number;
  readonly goal?: Goal;
}

export interface Goal {
  readonly words: string;
  readonly reached: boolean;
}

/** The ratio's median has to reach this. */
export function atLeast(ratio: Spread, wanted: number): Goal {
  return { words: `≥ ${percent(wanted)}`, reached: ratio.median >= wanted };
}

/** The ratio's median and the figure have to reach these. */
export function atLeastBoth(ratio: Spread, wanted: number, figure: number, wantedFigure: number): Goal {
  return {
    words: `≥ ${percent(wanted)}, ≥ ${rounded(wantedFigure)}`,
    reached: ratio.median >= wanted && figure >= wantedFigure,
  };
}

/** A line of the table, columns aligned with {@link tableHead}'s. */
export function tableLine(row: Row): string {
  const { name, figure, unit, wireShare, goal } = row;
  const verdict = goal ? (goal.reached ? "yes" : "NO") : "";
  const wire = wireShare === undefined ? "" : `, ${percent(wireShare)} of the wire`;
  return columns(name, `${rounded(figure)} ${unit}${wire}`, compared(row), goal?.words ?? "", verdict);
}

function compared({ ratio, over, unit }: Row): string {
  if (ratio) return `${percent(ratio.median)} (${percent(ratio.min)} to ${percent(ratio.max)}) of ${ratio.of}`;
  if (over) return `+${rounded(over.median)} (${rounded(over.min)} to ${rounded(over.max)}) ${unit} on ${over.of}`;
  return "";
}

export const tableHead = columns("what", "figure (median)", "ratio or difference (min to max)", "goal", "reached");

function columns(name: string, figure: string, ratio: string, goal: string, reached: string): string {
  return `${name.padEnd(39)}  ${figure.padEnd(37)}  ${ratio.padEnd(42)}  ${goal.padEnd(20)}  ${reached}`.trimEnd();
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(Math.abs(ratio) < 2 ? 1 : 0)} %`;
}

/** Three digits or more, thousands apart. */
function rounded(figure: number): string {
  const digits = Math.abs(figure) >= 100 ? 0 : Math.abs(figure) >= 10 ? 1 : 2;
  return figure.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A row that could not be measured here, and why. */
export function leftOut(name: string, why: string): Row {
  return { name: `${name}: left out, ${why}`, figure: Number.NaN, unit: "" };
}

/** The figure may not be above this. */
export function atMost(figure: number, bound: number, words: string): Goal {
  return { words: `≤ ${words} = ${rounded(bound)}`, reached: figure <= bound };
}
