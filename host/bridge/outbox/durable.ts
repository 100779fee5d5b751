/**
 * The outbox on disk. What it does when things go wrong:
 *
 * - **Killed, or the power cut:** every message whose `append` resolved is there afterwards, in order. What was handed
 *   out shortly before may be handed out again.
 * - **Disk full:** state `low-space` while there is little room, then `failed`: appends are refused with `outbox-failed`,
 *   and what was refused is not kept in secret. What is there is handed out meanwhile, and when there is room it goes on
 *   by itself.
 * - **The directory cannot be written to:** state `failed`, tried again, opened when it can be.
 * - **Another program holds it:** {@link openOutbox} rejects, because two bridges would send everything twice.
 * - **Damaged files:** what can be read is kept, what is missing is counted (`dropped.damaged`) and reported, and the
 *   damaged files stay beside the store. Nothing is handed out that was not appended.
 * - **A clock that jumps:** see age.ts. The order does not come from the clock.
 */
import { join } from "node:path";
import type { Clock } from "../../../protocol/bus.ts";
import { Ages } from "./age.ts";
import { type Block, decodeBlock } from "./block.ts";
import { type Change, outboxClosed, outboxFailed } from "./change.ts";
import { Committer } from "./committer.ts";
import { StoreKeeper } from "./keeper.ts";
import { blockRange, letterRange } from "./keys.ts";
import type { DurableLane, LaneHost } from "./lane.ts";
import { laneOperation } from "./lane-record.ts";
import type { Store, StoreOperation } from "./leveldb.ts";
import { loadLane } from "./loader.ts";
import type { Opened } from "./opening.ts";
import {
  ENTRY_OVERHEAD,
  type Outbox,
  type OutboxBounds,
  type OutboxLane,
  type OutboxMessage,
  type OutboxState,
  outboxFull,
} from "./outbox.ts";
import { Reclaim } from "./reclaim.ts";
import { LaneRegistry } from "./registry.ts";
import { countLetters, eachRecord } from "./scan.ts";

export interface OutboxOptions {
  /** A directory; the store is `store` in it. */
  readonly path: string;
  readonly bounds: OutboxBounds;
  /** For waits, and for how much time has gone by: goes forward alone. */
  readonly clock: Clock;
  /** Is told, for people, what was damaged and what became of it. */
  readonly report: (note: string) => void;
  /** The time of day, Unix ms; may jump. Default the system's. */
  readonly wall?: (() => number) | undefined;
  /** State `low-space` below so many free bytes; default 64 MiB. */
  readonly lowSpaceBytes?: number | undefined;
  /** State `failed` below so many; default 16 MiB. */
  readonly minFreeBytes?: number | undefined;
}

const MIB = 1024 * 1024;
/** All lanes together may have so much in memory ahead of their services. */
const AHEAD_BYTES = 32 * MIB;
const AHEAD_LANE_MAX = 8 * MIB;
const AHEAD_LANE_MIN = MIB / 2;
const NO_LETTERS = { count: 0, bytes: 0, next: 0 };
const EXPIRY_MIN_MS = 1_000;
const EXPIRY_MAX_MS = 60_000;

/** Where the messages are, beside the client ids. */
export function storePath(outboxPath: string): string {
  return join(outboxPath, "store");
}

/**
 * Opens the outbox in a directory, which is made when it is not there, for this user alone. Resolves when what it holds
 * can be handed out, or in state `failed` when it cannot be opened now.
 * @throws SakuraError PORT_BUSY, context.reason `outbox-locked`: another program holds it
 */
export async function openOutbox(options: OutboxOptions): Promise<Outbox> {
  const outbox = new DurableOutbox(options);
  await outbox.start();
  return outbox;
}

class DurableOutbox implements Outbox, LaneHost {
  readonly ages: Ages;
  readonly bounds: OutboxBounds;
  readonly report: (note: string) => void;
  readonly wall: () => number;
  readonly #clock: Clock;
  readonly #keeper: StoreKeeper;
  readonly #committer: Committer;
  readonly #registry: LaneRegistry;
  readonly #reclaim: Reclaim;
  #loads: Promise<void>[] = [];
  #isRead = false;
  #cancelExpiry: () => void = () => undefined;
  #closed: Promise<void> | undefined;

