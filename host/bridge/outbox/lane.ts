/** One service's part of the durable outbox. */
import { SakuraError } from "../../../protocol/errors.ts";
import type { Ages, Stamp } from "./age.ts";
import type { Block, Share } from "./block.ts";
import type { Change } from "./change.ts";
import { DeadLetters, type LetterCount } from "./dead-letters.ts";
import { Handed } from "./handed.ts";
import type { LanePart } from "./lane-part.ts";
import { LaneQueue, type Place } from "./lane-queue.ts";
import type { LaneRecord } from "./lane-record.ts";
import type { Store } from "./leveldb.ts";
import type { DeadLetter, Dropped, OutboxBounds, OutboxLane, OutboxMessage } from "./outbox.ts";

export interface LaneHost {
  readonly ages: Ages;
  readonly bounds: OutboxBounds;
  /** The block behind the last that is on the disk. */
  readonly tail: number;
  /** Bytes that a lane may have in memory ahead of its service. */
  readonly aheadMax: number;
  /** Unix ms, as the wall's clock has it. */
  wall(): number;
  /** @throws SakuraError REFUSED, context.reason `outbox-failed`, when there is no store to read from */
  reading<T>(work: (store: Store) => Promise<T>): Promise<T>;
  submit(lane: DurableLane, change: Change): Promise<void>;
  /** A lane's progress has changed: it is written some time. */
  progressed(lane: DurableLane): void;
  /** A lane needs a block no more. */
  passed(block: Block): void;
  /** Brings more of it into memory. */
  load(lane: DurableLane): void;
  /** For people. */
  report(note: string): void;
}

/** How a lane stands when it is opened. */
export interface LaneContent {
  readonly id: number;
  readonly next: number;
  readonly queue: LaneQueue;
  readonly messages: number;
  readonly bytes: number;
  readonly letters: LetterCount;
  /** Damaged on the disk. */
  readonly lost: number;
}

export class DurableLane implements OutboxLane {
  name: string;
  /** In the store. */
  id = 0;
  /** The number that the next message gets; counts those that are being written. */
  nextNumber = 0;
  /** Bytes of messages that are being written. */
  pending = 0;
  removed = false;
  loading = false;
  letters: DeadLetters;
  queue = new LaneQueue(0, 0, 0, []);
  readonly #host: LaneHost;
  readonly #listeners = new Set<() => void>();
  /** The number behind the last message that is on the disk. */
  #kept = 0;
  #messages = 0;
  #live = 0;
  #full = 0;
  #expired = 0;
  #damaged = 0;
  #oldest: Stamp | undefined;

  /** An empty lane; {@link adopt} gives it what the store holds for it. */
  constructor(name: string, host: LaneHost) {
    this.name = name;
    this.#host = host;
    this.letters = this.#lettersOf(0, { count: 0, bytes: 0, next: 0 });
  }

  adopt(content: LaneContent): void {
    this.id = content.id;
    this.nextNumber = content.next;
    this.queue = content.queue;
    this.letters = this.#lettersOf(content.id, content.letters);
    this.#kept = content.next;
    this.#messages = content.messages;
    this.#live = content.bytes;
    this.#damaged = content.lost;
  }

  get messages(): number {
    return this.#messages;
  }

  get bytes(): number {
    return this.#live + this.letters.bytes;
  }

