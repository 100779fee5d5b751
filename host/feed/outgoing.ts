/**
 * Readings on their way out: first held here, then in the module's TX queue, then sent. After trouble the queue is counted
 * before anything more is done, so that no reading is sent twice, and one whose fate cannot be told is counted as such.
 */
import type { Clock } from "../../protocol/bus.ts";
import type { ChannelEntry } from "../../protocol/channel.ts";
import { isSakuraError, SakuraError } from "../../protocol/errors.ts";
import { pause } from "../clock.ts";
import type { SakuraModule } from "../module.ts";
import { isRefusal } from "../outcome.ts";

export interface Reading {
  readonly entry: ChannelEntry;
  /** When it was read, on the feed's clock: Unix ms. */
  readonly readAt: number;
}

export interface OutgoingEvents {
  /** The module has sent these. */
  sent(entries: readonly ChannelEntry[]): void;
  /** Nobody can tell whether these were sent. */
  unknown(entries: readonly ChannelEntry[], why: string): void;
}

type Module = Pick<SakuraModule, "txEnqueue" | "txLength" | "txStat" | "flush">;

/** A reading that goes out later than this has an offset; what is less is the way to the module. */
const LATE_MS = 20;
const POLL_MS = 50;
/** How long a send that somebody began may take until the queue can be counted. */
const SENDING_MS = 10_000;

export class Outgoing {
  readonly #module: Module;
  readonly #clock: Clock;
  readonly #events: OutgoingEvents;
  #held: Reading[] = [];
  /** What is in the module's TX queue, oldest first, behind what somebody else had put there. */
  #queued: Reading[] = [];
  #foreign = 0;
  /** It may be in the queue or not. */
  #open: Reading | undefined;
  #uncertain = false;

  constructor(module: Module, clock: Clock, events: OutgoingEvents) {
    this.#module = module;
    this.#clock = clock;
    this.#events = events;
  }

  /** Readings that are not sent yet. */
  get waiting(): number {
    return this.#held.length + this.#queued.length + (this.#open ? 1 : 0);
  }

  /** Of these, the ones that are in the module. */
  get inModule(): number {
    return this.#queued.length;
  }

  /** Looks how full the module's TX queue is, before anything is put there. @throws SakuraError as TX_LENGTH */
  async begin(signal: AbortSignal): Promise<void> {
    this.#foreign = (await this.#module.txLength({ signal })).queued;
  }

  add(readings: readonly Reading[]): void {
    // Not by spreading: a round may be as long as a file, and arguments are not.
    for (const reading of readings) this.#held.push(reading);
  }

  /** Drops the oldest of those that are held here, so that so many are left. Returns them. */
  dropBeyond(most: number): readonly Reading[] {
    return this.#held.splice(0, Math.max(0, this.#held.length - most));
  }

  /** The port has gone, and with it perhaps the module's power: the queue is counted before it is used again. */
  suspect(): void {
    this.#uncertain = true;
  }

  /** The last of it: what may be in the module or sent, and will not be counted any more, is unknown. */
  end(): void {
    if (!this.#uncertain) return;
    const open = [...this.#queued.splice(0), ...(this.#open ? [this.#open] : [])].map(({ entry }) => entry);
    this.#open = undefined;
    if (open.length > 0) this.#events.unknown(open, "the feed ended before the module's TX queue could be counted");
  }

  /**
   * Sends all that waits. What could not be sent waits on, for the next call.
   * @throws SakuraError as TX_ENQUEUE, TX_LENGTH and `SakuraModule.flush`
   */
  async send(signal: AbortSignal): Promise<void> {
    if (this.#uncertain) await this.#settle(signal);
    for (let flushed = false; this.#held.length > 0; ) {
      try {
        await this.#enqueueFirst(signal);
      } catch (error) {
        // A full queue is sent to make room; one that is full after that is not ours to empty.
        if (!isRefusal(error, "RUNTIME") || flushed) throw error;
        await this.#flush(signal);
        flushed = true;
        continue;
      }
      flushed = false;
    }
    if (this.#queued.length > 0) await this.#flush(signal);
  }

  async #enqueueFirst(signal: AbortSignal): Promise<void> {
    const [reading] = this.#held;
    if (!reading) return;
    const late = Math.round(this.#clock.now() - reading.readAt);
    const offset = late > LATE_MS ? { offset: BigInt(-late) } : {};
    try {
      await this.#module.txEnqueue({ ...reading.entry, ...offset }, { signal });
    } catch (error) {
      if (!isOpen(error)) throw error;
      this.#held.shift();
      this.#open = reading;
      this.#uncertain = true;
      // Where the line is good again the queue's length tells at once.
      if (isSakuraError(error, "OUTCOME_UNKNOWN")) return this.#settle(signal);
      throw error;
    }
    this.#held.shift();
    this.#queued.push(reading);
  }

  async #flush(signal: AbortSignal): Promise<void> {
    try {
      await this.#module.flush({ signal });
    } catch (error) {
      this.#uncertain = true;
      // The module's own word that it could not: then the queue's length says how much of it had gone.
      if (isRefusal(error, "RUNTIME") || isFailedSend(error)) await this.#settle(signal, "failed");
      throw error;
    }
    this.#foreign = 0;
    this.#take(this.#queued.length);
  }

  /** Counts the module's queue, and so finds out what has become of what is open. */
  async #settle(signal: AbortSignal, lastSend: "failed" | "open" = "open"): Promise<void> {
    await this.#sendEnded(signal);
    const { queued } = await this.#module.txLength({ signal });
    const open = this.#open;
    const expected = this.#foreign + this.#queued.length;
    this.#open = undefined;
    this.#uncertain = false;
    if (open && queued === expected + 1) this.#queued.push(open);
    else if (open && queued === expected) this.#held.unshift(open);
    else if (open)
      this.#events.unknown([open.entry], "TX_ENQUEUE had no answer, and the TX queue has been changed since");
    const gone = Math.max(0, expected - queued);
    const foreign = Math.min(gone, this.#foreign);
    this.#foreign -= foreign;
    const ours = gone - foreign;
    if (ours === 0) return;
    if (lastSend === "failed") this.#take(ours);
    else {
      const lost = this.#queued.splice(0, ours).map(({ entry }) => entry);
      this.#events.unknown(
        lost,
        "they left the TX queue while the module could not be seen: sent, or gone with its power",
      );
    }
  }

  async #sendEnded(signal: AbortSignal): Promise<void> {
    const end = this.#clock.now() + SENDING_MS;
    while ((await this.#module.txStat({ signal })).queue === "sending") {
      if (this.#clock.now() >= end) {
        throw new SakuraError("TIMEOUT", `the module is still sending after ${SENDING_MS} ms`, {
          context: { timeoutMs: SENDING_MS },
        });
      }
      await pause(this.#clock, POLL_MS, signal);
    }
  }

  /** The oldest in the queue have been sent. */
  #take(count: number): void {
    const sent = this.#queued.splice(0, count);
    if (sent.length > 0) this.#events.sent(sent.map(({ entry }) => entry));
  }
}

/** Whether a TX_ENQUEUE may have been carried out all the same. */
function isOpen(error: unknown): boolean {
  if (isSakuraError(error, "OUTCOME_UNKNOWN")) return true;
  const { outcome } = isSakuraError(error) ? error.context : {};
  return outcome === "unknown";
}

/** As `SakuraModule.flush` says that TX_STAT ended in 2. */
function isFailedSend(error: unknown): boolean {
  const { status } = isSakuraError(error, "MODULE_REFUSED") ? error.context : {};
  return status === "failed";
}
