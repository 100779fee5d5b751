/** The built command line as users run it: a process of its own, its JSON lines read as they come. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../dist/host/cli/main.js", import.meta.url));

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A line of `--json` output. */
export type Line = { readonly event: string } & Readonly<Record<string, unknown>>;

/** A running `sakuraio`. Every wait ends: with what was waited for, or when the process does. */
export class Running {
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves when the process has ended and its output has been read. */
  readonly exited: Promise<Exit>;
  readonly lines: Line[] = [];
  #stdout = "";
  #stderr = "";
  #read = 0;
  #ended = false;
  #wake: (() => void)[] = [];

  constructor(args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
    this.child = spawn(process.execPath, [MAIN, ...args], options);
    let held = "";
    this.child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      this.#stdout += chunk;
      const parts = (held + chunk).split("\n");
      held = parts.pop() ?? "";
      if (args.includes("--json")) for (const part of parts) this.lines.push(JSON.parse(part) as Line);
      this.#wakeAll();
    });
    this.child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      this.#stderr += chunk;
    });
    this.exited = new Promise((resolve) => {
      this.child.on("close", (code, signal) => {
        this.#ended = true;
        this.#wakeAll();
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The next line with this event that has not been given yet; lines before it are passed over. */
  async next(event: string, accept: (line: Line) => boolean = () => true): Promise<Line> {
    for (;;) {
      for (; this.#read < this.lines.length; this.#read++) {
        const line = this.lines[this.#read];
        if (line?.event === event && accept(line)) {
          this.#read++;
          return line;
        }
      }
      if (this.#ended) throw new Error(`ended before "${event}":\n${this.#stdout}\n${this.#stderr}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** Resolves once stdout matches. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#stdout);
      if (match) return match;
      if (this.#ended) throw new Error(`ended before ${pattern}:\n${this.#stdout}\n${this.#stderr}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  say(line: string): void {
    this.child.stdin.write(`${line}\n`);
  }

  stop(signal: NodeJS.Signals = "SIGINT"): Promise<Exit> {
    this.child.kill(signal);
    return this.exited;
  }

  #wakeAll(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }
}

/** Runs it to its end. */
export function sakuraio(...args: readonly string[]): Promise<Exit> {
  return new Running(args).exited;
}
