/**
 * What has been accepted and not yet handed to every service: one lane for each service, ordered and bounded.
 *
 *     take ──append──▶ ┌ lane plant-a ┐ ──next──▶ in flight ──forget──▶ gone
 *                      └ lane plant-b ┘     ▲         │
 *                                           └─rewind──┘  (the connection died)
 */
import { SakuraError } from "../../protocol/errors.ts";

/** One message as it is published, encoded once for all services. */
export interface OutboxMessage {
  readonly module: string;
  /** JSON, UTF-8. */
  readonly payload: Uint8Array;
}

/** One service's part. Its reading side is synchronous, because it is read as fast as the socket takes. */
export interface OutboxLane {
  /** Messages accepted and not forgotten. */
  readonly messages: number;
  /** What they take of the lane's bound. */
  readonly bytes: number;
  /** The oldest message that has not been handed out since it came, or since the last rewind. */
  next(): OutboxMessage | undefined;
  /** The service has it: it leaves for good. The very object that `next` gave. */
  forget(message: OutboxMessage): void;
  /** What was handed out and not forgotten is handed out again, in the old order. */
  rewind(): void;
  /** Calls the listener when a message has been appended. Returns its removal. */
  onAppend(listener: () => void): () => void;
}

export interface Outbox {
  /** The lane of a service, made at its first mention. */
  lane(service: string): OutboxLane;
  /**
   * Keeps a message for all of these services, or for none. Resolves once it is kept as safely as this outbox keeps
   * things; the order of the calls is the order in every lane.
   * @throws SakuraError REFUSED, context.reason `outbox-full` and context.service; CLOSED
   */
  append(message: OutboxMessage, services: readonly string[]): Promise<void>;
  /** What is unsent stays where it is kept, or is lost with a memory. Further calls do nothing. */
  close(): Promise<void>;
}

/** What an entry takes beside its payload, roughly, so that many small messages are bounded as well. */
const ENTRY_OVERHEAD = 128;
/** Places at the front that may lie empty before the list is moved up. */
const SLACK = 1024;

/** An outbox in memory, which lasts as long as the process. */
export class MemoryOutbox implements Outbox {
  readonly #maxBytes: number;
  readonly #lanes = new Map<string, MemoryLane>();
  #closed = false;

  /** @param maxBytes the bound of each lane */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  lane(service: string): OutboxLane {
    return this.#lane(service);
  }

  append(message: OutboxMessage, services: readonly string[]): Promise<void> {
    if (this.#closed) return Promise.reject(new SakuraError("CLOSED", "the outbox is closed: the bridge stops"));
    const size = message.payload.length + ENTRY_OVERHEAD;
    const full = services.find((service) => this.#lane(service).bytes + size > this.#maxBytes);
    if (full !== undefined) return Promise.reject(outboxFull(full, this.#lane(full).messages, this.#maxBytes));
    for (const service of services) this.#lane(service).push(message, size);
    return Promise.resolve();
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

export function outboxFull(service: string, messages: number, maxBytes: number): SakuraError {
  return new SakuraError(
    "REFUSED",
    `the outbox of service ${service} is full (${messages} messages, outbox.max_bytes ${maxBytes}): ` +
      "bring the service online, or allow more",
    { context: { reason: "outbox-full", service } },
  );
}

interface Entry extends OutboxMessage {
  readonly size: number;
  forgotten: boolean;
}

class MemoryLane implements OutboxLane {
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
    this.#entries.push({ module, payload, size, forgotten: false });
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

  rewind(): void {
    this.#cursor = this.#head;
  }

  onAppend(listener: () => void): () => void {
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
