/**
 * What has been accepted and not yet handed to every service: one lane for each service, ordered and bounded.
 *
 *     take ──append──▶ ┌ lane plant-a ┐ ──next──▶ in flight ──forget────▶ gone
 *                      └ lane plant-b ┘     ▲         ├──────setAside──▶ dead letters
 *                                           └─rewind──┘  (another service object takes the lane over)
 */
import { SakuraError } from "../../../protocol/errors.ts";

/** One message as it is published, encoded once for all services. */
export interface OutboxMessage {
  readonly module: string;
  /** JSON, UTF-8. */
  readonly payload: Uint8Array;
}

/** A message that was set aside, because the connection broke on it again and again. */
export interface DeadLetter extends OutboxMessage {
  /** Names it in its lane, for as long as it is there. */
  readonly id: string;
  /** Unix ms. */
  readonly setAsideAt: number;
  /** For people. */
  readonly reason: string;
}

/** Why messages left a lane without having reached the service. */
export interface Dropped {
  /** Pushed out by newer ones: `when_full: drop-oldest`. */
  readonly full: number;
  /** Older than `max_age`. */
  readonly expired: number;
  /** Damaged on disk. */
  readonly damaged: number;
}

/** One service's part. Its reading side is synchronous, because it is read as fast as the socket takes. */
export interface OutboxLane {
  /** Messages accepted and not forgotten; dead letters are not among them. */
  readonly messages: number;
  /** What they, and the dead letters, take of the lane's bound. */
  readonly bytes: number;
  /** Since the lane was opened. */
  readonly dropped: Dropped;
  readonly deadLetters: number;
  /** When the oldest that is not forgotten was accepted, Unix ms; nothing when the lane is empty. */
  readonly oldestAt: number | undefined;
  /**
   * The oldest message that has not been handed out since it came, or since the last rewind. Nothing when none is ready:
   * more may be on its way from the disk, and `onReady` says when it is there.
   */
  next(): OutboxMessage | undefined;
  /** The service has it: it leaves for good. The very object that `next` gave; in any order. */
  forget(message: OutboxMessage): void;
  /**
   * Before a message is tried again: when it is older than `maxAgeMs` by now, it leaves for good, counted as expired.
   * @returns whether it has left
   */
  dropExpired(message: OutboxMessage): boolean;
  /** What was handed out and not forgotten is handed out again, in the old order: for who takes the lane over. */
  rewind(): void;
  /** Calls the listener when `next` may give something again. Returns its removal. */
  onReady(listener: () => void): () => void;
  /**
   * Moves it to the dead letters: the very object that `next` gave. Resolves when that is kept: while nothing can be
   * written it waits, and the message is not handed out again in this run.
   * @throws SakuraError CLOSED: the next run hands it out again
   */
  setAside(message: OutboxMessage, reason: string): Promise<void>;
  /** The oldest dead letters behind `after`, an id; at most `limit`. */
  listDeadLetters(page: {
    readonly after?: string | undefined;
    readonly limit: number;
  }): Promise<readonly DeadLetter[]>;
  /**
   * Puts them at the end of the lane again. Resolves with how many there were, once that is kept.
   * @throws SakuraError REFUSED, context.reason `outbox-failed`; INVALID_ARGUMENT for what is no id; CLOSED
   */
  retryDeadLetters(ids: readonly string[] | "all"): Promise<number>;
  /** Resolves with how many there were. @throws as {@link retryDeadLetters} */
  deleteDeadLetters(ids: readonly string[] | "all"): Promise<number>;
}

/** How the place stands where messages are kept. */
export type OutboxState =
  | { readonly state: "ok" }
  | {
      /** Messages are still taken; soon they will not be. */
      readonly state: "low-space";
      readonly reason: string;
    }
  | {
      /** Nothing is taken: each append is refused until this is over, and it is tried again. */
      readonly state: "failed";
      readonly reason: string;
    };

export interface Outbox {
  /** The lane of a service, made at its first mention. */
  lane(service: string): OutboxLane;
  /** The names of all lanes that are kept, those of services that are gone too. */
  lanes(): readonly string[];
  /**
   * Gives a lane, with all that it holds, another name.
   * @throws SakuraError INVALID_ARGUMENT when that one is taken; REFUSED, context.reason `outbox-failed`: nothing has
   * changed; CLOSED
   */
  rename(from: string, to: string): Promise<void>;
  /** Forgets a lane with all that it holds. @throws SakuraError REFUSED, context.reason `outbox-failed`; CLOSED */
  remove(service: string): Promise<void>;
  /**
   * Keeps a message for all of these services, or for none. Resolves once it is kept as safely as this outbox keeps
   * things; the order of the calls is the order in every lane.
   * @throws SakuraError REFUSED, context.reason `outbox-full` (with context.service) or `outbox-failed`; CLOSED
   */
  append(message: OutboxMessage, services: readonly string[]): Promise<void>;
  state(): OutboxState;
  /** Calls the listener with each new state. Returns its removal. */
  onState(listener: (state: OutboxState) => void): () => void;
  /** What is unsent stays where it is kept, or is lost with a memory. Further calls do nothing. */
  close(): Promise<void>;
}

export type WhenFull = "refuse" | "drop-oldest";

export interface OutboxBounds {
  /** Of each lane. */
  readonly maxBytes: number;
  /** ms; nothing for no limit. */
  readonly maxAgeMs?: number | undefined;
  /** Default `refuse`: the module keeps the message, and says so. */
  readonly whenFull?: WhenFull | undefined;
}

/** What an entry takes beside its payload, roughly, so that many small messages are bounded as well. */
export const ENTRY_OVERHEAD = 128;

export function outboxFull(service: string, messages: number, maxBytes: number): SakuraError {
  return new SakuraError(
    "REFUSED",
    `the outbox of service ${service} is full (${messages} messages, outbox.max_bytes ${maxBytes}): ` +
      "bring the service online, or allow more",
    { context: { reason: "outbox-full", service } },
  );
}
