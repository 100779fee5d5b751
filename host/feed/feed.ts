/** A scripted MCU: sends rounds of values into a module at a pace, and takes what comes down. */
import type { Clock } from "../../protocol/bus.ts";
import type { ChannelEntry } from "../../protocol/channel.ts";
import { isSakuraError, SakuraError } from "../../protocol/errors.ts";
import { pause, systemClock } from "../clock.ts";
import type { SakuraModule } from "../module.ts";
import type { ReceivedValue } from "../receive.ts";
import { Outgoing } from "./outgoing.ts";
import type { FeedRound, FeedSource } from "./round.ts";

export type FeedEvent =
  /** A round's values are about to go; rounds count from 1. */
  | { readonly kind: "round"; readonly round: number; readonly values: readonly ChannelEntry[] }
  /** The module has sent these, of this round or of earlier ones. */
  | { readonly kind: "sent"; readonly round: number; readonly values: readonly ChannelEntry[] }
  /** Nobody can tell whether these were sent. */
  | { readonly kind: "unknown"; readonly values: readonly ChannelEntry[]; readonly why: string }
  /** Too many wait: the oldest are given up. */
  | { readonly kind: "dropped"; readonly values: readonly ChannelEntry[] }
  | { readonly kind: "received"; readonly value: ReceivedValue }
  /** It could not send or receive now; so many values wait for the next round. */
  | { readonly kind: "trouble"; readonly error: SakuraError; readonly waiting: number };

export interface FeedOptions {
  /** Between the beginnings of two rounds without a time of their own, in ms, 0 or more; 1000 unless told. */
  readonly everyMs?: number | undefined;
  /** How many rounds; as many as the source has unless told. */
  readonly rounds?: number | undefined;
  /** Takes what comes down, as a firmware would; done unless told. */
  readonly receive?: boolean | undefined;
  /** How long an empty RX queue is left alone, in ms; 200 unless told. */
  readonly pollMs?: number | undefined;
  /** Ends the feed after the round under way, which has 3 s for that. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: FeedEvent) => void) | undefined;
  /** The module's, where that is not the system's. */
  readonly clock?: Clock | undefined;
}

/** Counts of values, but for the rounds. Every value is in one of the four `sent`, `waiting`, `unknown`, `dropped`. */
export interface FeedSummary {
  rounds: number;
  /** The module has sent them. */
  sent: number;
  /** Not sent when the feed ended; `inModule` of them are in the module's TX queue, where the next send takes them. */
  waiting: number;
  inModule: number;
  /** Nobody can tell. */
  unknown: number;
  dropped: number;
  received: number;
}

/** So many readings are held while nothing can be sent; an MCU would hold less. */
const HELD_MAX = 10_000;
/** What the round under way has left when the feed is stopped. */
const LAST_ROUND_MS = 3000;
/** After the last round, what still waits is tried again for so long. */
const LAST_TRIES_MS = 10_000;
/** After one that could not send, the next round does not come sooner. */
const RETRY_MS = 200;

/**
 * Sends rounds of values until the source has no more, or the signal. What cannot be sent now (offline, a full queue, a
 * module that does not answer, a lost port that is opened again) waits and goes with a later round, its age as offset.
 *
 *     await feed(module, waveRounds([parseWave("sine", "1:f=20..30/60s")], { everyMs: 1000 }), { signal });
 *
 * @throws SakuraError NO_ANSWER and the port's codes when nothing answers at the start; INVALID_ARGUMENT; what does not
 *   pass, such as CLOSED, PORT_LOST of a module that was opened without `reopen`, INVALID_SYNTAX as MODULE_REFUSED
 */
export async function feed(module: SakuraModule, source: FeedSource, options: FeedOptions = {}): Promise<FeedSummary> {
  const run = new Feed(module, options);
  return run.run(source);
}

class Feed {
  readonly #module: SakuraModule;
  readonly #options: FeedOptions;
  readonly #clock: Clock;
  readonly #everyMs: number;
  /** Ends the feed: the caller's signal, or something that does not pass. */
  readonly #stop = new AbortController();
  /** Ends even the round under way. */
  readonly #late = new AbortController();
  readonly #outgoing: Outgoing;
  readonly #counts = { rounds: 0, sent: 0, unknown: 0, dropped: 0, received: 0 };

