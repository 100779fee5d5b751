/** Brings what a lane has on the disk into memory, a little ahead of its service. */
import { decodeBlock } from "./block.ts";
import { blockNumberOf, blockRange } from "./keys.ts";
import type { DurableLane } from "./lane.ts";
import type { StoreRecord } from "./leveldb.ts";

export interface LoadHost {
  readonly tail: number;
  readonly aheadMax: number;
  readonly isClosed: boolean;
  read(range: { from: Buffer; to: Buffer }, maxBytes: number): Promise<{ records: StoreRecord[]; complete: boolean }>;
  report(note: string): void;
}

/** Read at once: so much more than its bound may a lane have in memory. */
const LOAD_BYTES = 512 * 1024;

/** Until the lane has enough ahead, or nothing is left on the disk. @throws what the store throws */
export async function loadLane(lane: DurableLane, host: LoadHost): Promise<void> {
  const { queue } = lane;
  const isWanted = (): boolean => !host.isClosed && !lane.removed && lane.queue === queue;
  while (isWanted() && queue.loadedTo < host.tail && queue.ahead < host.aheadMax) {
    // Blocks that are written meanwhile are behind this one: the lane does not take them before it is here.
    const until = host.tail;
    const { records, complete } = await host.read(blockRange(queue.loadedTo, until), LOAD_BYTES);
    if (!isWanted()) return;
    for (const { key, value } of records) {
      const block = decodeBlock(value);
      const number = blockNumberOf(key);
      if (!block || block.number !== number) {
        host.report(`a block of the outbox is damaged on the disk (number ${number}) and is left out`);
        continue;
      }
      const share = block.shares.find((one) => one.lane === lane.id);
      if (share) lane.loaded(block, share);
    }
    const last = blockNumberOf(records.at(-1)?.key ?? Buffer.alloc(0));
    queue.loadedTo = complete || last === undefined ? until : last + 1;
  }
}
