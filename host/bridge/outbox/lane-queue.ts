/**
 * What of a lane is in memory, in order: what has been handed out and is not done, and some of what comes next.
 *
 *     done ──▶ ┌ head … handed out … ┬ cursor … ahead … ┐ ──▶ on the disk, from block `loadedTo` on
 */
import type { Stamp } from "./age.ts";
import type { Block, Share } from "./block.ts";
import { LanePart } from "./lane-part.ts";
import { type Range, Ranges } from "./ranges.ts";

/** Places at the front that may lie empty before the list is moved up. */
const SLACK = 256;

export interface Place {
  readonly part: LanePart;
  readonly position: number;
}

export class LaneQueue {
  /** The first block that has not been looked at. */
  loadedTo: number;
  readonly #lane: number;
  #parts: LanePart[] = [];
  #head = 0;
  #cursor = 0;
  #position = 0;
  #ahead = 0;
  /** The number that the next part should begin with. */
  #expected: number;
  /** Done in an earlier run, and not come to yet. */
  readonly #kept: Ranges;

  /** @param done all of the lane's messages before this number are done, and `ranges` beyond it */
  constructor(lane: number, loadedTo: number, done: number, ranges: readonly Range[]) {
    this.#lane = lane;
    this.loadedTo = loadedTo;
    this.#expected = done;
    this.#kept = new Ranges(ranges);
    this.#skipKept();
  }

  /** Bytes from the cursor on. */
  get ahead(): number {
    return this.#ahead;
  }

  /** All before this number are done. */
  get done(): number {
    return this.#parts[this.#head]?.firstUndone ?? this.#expected;
  }

  /** When the first that is not done was taken; nothing when none is in memory. */
  get oldest(): Stamp | undefined {
    for (let index = this.#head; index < this.#parts.length; index++) {
      const block = this.#parts[index]?.block;
      if (block) return block.stamp;
    }
    return undefined;
  }

  /** The first block that is still needed. */
  get headBlock(): number {
    return this.#parts[this.#head]?.blockNumber ?? this.loadedTo;
  }

  /** What is done beyond {@link done}. */
  doneBeyond(): readonly Range[] {
    const ranges = new Ranges();
    let at = this.done;
    for (let index = this.#head; index < this.#parts.length; index++) {
      const part = this.#parts[index];
      if (!part) continue;
      // Between two parts nothing is left to do.
      if (part.first > at) ranges.add(at, part.first);
      for (const [from, to] of part.doneRanges()) ranges.add(from, to);
      at = part.first + part.count;
    }
    for (const [from, to] of this.#kept.all) ranges.add(from, to);
    ranges.dropBefore(this.done + 1);
    return ranges.all;
  }

  hasDone({ first, count }: Share): boolean {
    if (first + count <= this.done) return true;
    if (first >= this.#expected) return this.#kept.countIn(first, first + count) === count;
    return this.#find(first)?.isDone ?? true;
  }

  /**
   * Takes the lane's part of a block behind what is there. Returns the numbers that should have come before it and did
   * not, and the part.
   */
  push(block: Block, share: Share): { readonly part: LanePart; readonly lost: number } {
    const lost = this.expectUpTo(share.first);
    const part = new LanePart(block, this.#lane, share);
    const end = share.first + share.count;
    for (let number = share.first; number < Math.min(this.#expected, end); number++) part.finish(number - share.first);
    for (const [from, to] of this.#kept.all) {
      for (let number = Math.max(from, share.first); number < Math.min(to, end); number++) {
        part.finish(number - share.first);
      }
    }
    this.#expected = Math.max(this.#expected, end);
    this.#skipKept();
    this.#parts.push(part);
    this.#ahead += part.bytes;
    this.release();
    return { part, lost };
  }

  /** Whatever is missing before this number will not come. Returns how many. */
  expectUpTo(number: number): number {
    if (number <= this.#expected) return 0;
    const lost = number - this.#expected - this.#kept.countIn(this.#expected, number);
    this.#expected = number;
    this.#skipKept();
    return lost;
  }

  /** The next that is not done, without going past it. */
  peek(): Place | undefined {
    for (;;) {
      const part = this.#parts[this.#cursor];
      if (!part) return undefined;
      while (this.#position < part.count && part.isDoneAt(this.#position)) this.#position++;
      if (this.#position < part.count) return { part, position: this.#position };
      this.#leave(part);
    }
  }

  /** Goes past what {@link peek} gave. */
  advance(): void {
    this.#position++;
  }

  /** Everything that is not done lies ahead again. */
  rewind(): void {
    for (let index = this.#head; index < this.#cursor; index++) this.#ahead += this.#parts[index]?.bytes ?? 0;
    this.#cursor = this.#head;
    this.#position = 0;
  }

  /** A part is done: what is done at the head goes. */
  release(): void {
    // The cursor's own part stays until the cursor has left it.
    while (this.#head < this.#cursor && this.#parts[this.#head]?.isDone) this.#head++;
    if (this.#head < SLACK || this.#head * 2 < this.#parts.length) return;
    this.#parts = this.#parts.slice(this.#head);
    this.#cursor -= this.#head;
    this.#head = 0;
  }

  #leave(part: LanePart): void {
    this.#ahead -= part.bytes;
    this.#cursor++;
    this.#position = 0;
    this.release();
  }

  #find(first: number): LanePart | undefined {
    let low = this.#head;
    let high = this.#parts.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const part = this.#parts[middle];
      if (!part || part.first === first) return part;
      if (part.first < first) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  #skipKept(): void {
    for (const [from, to] of this.#kept.all) {
      if (from > this.#expected) break;
      this.#expected = Math.max(this.#expected, to);
    }
    this.#kept.dropBefore(this.#expected);
  }
}
