/** The built command line at a terminal: a process on a pseudo-terminal, keys pressed, and what the screen then shows. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import xterm from "@xterm/headless";
import { openPty, type PtyEndpoint } from "../../emulator/bus/pty.ts";

const MAIN = fileURLToPath(new URL("../../dist/host/cli/main.js", import.meta.url));
/** Far longer than anything here takes, so that a missing text is told with the screen before the test's own end. */
const PATIENCE_MS = 15_000;
/** The last thing on the pseudo-terminal, written by us once the process has ended: an OSC that no program uses. */
const END = "\u001b]7777;end\u0007";
const END_CODE = 7777;

const KEYS = {
  enter: "\r",
  tab: "\t",
  up: "\u001b[A",
  down: "\u001b[B",
  left: "\u001b[D",
  right: "\u001b[C",
  home: "\u001b[H",
  backspace: "\u007f",
  "ctrl-a": "\u0001",
  "ctrl-c": "\u0003",
  "ctrl-d": "\u0004",
  "ctrl-r": "\u0012",
  "ctrl-u": "\u0015",
} as const;

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  /** Without, the terminal says 0 by 0, as a serial console does that knows nothing of its window. */
  readonly tellsSize?: boolean;
  /** Added to the environment; what is undefined is taken out of it. The reader's wishes for colours are not in it. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Linux: the terminal is made the process's own by `setsid`, so that Ctrl+C and a new size reach it as signals. */
export class Terminal {
  readonly child: ChildProcess;
  /** The exit code, once all that was printed is on the screen; a signal's name where one ended it. */
  readonly exited: Promise<number | NodeJS.Signals | null>;
  readonly #pty: PtyEndpoint;
  readonly #screen: InstanceType<typeof xterm.Terminal>;
  #output = "";
  #ended = false;
  #wake: (() => void)[] = [];

  /** @param args of `sakuraio` */
  static run(args: readonly string[], options: TerminalOptions = {}): Promise<Terminal> {
    return Terminal.runProgram([process.execPath, MAIN, ...args], options);
  }

  /** `sakuraio` with the output of its stdout through `cat`, so that this alone is no terminal. */
  static runPiped(args: readonly string[], options: TerminalOptions = {}): Promise<Terminal> {
    return Terminal.runProgram(["sh", "-c", '"$@" | cat', "sh", process.execPath, MAIN, ...args], options);
  }

  static async runProgram(command: readonly string[], options: TerminalOptions = {}): Promise<Terminal> {
    const { columns = 80, rows = 24, tellsSize = true } = options;
    const pty = await openPty();
    const size = tellsSize ? ["rows", `${rows}`, "cols", `${columns}`] : ["rows", "0", "cols", "0"];
    // As a terminal window gives it to a program: lines, echo, Ctrl+C. Our own pseudo-terminals start raw.
    execFileSync("stty", ["-F", pty.device, "sane", ...size]);
    return new Terminal(pty, command, { ...options, columns, rows, tellsSize });
  }

  private constructor(
    pty: PtyEndpoint,
    command: readonly string[],
    options: Required<Omit<TerminalOptions, "env">> & TerminalOptions,
  ) {
    this.#pty = pty;
    this.#screen = new xterm.Terminal({ cols: options.columns, rows: options.rows, allowProposedApi: true });
    // A terminal answers some questions, such as where the cursor is.
    this.#screen.onData((text) => this.type(text));
    const device = openSync(pty.device, constants.O_RDWR | constants.O_NOCTTY);
    const ours = {
      NO_COLOR: undefined,
      FORCE_COLOR: undefined,
      NODE_DISABLE_COLORS: undefined,
      TERM: "xterm-256color",
    };
    const env = { ...process.env, ...ours, ...options.env };
    this.child = spawn("setsid", ["--ctty", ...command], { stdio: [device, device, device], env });
    this.exited = this.#untilEnd(device);
    pty.duplex.onBytes((bytes) => {
      this.#output += Buffer.from(bytes).toString("latin1");
      this.#screen.write(bytes, () => this.#wakeAll());
    });
  }

