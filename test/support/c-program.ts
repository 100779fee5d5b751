/** C compilers, and a running test/firmware/host-check.c: its functions are called from here, and this is its wire. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";

/** The avr-gcc that the checked-in .hex files were built with: Debian 12's. */
export const BUILT_WITH = "5.4.0";

/** Runs a compiler or another tool, with its complaints in the failure. */
export function tool(command: string, args: readonly string[], cwd?: string): string {
  return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** What a C function did: each request that it sent, and what it returned and decoded, as it printed that. */
export interface Called {
  readonly requests: readonly string[];
  readonly result: string;
}

/** The answer to a request, in hex; nothing for a bus that fails. */
export type Wire = (request: string) => string | undefined;

export class CheckProgram {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  #stderr = "";

  constructor(path: string) {
    this.#child = spawn(path);
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#reader = createInterface(this.#child.stdout);
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** Has the C function of a command called with its arguments of this index. */
  async call(name: string, index: number, wire: Wire): Promise<Called> {
    const requests: string[] = [];
    this.#child.stdin.write(`call ${name} ${index}\n`);
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`host-check ended at ${name} ${index}:\n${this.#stderr}`);
      if (value.startsWith("= ")) return { requests, result: value.slice(2) };
      const request = value.slice(2);
      requests.push(request);
      this.#child.stdin.write(`< ${wire(request) ?? "!"}\n`);
    }
  }

  /** Ends it, and gives its exit code and what a sanitizer had to say. */
  async close(): Promise<{ code: number | null; stderr: string }> {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await once(this.#child, "exit");
    this.#reader.close();
    return { code: this.#child.exitCode, stderr: this.#stderr };
  }
}
