/** Messages and changes that will be written together, and who waits for them. */
import type { Stamp } from "./age.ts";
import { FreshBlock, type Share } from "./block.ts";
import type { Change } from "./change.ts";
import type { DurableLane } from "./lane.ts";
import { ENTRY_OVERHEAD, type OutboxMessage } from "./outbox.ts";

/** Lanes that take a message together; the same lanes are the same object. */
export interface LaneGroup {
  readonly lanes: readonly DurableLane[];
}

/** One fsync takes about as long as writing so much, and one block is read at once. */
const GROUP_BYTES = 2 * 1024 * 1024;
const BLOCK_BYTES = 128 * 1024;

export class Pending {
  readonly promise: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (reason: unknown) => void = () => undefined;

  constructor() {
    this.promise = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Those who asked have the promise; that nobody asked is no failure.
    this.promise.catch(() => undefined);
  }

  resolve(): void {
    this.#resolve();
  }

  reject(reason: unknown): void {
    this.#reject(reason);
  }
}

export class Group {
  /** For all of its messages: one promise for all, because there are many of them. */
  readonly pending = new Pending();
  readonly changes: { readonly change: Change; readonly pending: Pending }[] = [];
  readonly #messages: OutboxMessage[] = [];
  readonly #sets: LaneGroup[] = [];
  readonly #setOf: number[] = [];
  #bytes = 0;

  get isFull(): boolean {
    return this.#bytes >= GROUP_BYTES;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(message: OutboxMessage, set: LaneGroup): void {
    const size = message.payload.length + ENTRY_OVERHEAD;
    let index = this.#sets.length - 1;
    while (index >= 0 && this.#sets[index] !== set) index--;
    if (index < 0) index = this.#sets.push(set) - 1;
    this.#messages.push(message);
    this.#setOf.push(index);
    this.#bytes += size;
    for (const lane of set.lanes) lane.pending += size;
  }

  /** Numbers the messages, in blocks. */
  blocks(firstNumber: number, stamp: Stamp): FreshBlock[] {
    const blocks: FreshBlock[] = [];
    const sets = this.#sets.map(({ lanes }) => lanes.filter((lane) => !lane.removed));
    const ids = sets.map((lanes) => lanes.map(({ id }) => id));
    for (let start = 0; start < this.#messages.length; ) {
      const totals = sets.map(() => ({ count: 0, bytes: 0 }));
      let end = start;
      for (let bytes = 0; end < this.#messages.length && (end === start || bytes < BLOCK_BYTES); end++) {
        const size = (this.#messages[end]?.payload.length ?? 0) + ENTRY_OVERHEAD;
        const total = totals[this.#setOf[end] ?? 0];
        if (total) {
          total.count++;
          total.bytes += size;
        }
        bytes += size;
      }
      const shares = sharesOf(sets, totals);
      const content = {
        number: firstNumber + blocks.length,
        stamp,
        shares,
        messages: this.#messages.slice(start, end),
        sets: ids,
        setOf: this.#setOf.slice(start, end),
      };
      if (shares.length > 0) blocks.push(new FreshBlock(content));
      start = end;
    }
    return blocks;
  }

  /** It will not be written: its lanes have the room back. */
  giveUp(): void {
    for (const [index, { payload }] of this.#messages.entries()) {
      for (const lane of this.#sets[this.#setOf[index] ?? 0]?.lanes ?? []) {
        lane.pending -= payload.length + ENTRY_OVERHEAD;
      }
    }
  }
}

function sharesOf(
  sets: readonly (readonly DurableLane[])[],
  totals: readonly { readonly count: number; readonly bytes: number }[],
): Share[] {
  const sums = new Map<DurableLane, { count: number; bytes: number }>();
  for (const [index, { count, bytes }] of totals.entries()) {
    if (count === 0) continue;
    for (const lane of sets[index] ?? []) {
      const sum = sums.get(lane) ?? { count: 0, bytes: 0 };
      sums.set(lane, { count: sum.count + count, bytes: sum.bytes + bytes });
    }
  }
  return [...sums].map(([lane, { count, bytes }]) => {
    const first = lane.nextNumber;
    lane.nextNumber += count;
    return { lane: lane.id, name: lane.name, first, count, bytes };
  });
}
