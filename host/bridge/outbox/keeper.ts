/**
 * Keeps the store open. A write that fails ends the store for LevelDB: nothing more is written, and what was half
 * written must not be built upon. So it is closed and opened again, when there is room, or after a while. Until it has
 * been closed it can still be read.
 */
import { statfsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "../../../protocol/bus.ts";
import { SakuraError } from "../../../protocol/errors.ts";
import { StateHolder } from "../state-holder.ts";
import { outboxClosed, outboxFailed } from "./change.ts";
import { innermostReason, type Store, troubleOf, WRITE_BUFFER_BYTES } from "./leveldb.ts";
import { type Opened, openStore } from "./opening.ts";
import type { OutboxState } from "./outbox.ts";
import { freeBytes, sizeText } from "./space.ts";

export interface KeeperOptions {
  /** The store's directory. */
  readonly path: string;
  readonly clock: Clock;
  readonly report: (note: string) => void;
  /** Below so many free bytes it is said. */
  readonly lowSpaceBytes: number;
  /** Below so many nothing more is taken: the rest is for LevelDB, which needs room to make room. */
  readonly minFreeBytes: number;
  /** The store has been opened, the first time or again. @throws what the store throws: it is closed, and tried again */
  opened(opened: Opened): Promise<void>;
}

const SPACE_MS = 2_000;
const SPACE_EVERY_BYTES = 8 * 1024 * 1024;
const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 30_000;
/** For what LevelDB writes when it opens: as much as its logs hold, and a little. */
const OPENING_BYTES = 1024 * 1024;

interface Problem {
  readonly reason: string;
  readonly full: boolean;
}

export class StoreKeeper {
  readonly state = new StateHolder<OutboxState>({ state: "ok" });
  readonly #options: KeeperOptions;
  #store: Store | undefined;
  #problem: Problem | undefined;
  #free = Number.POSITIVE_INFINITY;
  #written = 0;
  #wait = RETRY_FIRST_MS;
  #cancelRetry: () => void = () => undefined;
  #cancelSpace: () => void = () => undefined;
  readonly #reads = new Set<Promise<unknown>>();
  #opening: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** @throws SakuraError PORT_BUSY, context.reason `outbox-locked`: another program holds it */
  async start(): Promise<void> {
    try {
      await this.#open();
    } catch (error) {
      if (troubleOf(error) === "locked") throw lockedError(this.#options.path, error);
      this.failed(error);
    }
    await this.#checkSpace();
  }

  /** Why nothing can be written; what gives room back is written also when there is little. */
  get trouble(): string | undefined {
    return this.#problem?.reason;
  }

  /** Why nothing is taken. */
  get refusal(): string | undefined {
    const { current } = this.state;
    return current.state === "failed" ? current.reason : undefined;
  }

  /** @throws SakuraError REFUSED, context.reason `outbox-failed`; CLOSED */
  get store(): Store {
    if (this.#store) return this.#store;
    throw this.#closed ? outboxClosed() : outboxFailed(this.refusal ?? "the outbox is being opened; try again");
  }

  get isOpen(): boolean {
    return this.#store !== undefined;
  }

  /** Has the store stay open as long as the work takes. */
  async reading<T>(work: (store: Store) => Promise<T>): Promise<T> {
    const reading = work(this.store);
    this.#reads.add(reading);
    try {
      return await reading;
    } finally {
      this.#reads.delete(reading);
    }
  }

  /** The store could not be written or read: nothing is taken until it has been opened again. Returns what is told. */
  failed(error: unknown): SakuraError {
    const { path, clock } = this.#options;
    if (!this.#problem && !this.#closed) this.#cancelRetry = clock.after(this.#wait, () => this.#retry());
    const free = freeNow(dirname(path));
    const full = free !== undefined && free < 2 * WRITE_BUFFER_BYTES;
    this.#problem = { reason: full ? fullWords(path, free) : failedWords(path, free, error), full };
    this.#update();
    return outboxFailed(this.#problem.reason, error);
  }

  wrote(bytes: number): void {
    this.#wait = RETRY_FIRST_MS;
    this.#written += bytes;
    if (this.#written < SPACE_EVERY_BYTES) return;
    this.#written = 0;
    void this.#checkSpace();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry();
    this.#cancelSpace();
    await this.#opening;
    await this.#closeStore();
  }

  async #open(): Promise<void> {
    const { path, report, opened } = this.#options;
    const found = await openStore(path, report);
    if (this.#closed) {
      await found.store.close();
      return;
    }
    this.#store = found.store;
    try {
      await opened(found);
    } catch (error) {
      await this.#closeStore();
      throw error;
    }
    this.#problem = undefined;
    this.#update();
  }

  #retry(): void {
    this.#opening = this.#reopen().catch((error: unknown) => {
      this.#wait = Math.min(this.#wait * 2, RETRY_MAX_MS);
      this.#problem = undefined;
      this.failed(error);
    });
  }

  async #reopen(): Promise<void> {
    const { path, clock } = this.#options;
    if (this.#closed) return;
    if (this.#store && this.#problem?.full && !(await hasRoomToOpen(path))) {
      this.#cancelRetry = clock.after(SPACE_MS, () => this.#retry());
      return;
    }
    await this.#closeStore();
    await this.#open();
  }

  async #closeStore(): Promise<void> {
    const store = this.#store;
    this.#store = undefined;
    await Promise.allSettled(this.#reads);
    await store?.close();
  }

  async #checkSpace(): Promise<void> {
    this.#cancelSpace();
    // What cannot be asked is not the store's failure: that shows when it is written.
    this.#free = await freeBytes(dirname(this.#options.path)).catch(() => Number.POSITIVE_INFINITY);
    if (this.#closed) return;
    this.#update();
    this.#cancelSpace();
    this.#cancelSpace = this.#options.clock.after(SPACE_MS, () => void this.#checkSpace());
  }

  #update(): void {
    const { path, lowSpaceBytes, minFreeBytes } = this.#options;
    const free = this.#free;
    const before = this.state.current;
    const next: OutboxState = this.#problem
      ? { state: "failed", reason: this.#problem.reason }
      : free < minFreeBytes
        ? { state: "failed", reason: fullWords(path, free) }
        : free < lowSpaceBytes
          ? { state: "low-space", reason: lowWords(path, free, minFreeBytes) }
          : { state: "ok" };
    if (next.state === before.state && next.state !== "failed") return;
    if (next.state === "failed" && before.state === "failed" && next.reason === before.reason) return;
    this.state.set(next);
  }
}

function lockedError(path: string, cause: unknown): SakuraError {
  const message = `the outbox in ${path} is in use by another program: stop the other bridge, or give this one an outbox.path of its own`;
  return new SakuraError("PORT_BUSY", message, { context: { reason: "outbox-locked", path }, cause });
}

const WHAT_TO_DO = "delete what is not needed there, or set outbox.path to a directory with more room";

const fullWords = (path: string, free: number): string =>
  `the disk with the outbox ${path} is full (${sizeText(free)} left): nothing more is taken until there is room; ${WHAT_TO_DO}`;

const lowWords = (path: string, free: number, min: number): string =>
  `the disk with the outbox ${path} is nearly full (${sizeText(free)} left): under ${sizeText(min)} nothing more is taken; ${WHAT_TO_DO}`;

const failedWords = (path: string, free: number | undefined, error: unknown): string =>
  `the outbox ${path} cannot be used (${innermostReason(error)}${free === undefined ? "" : `; ${sizeText(free)} free on its disk`}): nothing is taken until it can; see that the disk works and that this user may write there`;

function freeNow(path: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

/** LevelDB writes what its logs hold into a table before it opens. */
async function hasRoomToOpen(path: string): Promise<boolean> {
  const names = (await readdir(path)).filter((name) => name.endsWith(".log"));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(path, name))).size));
  const logs = sizes.reduce((sum, size) => sum + size, 0);
  return (await freeBytes(path)) >= logs + OPENING_BYTES;
}
