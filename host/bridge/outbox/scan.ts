/** Looks through a store that has just been opened: which lanes there are, how far each is, and what is missing. */
import { type Block, decodeBlock, type Share } from "./block.ts";
import { type LetterCount, letterSize } from "./dead-letters.ts";
import { ALL_LANES, ALL_LETTERS, blockNumberOf, blockRange, type KeyRange, laneKey, letterOf } from "./keys.ts";
import type { LaneContent } from "./lane.ts";
import { LaneQueue } from "./lane-queue.ts";
import { decodeLane, type LaneRecord } from "./lane-record.ts";
import type { Store, StoreOperation, StoreRecord } from "./leveldb.ts";
import { Ranges } from "./ranges.ts";

const PAGE_BYTES = 2 * 1024 * 1024;

export interface Scan {
  readonly lanes: readonly (LaneContent & { readonly name: string })[];
  /** The number that the next block gets. */
  readonly tail: number;
  /** Removes what nobody needs any more, and what cannot be read. */
  readonly cleaning: readonly StoreOperation[];
  /** Records that cannot be read. */
  readonly damaged: number;
  /** Ids of lanes from here on are free. */
  readonly nextLane: number;
}

/** @throws what the store throws when it cannot be read */
export async function scanStore(store: Store): Promise<Scan> {
  const scanner = new Scanner();
  await eachRecord(store, ALL_LANES, (record) => scanner.laneRecord(record));
  await eachRecord(store, ALL_LETTERS, (record) => scanner.letter(record));
  await eachRecord(store, blockRange(0), (record) => scanner.block(record));
  return scanner.result();
}

/** How many dead letters each lane has, by its id. */
export async function countLetters(store: Store): Promise<ReadonlyMap<number, LetterCount>> {
  const scanner = new Scanner();
  await eachRecord(store, ALL_LETTERS, (record) => scanner.letter(record));
  return scanner.letters;
}

/** Calls with each record of a range, a page at a time. */
export async function eachRecord(store: Store, range: KeyRange, work: (record: StoreRecord) => void): Promise<void> {
  for (let from = range.from, complete = false; !complete; ) {
    const page = await store.read({ from, to: range.to }, PAGE_BYTES);
    for (const record of page.records) work(record);
    // The next possible key: this one with a zero behind it.
    from = Buffer.concat([page.records.at(-1)?.key ?? from, Buffer.of(0)]);
    complete = page.complete;
  }
}

class Scanner {
  readonly letters = new Map<number, LetterCount>();
  readonly #lanes = new Map<number, LaneScan>();
  /** Lanes that were removed, and whether a block still speaks of them: then their record must stay. */
  readonly #removed = new Map<number, boolean>();
  readonly #cleaning: StoreOperation[] = [];
  #damaged = 0;
  #seen = -1;
  #to = 0;
  #nextLane = 1;

  laneRecord({ key, value }: StoreRecord): void {
    const record = decodeLane(value);
    if (!record || !laneKey(record.lane).equals(key)) {
      this.#lose(key);
      return;
    }
    this.#nextLane = Math.max(this.#nextLane, record.lane + 1);
    this.#to = Math.max(this.#to, record.tail);
    if (record.removed) {
      this.#removed.set(record.lane, false);
    } else {
      this.#lanes.set(record.lane, new LaneScan(record.lane, record.name, record));
    }
  }

  letter(record: StoreRecord): void {
    const at = letterOf(record.key);
    if (!at) return;
    if (this.#removed.has(at.lane)) {
      this.#cleaning.push({ type: "del", key: record.key });
      return;
    }
    const { count, bytes } = this.letters.get(at.lane) ?? { count: 0, bytes: 0 };
    this.letters.set(at.lane, { count: count + 1, bytes: bytes + letterSize(record), next: at.number + 1 });
  }

