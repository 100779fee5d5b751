/** A terminal's window that is drawn in place, and given back as it was. */
import type { CliIo } from "./io.ts";

type Output = CliIo["stdout"];

/** Another page than the one with what was printed before, so that nothing of it is overwritten. */
const ENTER = "\u001b[?1049h\u001b[?25l\u001b[2J";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const CLEAR_REST = "\u001b[K";

/** How large the window is. A terminal that does not know it says 0, as a serial console does. */
export function windowSize({ columns, rows }: Pick<Output, "columns" | "rows">): { columns: number; rows: number } {
  return { columns: columns || 80, rows: rows || 24 };
}

/** Rows for a window of that size; more are not shown, and longer ones are cut. */
export type Picture = (columns: number, rows: number) => readonly string[];

export class LiveScreen {
  readonly #stdout: Output;
  readonly #picture: Picture;
  #shown: readonly string[] = [];
  #closed = false;

  /** Draws the picture at once, and again whenever the window changes its size. */
  constructor(stdout: Output, picture: Picture) {
    this.#stdout = stdout;
    this.#picture = picture;
    stdout.write(ENTER);
    stdout.on("resize", this.#redraw);
    // Also when the process is ended from elsewhere.
    process.once("exit", this.#leave);
    this.draw();
  }

  /** Writes the rows that are no longer right, all in one piece: nothing flickers. */
  draw(): void {
    if (this.#closed) return;
    const { columns, rows } = windowSize(this.#stdout);
    const wanted = this.#picture(columns, rows).slice(0, rows);
    const lines = Array.from({ length: rows }, (_, row) => (wanted[row] ?? "").slice(0, columns));
    const changes = lines.map((line, row) =>
      // A full row leaves no rest to clear, and the cursor on its last character.
      line === this.#shown[row] ? "" : `\u001b[${row + 1};1H${line}${line.length < columns ? CLEAR_REST : ""}`,
    );
    this.#shown = lines;
    const text = changes.join("");
    if (text !== "") this.#stdout.write(text);
  }

  close(): void {
    this.#stdout.off("resize", this.#redraw);
    process.off("exit", this.#leave);
    this.#leave();
  }

  readonly #redraw = (): void => {
    // What a terminal does to its rows when it changes its size is its own affair.
    this.#stdout.write("\u001b[2J");
    this.#shown = Array.from({ length: windowSize(this.#stdout).rows }, () => "");
    this.draw();
  };

  readonly #leave = (): void => {
    if (this.#closed) return;
    this.#closed = true;
    this.#stdout.write(LEAVE);
  };
}
