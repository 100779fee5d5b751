/**
 * Writes, one batch at a time: what comes while one is being written goes into the next, so that an fsync is shared by
 * as many messages as arrive during one. One message alone waits for one fsync.
 *
 * How far the lanes are is written along with the next batch, or alone and without an fsync after a while: what a crash
 * loses of it are messages that are handed out twice.
 */
import type { Clock } from "../../../protocol/bus.ts";
import type { Ages } from "./age.ts";
import type { FreshBlock } from "./block.ts";
import { type Change, outboxClosed } from "./change.ts";
import { Group, type LaneGroup, Pending } from "./group.ts";
import { blockKey } from "./keys.ts";
import type { DurableLane } from "./lane.ts";
import { laneOperation } from "./lane-record.ts";
import type { StoreOperation } from "./leveldb.ts";
import type { OutboxMessage } from "./outbox.ts";

export interface CommitHost {
  readonly clock: Clock;
  readonly ages: Ages;
  lanes(): Iterable<DurableLane>;
  write(operations: readonly StoreOperation[], sync: boolean): Promise<void>;
  /** A batch is on the disk. */
  wrote(bytes: number): void;
  /** A lane is gone that this block, which has just been written, is for. */
  orphaned(block: FreshBlock): void;
  /** A batch could not be written, and nothing is until {@link Committer.resume}. Returns what the waiters are told. */
  failed(error: unknown): unknown;
}

const PROGRESS_MS = 200;
const PROGRESS_STEPS = 4_096;

interface KeptChange {
  readonly change: Change;
  readonly pending: Pending;
  /** Once a batch with them was made. */
  readonly operations?: readonly StoreOperation[];
}

interface Batch {
  readonly group: Group | undefined;
  readonly blocks: readonly FreshBlock[];
  readonly changes: readonly (KeptChange & { readonly operations: readonly StoreOperation[] })[];
  readonly deletions: readonly number[];
  readonly dirty: readonly DurableLane[];
  readonly operations: readonly StoreOperation[];
}

export class Committer {
  readonly #host: CommitHost;
  #groups: Group[] = [];
  #tail = 0;
  #halted = true;
  #running = false;
  #progressDue = false;
  #steps = 0;
  #cancelProgress: (() => void) | undefined;
  #dirty = new Set<DurableLane>();
  #deletions: number[] = [];
  #undo: StoreOperation[] = [];
  #kept: KeptChange[] = [];
  #idle: (() => void)[] = [];
  #last = false;

  constructor(host: CommitHost) {
    this.#host = host;
  }

  /** The block behind the last that is on the disk. */
  get tail(): number {
    return this.#tail;
  }

  start(tail: number): void {
    this.#tail = tail;
    this.#halted = false;
  }

  append(message: OutboxMessage, set: LaneGroup): Promise<void> {
    const group = this.#group();
    group.add(message, set);
    return group.pending.promise;
  }

  /** @param set where the change's messages go */
  submit(change: Change, set: LaneGroup): Promise<void> {
    const pending = new Pending();
    if (this.#halted) {
      this.#kept.push({ change, pending });
      return pending.promise;
    }
    const group = this.#group();
    for (const message of change.messages ?? []) group.add(message, set);
    group.changes.push({ change, pending });
    return pending.promise;
  }

