/** What a verb of the command line may touch, for a test to look at. */
import { PassThrough } from "node:stream";
import type { CliIo } from "../../host/cli/io.ts";
import type { SakuraError } from "../../protocol/errors.ts";

/** Streams that keep what is written, and a signal that `stop` aborts as Ctrl+C does. */
export class FakeIo implements CliIo {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly #abort = new AbortController();
  #out = "";
  #err = "";
  #waiting: (() => void)[] = [];

  constructor() {
    this.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#out += text;
      this.#wake();
    });
    this.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#err += text;
      this.#wake();
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  stop(): void {
    this.#abort.abort();
  }

  /** As `stop`, for a reason. */
  fail(error: SakuraError): void {
    this.#abort.abort(error);
  }

  get out(): string {
    return this.#out;
  }

  get err(): string {
    return this.#err;
  }

  /** Resolves when this has been written to stdout or stderr. */
  async written(text: string): Promise<void> {
    while (!`${this.#out}\n${this.#err}`.includes(text)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
