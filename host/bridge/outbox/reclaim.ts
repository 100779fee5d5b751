/**
 * Gives the disk back what the lanes have done with. LevelDB does so when it rewrites its files, and it rewrites them
 * when something new is written over them: behind a backlog that drains nothing is.
 */
import type { Block } from "./block.ts";
import { blockRange, type KeyRange } from "./keys.ts";

export interface ReclaimHost {
  sizeOnDisk(range: KeyRange): Promise<number>;
  compact(range: KeyRange): Promise<void>;
}

/** So much at once: a compaction cannot be stopped, and closing waits for it. */
const STEP_BYTES = 32 * 1024 * 1024;
/** Less is not worth the work. */
const WORTH_BYTES = 8 * 1024 * 1024;

export class Reclaim {
  readonly #host: ReclaimHost;
  #bytes = 0;
  #from = 0;
  #to = 0;
  #running = false;

  constructor(host: ReclaimHost) {
    this.#host = host;
  }

  deleted(block: Block): void {
    this.#bytes += block.bytes;
    this.#to = Math.max(this.#to, block.number + 1);
  }

  /** @param isEmpty nothing waits any more */
  step(isEmpty: boolean): void {
    if (this.#running || this.#bytes < (isEmpty ? WORTH_BYTES : STEP_BYTES)) return;
    const range = blockRange(isEmpty ? 0 : this.#from, this.#to);
    this.#bytes = 0;
    this.#from = this.#to;
    this.#running = true;
    // It is tried again after the next so many bytes; what is wrong with the store shows when it is written.
    void this.#compact(range)
      .catch(() => undefined)
      .finally(() => {
        this.#running = false;
      });
  }

  async #compact(range: KeyRange): Promise<void> {
    if ((await this.#host.sizeOnDisk(range)) >= WORTH_BYTES) await this.#host.compact(range);
  }
}
