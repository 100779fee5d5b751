/** A firmware's serial output as lines: a prompt without an end is a line too, once nothing has followed it for a while. */

/** Simulated seconds. */
const PAUSE_SECONDS = 0.1;
const LINE_MAX = 4096;

export class SerialLines {
  readonly #onLine: (line: string) => void;
  readonly #decoder = new TextDecoder();
  #held = "";
  #since = 0;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** @param seconds the simulated time */
  push(bytes: Uint8Array, seconds: number): void {
    const lines = (this.#held + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#held = lines.pop() ?? "";
    this.#since = seconds;
    for (const line of lines) this.#onLine(line.replace(/\r$/, ""));
    if (this.#held.length >= LINE_MAX) this.end();
  }

  /** To be called as simulated time passes. */
  passed(seconds: number): void {
    if (seconds - this.#since >= PAUSE_SECONDS) this.end();
  }

  /** Gives what has no line end yet. */
  end(): void {
    const line = this.#held;
    this.#held = "";
    if (line !== "") this.#onLine(line);
  }
}
