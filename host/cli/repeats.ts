/**
 * Keeps a log short when the same thing happens a thousand times a second: a full outbox refuses every message of every
 * module, and a log of that would fill the disk that is full already.
 */
import type { Clock } from "../../protocol/bus.ts";
import type { Log, LogLine } from "./log.ts";

/** The first of a kind is written at once; what follows it within so long is counted, and the count written then. */
const WINDOW_MS = 10_000;

interface Window {
  more: number;
  readonly summary: (more: number) => LogLine;
  readonly cancel: () => void;
}

export class Repeats {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #windows = new Map<string, Window>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /**
   * @param kind what counts as the same; of a bounded set
   * @param summary the line for so many more of this kind
   * @param count how many this one stands for
   */
  write(kind: string, line: LogLine, summary: (more: number) => LogLine, count = 1): void {
    const window = this.#windows.get(kind);
    if (window) window.more += count;
    else {
      this.#log.write(line);
      this.#open(kind, summary);
    }
  }

  /** Writes what has been counted and not said yet. */
  close(): void {
    for (const { more, summary, cancel } of this.#windows.values()) {
      cancel();
      if (more > 0) this.#log.write(summary(more));
    }
    this.#windows.clear();
  }

  #open(kind: string, summary: (more: number) => LogLine): void {
    const cancel = this.#clock.after(WINDOW_MS, () => {
      const more = this.#windows.get(kind)?.more ?? 0;
      this.#windows.delete(kind);
      if (more === 0) return;
      this.#log.write(summary(more));
      // It goes on: the next one is not news either.
      this.#open(kind, summary);
    });
    this.#windows.set(kind, { more: 0, summary, cancel });
  }
}
