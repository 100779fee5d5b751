/** What a check of the doctor found, and what all findings come to. */

/** `problem`: it does not work; `warning`: it works, and something should be known; `skipped`: it was not looked at. */
export type FindingVerdict = "ok" | "warning" | "problem" | "skipped";

export interface Finding {
  /** Which check: one of `PORT_CHECKS` or `BRIDGE_CHECKS`. */
  readonly check: string;
  /** Which service or module of a bridge's file it is about, such as `module u0123456789b`. */
  readonly subject?: string;
  readonly verdict: FindingVerdict;
  /** What was seen, or why it was skipped: one sentence without a full stop. */
  readonly seen: string;
  /** What to do, the first thing first. Empty where nothing has to be done. */
  readonly advice: readonly string[];
  /** The same for programs. Times in ms. */
  readonly facts: FindingFacts;
}

export type FindingFacts = Readonly<Record<string, string | number | boolean | undefined>>;

type Rest = Partial<Pick<Finding, "advice" | "facts">>;

export function ok(check: string, seen: string, { advice = [], facts = {} }: Rest = {}): Finding {
  return { check, verdict: "ok", seen, advice, facts };
}

export function warning(check: string, seen: string, { advice = [], facts = {} }: Rest = {}): Finding {
  return { check, verdict: "warning", seen, advice, facts };
}

export function problem(check: string, seen: string, { advice = [], facts = {} }: Rest = {}): Finding {
  return { check, verdict: "problem", seen, advice, facts };
}

/** @param advice where nobody can tell whether it works before that is done */
export function skipped(
  check: string,
  reason: string,
  facts: FindingFacts = {},
  advice: readonly string[] = [],
): Finding {
  return { check, verdict: "skipped", seen: reason, advice, facts };
}

/** What it all comes to. */
export interface Diagnosis {
  /** `unknown`: nothing is wrong so far, and what matters was not looked at. */
  readonly outcome: "well" | "works-but" | "unknown" | "stops";
  /** The first check that is a problem, or else that has to be made yet, or is a warning; nothing when all is well. */
  readonly first: Finding | undefined;
  /** One line for people. */
  readonly text: string;
}

/** The findings of one examination in one verdict. */
export function diagnose(findings: readonly Finding[]): Diagnosis {
  const stop = findings.find(({ verdict }) => verdict === "problem");
  if (stop) {
    const [todo] = stop.advice;
    // Without advice what was seen says it.
    const rest = todo === undefined ? `: ${stop.seen}` : `. Do this first: ${todo}`;
    return { outcome: "stops", first: stop, text: `It stops at "${nameOf(stop)}"${rest}` };
  }
  const open = findings.find(({ verdict, advice }) => verdict === "skipped" && advice.length > 0);
  if (open) {
    const text = `Not known yet whether it works: "${nameOf(open)}" was not checked. Do this first: ${open.advice[0]}`;
    return { outcome: "unknown", first: open, text };
  }
  const warnings = findings.filter(({ verdict }) => verdict === "warning");
  const [first, ...more] = warnings;
  if (!first) return { outcome: "well", first: undefined, text: wellText(findings) };
  const others = more.length === 0 ? "" : ` (also look at: ${more.map(nameOf).join(", ")})`;
  return { outcome: "works-but", first, text: `It works, but ${first.seen}${others}` };
}

/** What was not looked at is not said to be well. */
function wellText(findings: readonly Finding[]): string {
  const left = new Set(findings.filter(({ verdict }) => verdict === "skipped").map(({ check }) => check));
  return left.size === 0 ? "All is well." : `All that was checked is well. Not checked: ${[...left].join(", ")}`;
}

function nameOf({ check, subject }: Finding): string {
  return subject === undefined ? check : `${subject}: ${check}`;
}
