/** How `sakuraio doctor` prints its findings for people. */
import type { Diagnosis, Finding, FindingVerdict } from "../doctor/finding.ts";
import { type Colour, type Paint, painter } from "./colour.ts";

const MARKS: Readonly<Record<FindingVerdict, readonly [mark: string, colour: Colour]>> = {
  ok: ["ok", "green"],
  warning: ["!!", "yellow"],
  problem: ["!!", "red"],
  skipped: ["--", "dim"],
};
const OUTCOMES: Readonly<Record<Diagnosis["outcome"], Colour>> = {
  well: "green",
  "works-but": "yellow",
  unknown: "yellow",
  stops: "red",
};

/** As wide as the longest name of a check, `latency-timer`. */
const NAME_WIDTH = 13;
const INDENT = "    ";
const COLUMNS = 80;
/** Longer lines are hard to read, and shorter ones leave no room beside the names. */
const COLUMNS_MIN = 40;

export class DoctorPaper {
  readonly #paint: Paint;
  readonly #columns: number;
  #subject: string | undefined;
  /** Skipped ones with one reason go on one line. */
  #skipped: Finding[] = [];

  constructor(stdout: { readonly isTTY?: boolean; readonly columns?: number }) {
    this.#paint = painter(stdout);
    // A terminal whose width nobody knows says 0.
    this.#columns = Math.max(COLUMNS_MIN, Math.min(COLUMNS, stdout.columns || COLUMNS));
  }

  /** The lines to print now. */
  finding(finding: Finding): string[] {
    const [before] = this.#skipped;
    const joins = before?.seen === finding.seen && before.subject === finding.subject;
    if (finding.verdict === "skipped" && (before === undefined || joins)) {
      this.#skipped.push(finding);
      return [];
    }
    const lines = this.#takeSkipped();
    if (finding.verdict === "skipped") {
      this.#skipped.push(finding);
      return lines;
    }
    return [...lines, ...this.#lines(finding, finding.check)];
  }

  /** The last lines. */
  verdict({ outcome, text }: Diagnosis): string[] {
    const [first = "", ...more] = wrap(text, this.#columns);
    return [...this.#takeSkipped(), "", ...[first, ...more].map((line) => this.#paint(OUTCOMES[outcome], line))];
  }

  #takeSkipped(): string[] {
    const [first, ...more] = this.#skipped.splice(0);
    if (!first) return [];
    if (more.length === 0) return this.#lines(first, first.check);
    const checks = [first, ...more].map(({ check }) => check).join(", ");
    return this.#lines({ ...first, seen: `${first.seen}: ${checks}` }, "not checked");
  }

  #lines({ verdict, seen, advice, subject }: Finding, name: string): string[] {
    const [mark, colour] = MARKS[verdict];
    const lead = `${mark}  ${name.padEnd(NAME_WIDTH)}  `;
    const [first = "", ...more] = wrap(oneLine(seen), this.#columns - lead.length);
    const quiet = verdict === "skipped";
    const lines = [
      quiet ? this.#paint("dim", `${lead}${first}`) : `${this.#paint(colour, mark)}${lead.slice(mark.length)}${first}`,
      ...more
        .map((line) => `${" ".repeat(lead.length)}${line}`)
        .map((line) => (quiet ? this.#paint("dim", line) : line)),
      ...advice.flatMap((todo) =>
        wrap(oneLine(todo), this.#columns - INDENT.length - 2).map(
          (line, i) => `${INDENT}${i === 0 ? "> " : "  "}${line}`,
        ),
      ),
    ];
    if (subject === this.#subject) return lines;
    this.#subject = subject;
    return subject === undefined ? lines : ["", this.#paint("cyan", subject), ...lines];
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, " ");
}

/** Lines of at most so many characters; a word that is longer than that, such as a path, stays whole. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
