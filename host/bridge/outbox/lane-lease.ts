/**
 * A lane as one service object has it, until it is given back: what a service that was replaced does afterwards does not
 * reach the lane any more. It also tells of dead letters.
 */
import type { DeadLetter, Dropped, OutboxLane, OutboxMessage } from "./outbox.ts";

export class LaneLease implements OutboxLane {
  readonly #lane: OutboxLane;
  readonly #onDeadLetter: (message: OutboxMessage, reason: string) => void;
  readonly #removals: (() => void)[] = [];
  #isOver = false;

  /** @param onDeadLetter called once the message is kept among the dead letters */
  constructor(lane: OutboxLane, onDeadLetter: (message: OutboxMessage, reason: string) => void) {
    this.#lane = lane;
    this.#onDeadLetter = onDeadLetter;
  }

  /** Gives the lane back: what was handed out and not forgotten is there for the next. */
  end(): void {
    this.#isOver = true;
    for (const remove of this.#removals.splice(0)) remove();
    this.#lane.rewind();
  }

  get messages(): number {
    return this.#lane.messages;
  }
  get bytes(): number {
    return this.#lane.bytes;
  }
  get dropped(): Dropped {
    return this.#lane.dropped;
  }
  get deadLetters(): number {
    return this.#lane.deadLetters;
  }
  get oldestAt(): number | undefined {
    return this.#lane.oldestAt;
  }
  next(): OutboxMessage | undefined {
    return this.#isOver ? undefined : this.#lane.next();
  }
  forget(message: OutboxMessage): void {
    if (!this.#isOver) this.#lane.forget(message);
  }
  dropExpired(message: OutboxMessage): boolean {
    return !this.#isOver && this.#lane.dropExpired(message);
  }
  rewind(): void {
    if (!this.#isOver) this.#lane.rewind();
  }
  onReady(listener: () => void): () => void {
    if (this.#isOver) return () => undefined;
    const remove = this.#lane.onReady(listener);
    this.#removals.push(remove);
    return remove;
  }
  async setAside(message: OutboxMessage, reason: string): Promise<void> {
    if (this.#isOver) return;
    await this.#lane.setAside(message, reason);
    this.#onDeadLetter(message, reason);
  }
  listDeadLetters(page: {
    readonly after?: string | undefined;
    readonly limit: number;
  }): Promise<readonly DeadLetter[]> {
    return this.#lane.listDeadLetters(page);
  }
  retryDeadLetters(ids: readonly string[] | "all"): Promise<number> {
    return this.#lane.retryDeadLetters(ids);
  }
  deleteDeadLetters(ids: readonly string[] | "all"): Promise<number> {
    return this.#lane.deleteDeadLetters(ids);
  }
}
