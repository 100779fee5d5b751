/**
 * Gives the disk back what the lanes have done with. LevelDB does so when it rewrites its files, and it rewrites them
 * when something new is written over them: behind a backlog that drains nothing is.
 */
import type { Clock } from "../../../protocol/bus.ts";
import type { Block } from "./block.ts";
import { blockRange, type KeyRange } from "./keys.ts";

export interface ReclaimHost {
  readonly clock: Clock;
  sizeOnDisk(range: KeyRange): Promise<number>;
  compact(range: KeyRange): Promise<void>;
}

const MIB = 1024 * 1024;
/** So much at once: a compaction cannot be stopped, and closing waits for it. */
const STEP_BYTES = 64 * MIB;
/** In the flow LevelDB holds less than this of what is done with; then it needs no help. */
const STEP_WORTH_BYTES = 32 * MIB;
/** And when nothing waits any more: */
const IDLE_MS = 5_000;
const IDLE_WORTH_BYTES = 8 * MIB;

export class Reclaim {
  readonly #host: ReclaimHost;
  #bytes = 0;
  #from = 0;
  #to = 0;
  #running = false;
  #cancelIdle: () => void = () => undefined;

  constructor(host: ReclaimHost) {
    this.#host = host;
  }

  deleted(block: Block): void {
    this.#bytes += block.bytes;
    this.#to = Math.max(this.#to, block.number + 1);
  }

  /** @param isEmpty nothing waits any more */
  step(isEmpty: boolean): void {
    this.#cancelIdle();
    if (this.#running || this.#bytes === 0) return;
    if (this.#bytes >= STEP_BYTES) {
      this.#start(blockRange(this.#from, this.#to), STEP_WORTH_BYTES);
    } else if (isEmpty && this.#to > 0) {
      this.#cancelIdle = this.#host.clock.after(IDLE_MS, () => this.#start(blockRange(0, this.#to), IDLE_WORTH_BYTES));
    }
  }

  close(): void {
    this.#cancelIdle();
  }

  #start(range: KeyRange, worth: number): void {
    this.#bytes = 0;
    this.#from = this.#to;
    this.#running = true;
    // It is tried again after the next so many bytes; what is wrong with the store shows when it is written.
    void this.#compact(range, worth)
      .catch(() => undefined)
      .finally(() => {
        this.#running = false;
      });
  }

  async #compact(range: KeyRange, worth: number): Promise<void> {
    if ((await this.#host.sizeOnDisk(range)) >= worth) await this.#host.compact(range);
  }
}