  constructor(module: SakuraModule, options: FeedOptions) {
    const { clock = systemClock, everyMs = 1000 } = options;
    if (!(everyMs >= 0 && everyMs < 2 ** 31))
      throw new SakuraError("INVALID_ARGUMENT", `a feed's everyMs is 0 or more, not ${everyMs}`);
    this.#module = module;
    this.#options = options;
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#outgoing = new Outgoing(module, clock, {
      sent: (values) => {
        this.#counts.sent += values.length;
        this.#tell({ kind: "sent", round: this.#counts.rounds, values });
      },
      unknown: (values, why) => {
        this.#counts.unknown += values.length;
        this.#tell({ kind: "unknown", values, why });
      },
    });
  }

  async run(source: FeedSource): Promise<FeedSummary> {
    const { signal } = this.#options;
    let cancel = (): void => undefined;
    const onAbort = (): void => {
      this.#stop.abort();
      cancel = this.#clock.after(LAST_ROUND_MS, () => this.#late.abort());
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) onAbort();
    const forget = this.#module.onState(({ kind }) => {
      if (kind === "lost") this.#outgoing.suspect();
    });
    try {
      // A module that does not answer now is a mistake to correct; one that falls silent later may come back.
      await this.#outgoing.begin(this.#stop.signal);
      await this.#sendAndReceive(source);
    } catch (error) {
      // Being stopped is no failure.
      if (!signal?.aborted || !isSakuraError(error, "ABORTED")) throw error;
    } finally {
      cancel();
      forget();
      signal?.removeEventListener("abort", onAbort);
    }
    this.#outgoing.end();
    return { ...this.#counts, waiting: this.#outgoing.waiting, inModule: this.#outgoing.inModule };
  }

  /** Both at once: the module's commands take turns. Whichever fails ends the other. */
  async #sendAndReceive(source: FeedSource): Promise<void> {
    const both = [this.#sendRounds(source), this.#options.receive === false ? Promise.resolve() : this.#receive()];
    const ended = both.map((work) =>
      work.catch((error: unknown) => {
        this.#stop.abort();
        throw error;
      }),
    );
    for (const { status, ...outcome } of await Promise.allSettled(ended)) {
      if (status === "rejected" && "reason" in outcome) throw outcome.reason;
    }
  }

  async #sendRounds(source: FeedSource): Promise<void> {
    const { rounds = Number.POSITIVE_INFINITY } = this.#options;
    const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    const start = this.#clock.now();
    let due = start;
    try {
      while (this.#counts.rounds < rounds && (await this.#waitUntil(due))) {
        const round = await this.#next(iterator);
        if (!round) break;
        const now = this.#clock.now();
        const readAt = round.atMs === undefined ? now : start + round.atMs;
        if (!(await this.#waitUntil(readAt))) break;
        const sent = await this.#sendRound(round.values, readAt);
        // What fell behind does not hurry afterwards: a firmware's loop does not either.
        due = round.atMs === undefined ? Math.max(due + this.#everyMs, now) : now;
        if (!sent) due = Math.max(due, this.#clock.now() + RETRY_MS);
      }
      await this.#sendRest();
    } finally {
      this.#stop.abort();
      // Not awaited: a source that waits for a reading would keep us.
      if (iterator.return) Promise.resolve(iterator.return()).catch(() => undefined);
    }
  }

  async #sendRound(values: readonly ChannelEntry[], readAt: number): Promise<boolean> {
    this.#counts.rounds++;
    this.#tell({ kind: "round", round: this.#counts.rounds, values });
    this.#outgoing.add(values.map((entry) => ({ entry, readAt })));
    if (await this.#send()) return true;
    const dropped = this.#outgoing.dropBeyond(HELD_MAX);
    if (dropped.length === 0) return false;
    this.#counts.dropped += dropped.length;
    this.#tell({ kind: "dropped", values: dropped.map(({ entry }) => entry) });
    return false;
  }

  /** After the last round: what still waits has some time left. */
  async #sendRest(): Promise<void> {
    const end = this.#clock.now() + LAST_TRIES_MS;
    while (this.#outgoing.waiting > 0 && this.#clock.now() < end) {
      if (!(await this.#waitUntil(this.#clock.now() + RETRY_MS))) return;
      await this.#send();
    }
  }

  async #send(): Promise<boolean> {
    try {
      await this.#outgoing.send(this.#late.signal);
      return true;
    } catch (error) {
      if (!isSakuraError(error) || !this.#passes(error)) throw error;
      this.#tell({ kind: "trouble", error, waiting: this.#outgoing.waiting });
      return false;
    }
  }

  async #receive(): Promise<void> {
    const values = this.#module.received({
      signal: this.#stop.signal,
      pollMs: this.#options.pollMs,
      onTrouble: (error) => this.#tell({ kind: "trouble", error, waiting: this.#outgoing.waiting }),
    });
    for await (const value of values) {
      this.#counts.received++;
      this.#tell({ kind: "received", value });
    }
  }

  #passes({ code, context }: SakuraError): boolean {
    const { status } = context;
    switch (code) {
      case "PORT_LOST":
        return this.#module.reopens;
      case "MODULE_REFUSED":
        return status !== "INVALID_SYNTAX" && status !== "MISSING";
      case "NO_ANSWER":
      case "DAMAGED_ANSWER":
      case "INVALID_PAYLOAD":
      case "OUTCOME_UNKNOWN":
      case "TIMEOUT":
        return true;
      default:
        return false;
    }
  }

  /** The source's next round; nothing at its end, or when the feed is stopped. */
  async #next(iterator: Iterator<FeedRound> | AsyncIterator<FeedRound>): Promise<FeedRound | undefined> {
    const { signal } = this.#stop;
    let onAbort = (): void => undefined;
    const stopped = new Promise<undefined>((resolve) => {
      onAbort = () => resolve(undefined);
      signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      const next = await Promise.race([iterator.next(), stopped]);
      return next && !next.done ? next.value : undefined;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Whether the feed is to go on then. */
  async #waitUntil(time: number): Promise<boolean> {
    const ms = time - this.#clock.now();
    if (ms > 0) await pause(this.#clock, ms, this.#stop.signal);
    return !this.#stop.signal.aborted;
  }

  #tell(event: FeedEvent): void {
    this.#options.onEvent?.(event);
  }
}
