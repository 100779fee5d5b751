/** Keeps simulated time from running ahead of the wall's. */
import type { Board } from "./board.ts";

/** Being this late is made up for; a machine that was asleep or too slow starts anew instead of racing. */
const MOST_LATE_MS = 200;

export class Pace {
  readonly #board: Board;
  #wall = 0;
  #simulated = 0;

  constructor(board: Board) {
    this.#board = board;
  }

  /** From now on, both go on together. */
  begin(): void {
    this.#wall = performance.now();
    this.#simulated = this.#board.seconds * 1000;
  }

  /** Waits for the wall to catch up: a slice's length at most. */
  async keep(): Promise<void> {
    const ahead = this.#board.seconds * 1000 - this.#simulated - (performance.now() - this.#wall);
    if (ahead > 1) await new Promise((resolve) => setTimeout(resolve, ahead));
    else if (ahead < -MOST_LATE_MS) this.begin();
  }
}
