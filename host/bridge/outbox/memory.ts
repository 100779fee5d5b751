/** An outbox in memory, which lasts as long as the process: for tests, and for programs that keep nothing. */
import { SakuraError } from "../../../protocol/errors.ts";
import { StateHolder } from "../state-holder.ts";
import {
  type DeadLetter,
  type Dropped,
  ENTRY_OVERHEAD,
  type Outbox,
  type OutboxLane,
  type OutboxMessage,
  type OutboxState,
  outboxFull,
} from "./outbox.ts";

/** Places at the front that may lie empty before the list is moved up. */
const SLACK = 1024;

export class MemoryOutbox implements Outbox {
  readonly #maxBytes: number;
  readonly #lanes = new Map<string, MemoryLane>();
  readonly #state = new StateHolder<OutboxState>({ state: "ok" });
  #closed = false;

  /** @param maxBytes the bound of each lane */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  lane(service: string): OutboxLane {
    return this.#lane(service);
  }

  lanes(): readonly string[] {
    return [...this.#lanes.keys()];
  }

  rename(from: string, to: string): Promise<void> {
    if (this.#lanes.has(to)) {
      return Promise.reject(new SakuraError("INVALID_ARGUMENT", `there is a lane ${to} already`));
    }
    this.#lanes.set(to, this.#lane(from));
    this.#lanes.delete(from);
    return Promise.resolve();
  }

  remove(service: string): Promise<void> {
    this.#lanes.delete(service);
    return Promise.resolve();
  }

  append(message: OutboxMessage, services: readonly string[]): Promise<void> {
    if (this.#closed) return Promise.reject(new SakuraError("CLOSED", "the outbox is closed: the bridge stops"));
    const size = message.payload.length + ENTRY_OVERHEAD;
    const full = services.find((service) => this.#lane(service).bytes + size > this.#maxBytes);
    if (full !== undefined) return Promise.reject(outboxFull(full, this.#lane(full).messages, this.#maxBytes));
    for (const service of services) this.#lane(service).push(message, size);
    return Promise.resolve();
  }

  state(): OutboxState {
    return this.#state.current;
  }

  onState(listener: (state: OutboxState) => void): () => void {
    return this.#state.onChange(listener);
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  #lane(service: string): MemoryLane {
    const existing = this.#lanes.get(service);
    if (existing) return existing;
    const lane = new MemoryLane();
    this.#lanes.set(service, lane);
    return lane;
  }
}

interface Entry extends OutboxMessage {
  readonly size: number;
  readonly at: number;
  forgotten: boolean;
}

const NOTHING_DROPPED: Dropped = { full: 0, expired: 0, damaged: 0 };

class MemoryLane implements OutboxLane {
  readonly dropped = NOTHING_DROPPED;
  readonly #dead = new Map<string, DeadLetter & { readonly size: number }>();
  #deadNumber = 0;
  readonly #listeners = new Set<() => void>();
  #entries: (Entry | undefined)[] = [];
  /** The first that is not forgotten. */
  #head = 0;
  /** The next to hand out. */
  #cursor = 0;
  #messages = 0;
  #bytes = 0;

  get messages(): number {
    return this.#messages;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push({ module, payload }: OutboxMessage, size: number): void {
    this.#entries.push({ module, payload, size, at: Date.now(), forgotten: false });
    this.#messages++;
    this.#bytes += size;
    for (const listener of this.#listeners) listener();
  }

  next(): OutboxMessage | undefined {
    while (this.#cursor < this.#entries.length) {
      const entry = this.#entries[this.#cursor++];
      if (entry && !entry.forgotten) return entry;
    }
    return undefined;
  }

  forget(message: OutboxMessage): void {
    // Nearly always it is the first; at the latest it is in what was handed out.
    for (let at = this.#head; at < this.#cursor; at++) {
      const entry = this.#entries[at];
      if (entry !== message || entry.forgotten) continue;
      entry.forgotten = true;
      this.#messages--;
      this.#bytes -= entry.size;
      break;
    }
    this.#release();
  }

  /** It knows no age. */
  dropExpired(): boolean {
    return false;
  }

  rewind(): void {
    this.#cursor = this.#head;
  }

  get deadLetters(): number {
    return this.#dead.size;
  }

  get oldestAt(): number | undefined {
    return this.#entries[this.#head]?.at;
  }

  setAside(message: OutboxMessage, reason: string): Promise<void> {
    const size = message.payload.length + ENTRY_OVERHEAD;
    this.forget(message);
    this.#bytes += size;
    const id = String(++this.#deadNumber);
    const { module, payload } = message;
    this.#dead.set(id, { id, module, payload, reason, setAsideAt: Date.now(), size });
    return Promise.resolve();
  }

  listDeadLetters({
    after = "0",
    limit,
  }: {
    readonly after?: string | undefined;
    readonly limit: number;
  }): Promise<readonly DeadLetter[]> {
    return Promise.resolve([...this.#dead.values()].filter(({ id }) => Number(id) > Number(after)).slice(0, limit));
  }

  retryDeadLetters(ids: readonly string[] | "all"): Promise<number> {
    const letters = this.#takeDead(ids);
    for (const letter of letters) this.push(letter, letter.size);
    return Promise.resolve(letters.length);
  }

  deleteDeadLetters(ids: readonly string[] | "all"): Promise<number> {
    return Promise.resolve(this.#takeDead(ids).length);
  }

  #takeDead(ids: readonly string[] | "all"): (DeadLetter & { readonly size: number })[] {
    const letters = [...this.#dead.values()].filter(({ id }) => ids === "all" || ids.includes(id));
    for (const { id, size } of letters) {
      this.#dead.delete(id);
      this.#bytes -= size;
    }
    return letters;
  }

  onReady(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #release(): void {
    while (this.#head < this.#cursor && this.#entries[this.#head]?.forgotten !== false) {
      this.#entries[this.#head++] = undefined;
    }
    if (this.#head < SLACK || this.#head * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#cursor -= this.#head;
    this.#head = 0;
  }
}