  /** Types the text; `\r` is Enter. */
  type(text: string): void {
    this.#pty.duplex.write(new TextEncoder().encode(text));
  }

  press(...keys: readonly (keyof typeof KEYS)[]): void {
    for (const key of keys) this.type(KEYS[key]);
  }

  /** The rows from the top of the window, without the blanks at their ends. */
  screen(): string[] {
    const buffer = this.#screen.buffer.active;
    return Array.from({ length: this.#screen.rows }, (_, row) => lineOf(buffer, buffer.baseY + row));
  }

  /** Every row that there is, also those that have scrolled out of the window. */
  history(): string[] {
    const buffer = this.#screen.buffer.active;
    return Array.from({ length: buffer.baseY + this.#screen.rows }, (_, row) => lineOf(buffer, row));
  }

  /** The rows that go on with the one above, because it was too long for the window. */
  wrapped(): string[] {
    const buffer = this.#screen.buffer.active;
    return this.history().filter((_, row) => buffer.getLine(row)?.isWrapped === true);
  }

  /** The bytes as they were printed, controls and all; Latin-1. */
  get output(): string {
    return this.#output;
  }

  /** Where the next character would be shown, from 0. */
  get cursor(): { readonly row: number; readonly column: number } {
    const { cursorX, cursorY } = this.#screen.buffer.active;
    return { row: cursorY, column: cursorX };
  }

  /**
   * Resolves once the window shows it. Rejects with the screen when the process has ended without, or after 15 s.
   * @param wanted a text within one row, or a pattern over the rows joined by newlines
   */
  shows(wanted: string | RegExp): Promise<void> {
    return this.until(`${wanted}`, () => {
      const shown = this.screen().join("\n");
      return typeof wanted === "string" ? shown.includes(wanted) : wanted.test(shown);
    });
  }

  /** Resolves once it holds, asked whenever the screen has changed. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!holds()) {
      const left = deadline - performance.now();
      if (this.#ended || left <= 0)
        throw new Error(`${this.#ended ? "ended" : "waited"} without ${what}:\n${this.#picture()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** As when the window's corner is dragged: the process is told by SIGWINCH. */
  resize(columns: number, rows: number): void {
    this.#screen.resize(columns, rows);
    execFileSync("stty", ["-F", this.#pty.device, "rows", `${rows}`, "cols", `${columns}`]);
  }

  /** How the terminal's line is set: `isig icanon echo` where a program has left it as it was. */
  settings(): string {
    return execFileSync("stty", ["-F", this.#pty.device, "-a"], { encoding: "utf8" });
  }

  /** Ends the process if it still runs, and closes the terminal. */
  async close(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
    await this.#pty.close();
    this.#screen.dispose();
  }

  async #untilEnd(device: number): Promise<number | NodeJS.Signals | null> {
    const read = new Promise<void>((resolve) => {
      this.#screen.parser.registerOscHandler(END_CODE, () => {
        resolve();
        return true;
      });
    });
    try {
      return await new Promise((resolve, reject) => {
        this.child.once("error", reject);
        this.child.once("exit", (code, signal) => resolve(code ?? signal));
      });
    } finally {
      // What the process printed stands before this one.
      writeSync(device, END);
      closeSync(device);
      await read;
      this.#ended = true;
      this.#wakeAll();
    }
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  #picture(): string {
    const rule = "-".repeat(this.#screen.cols);
    return [rule, ...this.screen(), rule].join("\n");
  }
}

interface Rows {
  getLine(row: number): { translateToString(): string } | undefined;
}

function lineOf(buffer: Rows, row: number): string {
  // Blanks that a program has written count as much as those it has not.
  return buffer.getLine(row)?.translateToString().trimEnd() ?? "";
}