  get dropped(): Dropped {
    return { full: this.#full, expired: this.#expired, damaged: this.#damaged };
  }

  get deadLetters(): number {
    return this.letters.count;
  }

  get oldestAt(): number | undefined {
    if (this.#messages === 0) return undefined;
    // Nothing is in memory for a moment, while more comes from the disk.
    this.#oldest = this.queue.oldest ?? this.#oldest;
    return this.#oldest && this.#host.ages.takenAt(this.#oldest);
  }

  next(): OutboxMessage | undefined {
    const { queue } = this;
    for (let place = queue.peek(); place; place = queue.peek()) {
      queue.advance();
      if (this.#isExpired(place)) {
        this.#drop(place, "expired");
        continue;
      }
      this.#loadIfLow();
      const { part, position } = place;
      const message = part.messageAt(position);
      return message && new Handed(message, this, part, position);
    }
    this.#loadIfLow();
    return undefined;
  }

  dropExpired(message: OutboxMessage): boolean {
    if (!(message instanceof Handed && message.isOf(this) && this.#isExpired(message))) return false;
    this.#drop(message, "expired");
    return true;
  }

  forget(message: OutboxMessage): void {
    if (message instanceof Handed && message.isOf(this)) this.#finish(message.part, message.position);
  }

  rewind(): void {
    this.queue.rewind();
  }

  onReady(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  setAside(message: OutboxMessage, reason: string): Promise<void> {
    if (!(message instanceof Handed && message.isOf(this))) {
      return Promise.reject(new SakuraError("INVALID_ARGUMENT", `not a message that the lane ${this.name} handed out`));
    }
    const leave = (): boolean => !this.removed && this.#finish(message.part, message.position);
    return this.letters.add(message, reason, this.#host.wall(), leave);
  }

  listDeadLetters(page: {
    readonly after?: string | undefined;
    readonly limit: number;
  }): Promise<readonly DeadLetter[]> {
    return this.letters.list(page);
  }

  retryDeadLetters(ids: readonly string[] | "all"): Promise<number> {
    return this.letters.retry(ids);
  }

  deleteDeadLetters(ids: readonly string[] | "all"): Promise<number> {
    return this.letters.delete(ids);
  }

  /** Whether a message of this size may come; where the oldest must go for it, they go. */
  admits(size: number): boolean {
    const { maxBytes, whenFull } = this.#host.bounds;
    if (this.bytes + this.pending + size <= maxBytes) return true;
    if (whenFull !== "drop-oldest" || size > maxBytes) return false;
    this.#dropOldest(size);
    // What is still on the disk goes when it has been read: until then it is a little more than the bound.
    return this.bytes + this.pending + size <= maxBytes || this.#isBehind();
  }

  /** What is too old goes, as far as it is in memory. */
  expire(): void {
    for (let place = this.queue.peek(); place && this.#isExpired(place); place = this.queue.peek()) {
      this.queue.advance();
      this.#drop(place, "expired");
    }
    this.#loadIfLow();
  }

  /** A block is on the disk. */
  committed(block: Block, share: Share | undefined): void {
    if (share) {
      this.pending -= share.bytes;
      this.#messages += share.count;
      this.#live += share.bytes;
      this.#kept = share.first + share.count;
    }
    const { queue } = this;
    if (queue.loadedTo !== block.number || (share && queue.ahead >= this.#host.aheadMax)) return;
    queue.loadedTo = block.number + 1;
    if (share) this.loaded(block, share);
  }

  /** Takes its part of the block that comes next. */
  loaded(block: Block, share: Share): void {
    const { part, lost } = this.queue.push(block, share);
    this.#lose(lost);
    if (part.isDone) this.#host.passed(block);
  }

  /** Some of what was on the disk is in memory. */
  afterLoading(): void {
    if (!this.#isBehind()) this.#lose(this.queue.expectUpTo(this.#kept));
    if (this.#host.bounds.whenFull === "drop-oldest") this.#dropOldest(0);
    this.expire();
    this.ready();
  }

  ready(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  hasDone(share: Share): boolean {
    return this.removed || this.queue.hasDone(share);
  }

  record(): LaneRecord {
    const { id, name, nextNumber: next, removed, queue, letters } = this;
    return {
      lane: id,
      name,
      next,
      done: queue.done,
      ranges: queue.doneBeyond().map(([from, to]) => [from, to]),
      tail: this.#host.tail,
      letter: letters.next,
      removed,
    };
  }

  #lettersOf(id: number, count: LetterCount): DeadLetters {
    const host = this.#host;
    return new DeadLetters(
      id,
      { reading: (work) => host.reading(work), submit: (change) => host.submit(this, change) },
      count,
    );
  }

  #isBehind(): boolean {
    return this.queue.loadedTo < this.#host.tail;
  }

  #loadIfLow(): void {
    if (this.loading || !this.#isBehind() || this.queue.ahead * 2 > this.#host.aheadMax) return;
    this.#host.load(this);
  }

  #isExpired({ part }: Place): boolean {
    const { maxAgeMs } = this.#host.bounds;
    return maxAgeMs !== undefined && part.block !== undefined && this.#host.ages.of(part.block.stamp) > maxAgeMs;
  }

  #dropOldest(size: number): void {
    const { maxBytes } = this.#host.bounds;
    while (this.bytes + this.pending + size > maxBytes) {
      const place = this.queue.peek();
      if (!place) break;
      this.queue.advance();
      this.#drop(place, "full");
    }
    this.#loadIfLow();
  }

  #drop({ part, position }: Place, why: "full" | "expired"): void {
    if (!this.#finish(part, position)) return;
    if (why === "full") this.#full++;
    else this.#expired++;
  }

  /** False when it was done before. */
  #finish(part: LanePart, position: number): boolean {
    const { block } = part;
    const size = part.sizeAt(position);
    if (!part.finish(position)) return false;
    this.#messages--;
    this.#live -= size;
    if (part.isDone && block) {
      this.queue.release();
      this.#host.passed(block);
    }
    this.#host.progressed(this);
    return true;
  }

  #lose(messages: number): void {
    if (messages <= 0) return;
    const rest = this.#messages - messages;
    this.#live = rest <= 0 ? 0 : Math.round((this.#live / this.#messages) * rest);
    this.#messages = Math.max(0, rest);
    this.#damaged += messages;
    this.#host.report(`${messages} messages for ${this.name} are damaged on the disk and lost; see dropped.damaged`);
    this.#host.progressed(this);
  }
}