  constructor({ path, bounds, clock, report, wall, lowSpaceBytes, minFreeBytes }: OutboxOptions) {
    this.bounds = bounds;
    this.report = report;
    this.wall = wall ?? (() => Date.now());
    this.#clock = clock;
    this.ages = new Ages(clock, this.wall);
    this.#registry = new LaneRegistry(this);
    this.#keeper = new StoreKeeper({
      path: storePath(path),
      clock,
      report: this.report,
      lowSpaceBytes: lowSpaceBytes ?? 64 * MIB,
      minFreeBytes: minFreeBytes ?? 16 * MIB,
      opened: (opened) => this.#opened(opened),
    });
    this.#committer = new Committer({
      clock,
      ages: this.ages,
      lanes: () => this.#registry.all,
      write: (operations, sync) => this.#keeper.reading((store) => store.write(operations, sync)),
      wrote: (bytes) => this.#wrote(bytes),
      orphaned: (block) => this.passed(block),
      failed: (error) => this.#keeper.failed(error),
    });
    this.#reclaim = new Reclaim({
      clock,
      sizeOnDisk: (range) => this.reading((store) => store.sizeOnDisk(range)),
      compact: (range) => this.reading((store) => store.compact(range)),
    });
  }

  async start(): Promise<void> {
    await this.#keeper.start();
    await Promise.all(this.#loads);
    this.#expireLater();
  }

  lane(service: string): OutboxLane {
    return this.#registry.lane(service);
  }

  lanes(): readonly string[] {
    return this.#registry.names;
  }

  append(message: OutboxMessage, services: readonly string[]): Promise<void> {
    if (this.isClosed) return Promise.reject(outboxClosed());
    const { refusal } = this.#keeper;
    if (refusal !== undefined) return Promise.reject(outboxFailed(refusal));
    if (services.length === 0) return Promise.resolve();
    const group = this.#registry.group(services);
    const size = message.payload.length + ENTRY_OVERHEAD;
    for (const lane of group.lanes) {
      if (!lane.admits(size)) return Promise.reject(outboxFull(lane.name, lane.messages, this.bounds.maxBytes));
    }
    return this.#committer.append(message, group);
  }

  async rename(from: string, to: string): Promise<void> {
    const { lane, settle } = this.#registry.rename(from, to);
    try {
      await this.submit(lane, this.#recordChange(lane));
    } catch (error) {
      settle(false);
      throw error;
    }
    settle(true);
  }

  async remove(service: string): Promise<void> {
    const { trouble } = this.#keeper;
    if (trouble !== undefined) throw outboxFailed(trouble);
    const lane = this.#registry.remove(service);
    if (!lane) return;
    try {
      await this.submit(lane, this.#recordChange(lane));
    } catch (error) {
      this.#registry.restore(lane);
      throw error;
    }
    // From here on the next opening would do the rest, too.
    await this.#sweep(lane);
  }

  state(): OutboxState {
    return this.#keeper.state.current;
  }

  onState(listener: (state: OutboxState) => void): () => void {
    return this.#keeper.state.onChange(listener);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  get tail(): number {
    return this.#committer.tail;
  }

  get aheadMax(): number {
    const share = AHEAD_BYTES / Math.max(1, this.#registry.size);
    return Math.min(AHEAD_LANE_MAX, Math.max(AHEAD_LANE_MIN, share));
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  reading<T>(work: (store: Store) => Promise<T>): Promise<T> {
    return this.#keeper.reading(work);
  }

  read(range: { from: Buffer; to: Buffer }, maxBytes: number) {
    return this.reading((store) => store.read(range, maxBytes));
  }

  submit(lane: DurableLane, change: Change): Promise<void> {
    if (this.isClosed) return Promise.reject(outboxClosed());
    const { trouble } = this.#keeper;
    if (trouble !== undefined && change.onFailure === "refuse") return Promise.reject(outboxFailed(trouble));
    return this.#committer.submit(change, { lanes: [lane] });
  }

  progressed(lane: DurableLane): void {
    if (!this.isClosed) this.#committer.progressed(lane);
  }

  passed(block: Block): void {
    if (this.#registry.needs(block)) return;
    this.#committer.delete(block.number);
    this.#reclaim.deleted(block);
  }

  load(lane: DurableLane): void {
    if (lane.loading || this.isClosed || !this.#keeper.isOpen) return;
    lane.loading = true;
    const load = loadLane(lane, this)
      .then(
        () => true,
        (error: unknown) => {
          if (!this.isClosed && this.#keeper.isOpen) this.#committer.halt(this.#keeper.failed(error));
          return false;
        },
      )
      .then((isRead) => {
        lane.loading = false;
        this.#loads = this.#loads.filter((one) => one !== load);
        // What could not be read is read again when the store has been opened again.
        if (isRead && !this.isClosed && !lane.removed && this.#keeper.isOpen) lane.afterLoading();
      });
    this.#loads.push(load);
  }

  async #close(): Promise<void> {
    this.#cancelExpiry();
    this.#reclaim.close();
    await this.#committer.finish();
    this.#reclaim.close();
    this.#committer.close();
    await this.#keeper.close();
  }

  async #opened({ store, scan }: Opened): Promise<void> {
    if (this.#isRead) {
      // Counted when everything is as it is to be: a write that failed may have been there all the same.
      await this.#committer.resume(async () => {
        const counted = await countLetters(store);
        return () => {
          for (const lane of this.#registry.all) lane.letters.recount(counted.get(lane.id) ?? NO_LETTERS);
        };
      });
    } else {
      if (scan.cleaning.length > 0) await store.write(scan.cleaning, true);
      this.#committer.start(scan.tail);
      this.#registry.adopt(scan.lanes, scan.nextLane);
      this.#isRead = true;
      // Written anew at each opening, so that no old table has the only record of a lane.
      for (const lane of this.#registry.all) this.progressed(lane);
      if (scan.damaged > 0) this.report(`${scan.damaged} records of the outbox were damaged and have been left out`);
      for (const { name, lost } of scan.lanes) {
        if (lost > 0) this.report(`${lost} messages for ${name} are damaged on the disk and lost`);
      }
    }
    for (const lane of this.#registry.all) lane.afterLoading();
  }

  #wrote(bytes: number): void {
    this.#keeper.wrote(bytes);
    let waiting = 0;
    for (const lane of this.#registry.all) waiting += lane.messages;
    this.#reclaim.step(waiting === 0);
  }

  #recordChange(lane: DurableLane): Change {
    return { operations: () => [laneOperation(lane.record())], onFailure: "refuse", done: () => undefined };
  }

  /** Deletes what only a removed lane needed. Its record stays: blocks that others need still speak of it. */
  async #sweep(lane: DurableLane): Promise<void> {
    const letters: StoreOperation[] = [];
    await this.reading(async (store) => {
      await eachRecord(store, blockRange(lane.queue.headBlock, this.tail), ({ value }) => {
        const block = decodeBlock(value);
        if (block?.shares.some((share) => share.lane === lane.id)) this.passed(block);
      });
      await eachRecord(store, letterRange(lane.id, -1), ({ key }) => letters.push({ type: "del", key }));
    });
    await this.submit(lane, { operations: () => letters, onFailure: "refuse", done: () => undefined });
  }

  #expireLater(): void {
    const { maxAgeMs } = this.bounds;
    if (maxAgeMs === undefined || this.isClosed) return;
    const wait = Math.min(EXPIRY_MAX_MS, Math.max(EXPIRY_MIN_MS, maxAgeMs / 10));
    this.#cancelExpiry = this.#clock.after(wait, () => {
      for (const lane of this.#registry.all) lane.expire();
      this.#expireLater();
    });
  }
}