  block({ key, value }: StoreRecord): void {
    const block = decodeBlock(value);
    const number = blockNumberOf(key);
    if (!block || block.number !== number || number <= this.#seen) {
      this.#lose(key);
      return;
    }
    this.#seen = number;
    this.#to = Math.max(this.#to, number + 1);
    let needed = false;
    for (const share of block.shares) needed = this.#share(block, share) || needed;
    if (!needed) this.#cleaning.push({ type: "del", key });
  }

  result(): Scan {
    const tail = this.#to;
    const lanes = [...this.#lanes].map(([id, lane]) => lane.end(tail, this.letters.get(id)));
    for (const [lane, isSpokenOf] of this.#removed) {
      if (!isSpokenOf) this.#cleaning.push({ type: "del", key: laneKey(lane) });
    }
    const damaged = this.#damaged;
    return { lanes, tail, cleaning: this.#cleaning, damaged, nextLane: this.#nextLane };
  }

  #lose(key: Buffer): void {
    this.#damaged++;
    this.#cleaning.push({ type: "del", key });
  }

  #share(block: Block, share: Share): boolean {
    if (this.#removed.has(share.lane)) {
      this.#removed.set(share.lane, true);
      return false;
    }
    let lane = this.#lanes.get(share.lane);
    if (!lane) {
      // Its own record is lost, or was never written: the block names it.
      lane = new LaneScan(share.lane, share.name, undefined);
      this.#lanes.set(share.lane, lane);
      this.#nextLane = Math.max(this.#nextLane, share.lane + 1);
    }
    return lane.take(block, share);
  }
}

class LaneScan {
  readonly #id: number;
  readonly #name: string;
  readonly #kept: Ranges;
  readonly #letter: number;
  #next: number;
  #done: number | undefined;
  #expected: number | undefined;
  #head: number | undefined;
  #messages = 0;
  #bytes = 0;
  #lost = 0;

  constructor(id: number, name: string, record: LaneRecord | undefined) {
    this.#id = id;
    this.#name = name;
    this.#done = record?.done;
    this.#expected = record?.done;
    this.#kept = new Ranges(record?.ranges);
    this.#next = record?.next ?? 0;
    this.#letter = record?.letter ?? 0;
  }

  /** Whether the lane still needs the block. */
  take(block: Block, { first, count, bytes }: Share): boolean {
    this.#done ??= first;
    this.#expect(first);
    const end = first + count;
    this.#expected = Math.max(this.#expected ?? end, end);
    const done = this.#done;
    const left = Math.max(0, end - Math.max(first, done)) - this.#kept.countIn(Math.max(first, done), end);
    if (left <= 0) return false;
    this.#head ??= block.number;
    this.#messages += left;
    this.#bytes += left === count ? bytes : this.#bytesLeft(block, first);
    return true;
  }

  end(tail: number, letters: LetterCount | undefined): LaneContent & { readonly name: string } {
    this.#expect(this.#next);
    const next = Math.max(this.#next, this.#expected ?? 0);
    return {
      id: this.#id,
      name: this.#name,
      next,
      queue: new LaneQueue(this.#id, this.#head ?? tail, this.#done ?? next, this.#kept.all),
      messages: this.#messages,
      bytes: this.#bytes,
      lost: this.#lost,
      letters: {
        count: letters?.count ?? 0,
        bytes: letters?.bytes ?? 0,
        next: Math.max(letters?.next ?? 0, this.#letter),
      },
    };
  }

  /** What should lie before this number and is neither there nor done has been lost; it is not waited for. */
  #expect(number: number): void {
    const expected = this.#expected ?? number;
    if (number > expected) {
      this.#lost += number - expected - this.#kept.countIn(expected, number);
      this.#kept.add(expected, number);
    }
    this.#expected = Math.max(expected, number);
  }

  #bytesLeft(block: Block, first: number): number {
    const indexes = block.indexesFor(this.#id);
    const count = indexes?.length ?? block.count;
    let bytes = 0;
    for (let position = 0; position < count; position++) {
      const number = first + position;
      if (number < (this.#done ?? 0) || this.#kept.has(number)) continue;
      bytes += block.sizeOf(indexes?.[position] ?? position);
    }
    return bytes;
  }
}
