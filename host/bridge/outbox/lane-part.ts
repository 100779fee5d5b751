/** What of a block is one lane's, while it is in memory: which of its messages are done. */
import type { Block } from "./block.ts";
import type { OutboxMessage } from "./outbox.ts";
import { type Range, Ranges } from "./ranges.ts";

/** What a part takes of memory beside its messages: a block of one small message is mostly this. */
const PART_BYTES = 1024;

export class LanePart {
  /** Number within the lane of the first message. */
  readonly first: number;
  readonly count: number;
  /** What it takes of memory, roughly. */
  readonly bytes: number;
  readonly blockNumber: number;
  readonly #indexes: Uint32Array | undefined;
  #block: Block | undefined;
  #done: Uint8Array | undefined;
  #doneCount = 0;
  /** All before this position are done. */
  #doneTo = 0;

  constructor(block: Block, lane: number, share: { first: number; count: number; bytes: number }) {
    this.#block = block;
    this.blockNumber = block.number;
    this.first = share.first;
    this.count = share.count;
    this.bytes = share.bytes + PART_BYTES;
    this.#indexes = block.indexesFor(lane);
  }

  /** Nothing once all of it is done. */
  get block(): Block | undefined {
    return this.#block;
  }

  get isDone(): boolean {
    return this.#doneCount === this.count;
  }

  /** Number within the lane. */
  get firstUndone(): number {
    return this.first + this.#doneTo;
  }

  isDoneAt(position: number): boolean {
    return position < this.#doneTo || this.#done?.[position] === 1;
  }

  messageAt(position: number): OutboxMessage | undefined {
    return this.#block?.message(this.#indexes?.[position] ?? position);
  }

  sizeAt(position: number): number {
    return this.#block?.sizeOf(this.#indexes?.[position] ?? position) ?? 0;
  }

  /** False when it was done before. */
  finish(position: number): boolean {
    if (this.isDoneAt(position)) return false;
    this.#doneCount++;
    if (position !== this.#doneTo) {
      this.#done ??= new Uint8Array(this.count);
      this.#done[position] = 1;
    } else {
      do this.#doneTo++;
      while (this.#done?.[this.#doneTo] === 1);
    }
    // Who handed it out may keep the part for long: not the payloads too.
    if (this.isDone) this.#block = undefined;
    return true;
  }

  /** What is done of it, in numbers of the lane. */
  doneRanges(): readonly Range[] {
    const end = this.first + this.count;
    if (this.isDone) return [[this.first, end]];
    if (this.#doneCount === 0) return [];
    const ranges = new Ranges([[this.first, this.firstUndone]]);
    for (let position = this.#doneTo; this.#done && position < this.count; position++) {
      if (this.#done[position] === 1) ranges.add(this.first + position, this.first + position + 1);
    }
    return ranges.all.filter(([from, to]) => from < to);
  }
}