  /** A lane's record is not up to date any more. */
  progressed(lane: DurableLane): void {
    this.#dirty.add(lane);
    if (++this.#steps >= PROGRESS_STEPS) this.#writeProgress();
    else this.#cancelProgress ??= this.#host.clock.after(PROGRESS_MS, () => this.#writeProgress());
  }

  /** Deletes a block, together with the progress because of which nobody needs it. */
  delete(block: number): void {
    this.#deletions.push(block);
  }

  /** Resolves when everything that was asked for is on the disk, or nothing is written any more: before the end. */
  async finish(): Promise<void> {
    this.#last = true;
    if (this.#dirty.size > 0 || this.#deletions.length > 0) this.#writeProgress();
    if (this.#running) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /**
   * Writes what is in memory over what is on the disk, after a failure: what was refused is not there afterwards, what
   * was forgotten is.
   * @param look at the store as it is then, before anything else is written; what it returns is called once every change
   *   has been told
   * @throws what the store throws
   */
  async resume(look: () => Promise<() => void>): Promise<void> {
    const kept = this.#kept.map((one) => ({ ...one, operations: one.operations ?? one.change.operations() }));
    this.#kept = kept;
    this.#clearProgress();
    const deletions = [...this.#deletions];
    const operations = [
      ...this.#undo,
      ...kept.flatMap((one) => one.operations),
      ...deletions.map(deleteBlock),
      ...[...this.#host.lanes()].map((lane) => laneOperation(lane.record())),
    ];
    await this.#host.write(operations, true);
    const looked = await look();
    this.#undo = [];
    this.#kept = this.#kept.slice(kept.length);
    this.#deletions = this.#deletions.slice(deletions.length);
    this.#halted = false;
    for (const { change, pending } of kept) {
      change.done();
      pending.resolve();
    }
    looked();
    // What came, and came due, meanwhile.
    const late = this.#kept.splice(0);
    if (late.length > 0) this.#group().changes.push(...late);
    this.#kick();
  }

  /** Writes nothing more until `resume`. Who waits for a batch that has not been begun is told why. */
  halt(reason: unknown): void {
    this.#halted = true;
    for (const group of this.#groups.splice(0)) {
      group.giveUp();
      group.pending.reject(reason);
      for (const one of group.changes) {
        if (one.change.onFailure === "refuse") one.pending.reject(reason);
        else this.#kept.push(one);
      }
    }
  }

  /** Nothing comes any more. Who still waits is told so. */
  close(): void {
    this.#halted = true;
    this.#cancelProgress?.();
    for (const { pending } of this.#kept.splice(0)) pending.reject(outboxClosed());
  }

  #group(): Group {
    let group = this.#groups.at(-1);
    if (!group || group.isFull) {
      group = new Group();
      this.#groups.push(group);
    }
    this.#kick();
    return group;
  }

  #writeProgress(): void {
    this.#cancelProgress?.();
    this.#cancelProgress = undefined;
    this.#progressDue = true;
    this.#kick();
  }

  #kick(): void {
    if (this.#running || this.#halted) return;
    this.#running = true;
    // After the caller's turn, so that what is appended in one go is written in one go.
    queueMicrotask(() => void this.#run());
  }

  async #run(): Promise<void> {
    while (!this.#halted && (this.#groups.length > 0 || this.#progressDue)) {
      const batch = this.#build(this.#groups.shift());
      try {
        await this.#host.write(batch.operations, batch.group !== undefined || this.#last);
      } catch (error) {
        this.#fail(batch, error);
        break;
      }
      this.#written(batch);
    }
    this.#running = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #build(group: Group | undefined): Batch {
    const changes = (group?.changes ?? []).map((one) => ({ ...one, operations: one.change.operations() }));
    const blocks = group?.blocks(this.#tail, this.#host.ages.stamp()) ?? [];
    const withProgress = this.#progressDue || changes.length > 0;
    const deletions = withProgress ? this.#deletions.splice(0) : [];
    const dirty = withProgress ? [...this.#dirty] : [];
    if (withProgress) this.#clearProgress();
    const operations: StoreOperation[] = [
      ...blocks.map((block): StoreOperation => ({ type: "put", key: blockKey(block.number), value: block.encode() })),
      ...changes.flatMap((one) => one.operations),
      ...deletions.map(deleteBlock),
      ...dirty.filter((lane) => !lane.removed).map((lane) => laneOperation(lane.record())),
    ];
    return { group, blocks, changes, deletions, dirty, operations };
  }

  #clearProgress(): void {
    this.#progressDue = false;
    this.#steps = 0;
    this.#dirty.clear();
    this.#cancelProgress?.();
    this.#cancelProgress = undefined;
  }

  #written({ group, blocks, changes }: Batch): void {
    this.#tail += blocks.length;
    const got = new Set<DurableLane>();
    for (const block of blocks) {
      for (const lane of this.#host.lanes()) {
        const share = block.shares.find((one) => one.lane === lane.id);
        lane.committed(block, share);
        if (share) got.add(lane);
      }
      if (block.shares.length > got.size) this.#host.orphaned(block);
    }
    for (const { change, pending } of changes) {
      change.done();
      pending.resolve();
    }
    group?.pending.resolve();
    for (const lane of got) lane.ready();
    this.#host.wrote(group?.bytes ?? 0);
  }

  /** Nobody knows what of the batch is on the disk: `resume` makes it so that nothing is. */
  #fail({ group, blocks, changes, deletions, dirty }: Batch, error: unknown): void {
    const reason = this.#host.failed(error);
    for (const block of [...blocks].reverse()) {
      this.#undo.push({ type: "del", key: blockKey(block.number) });
      for (const lane of this.#host.lanes()) {
        const share = block.shares.find((one) => one.lane === lane.id);
        if (share) lane.nextNumber = share.first;
      }
    }
    this.#deletions.unshift(...deletions);
    for (const lane of dirty) this.#dirty.add(lane);
    for (const one of changes) {
      if (one.change.onFailure === "keep") this.#kept.push(one);
      else this.#undo.push(...(one.change.undo ?? []));
      if (one.change.onFailure === "refuse") one.pending.reject(reason);
    }
    group?.giveUp();
    group?.pending.reject(reason);
    this.halt(reason);
  }
}

function deleteBlock(number: number): StoreOperation {
  return { type: "del", key: blockKey(number) };
}
