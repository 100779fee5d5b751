/**
 * The downlink messages of one module: delivered one after the other, in the order in which they came. While the link is
 * down or the module offline they wait, so many of them and so long; whatever becomes of one, it is told.
 */
import type { Clock } from "../../../protocol/bus.ts";
import { isSakuraError, reasonOf, SakuraError } from "../../../protocol/errors.ts";
import type { DownlinkMessage } from "../../../protocol/message.ts";
import { monotonicMs } from "../../clock.ts";
import { Backoff } from "../backoff.ts";
import type { DownlinkRefusal } from "../events.ts";
import type { Link, LinkRefusal } from "../link.ts";
import type { DownlinkOutcome } from "./result.ts";

/** How many messages of a module may wait for a link that is down, and how long. */
export interface DownlinkBounds {
  readonly maxWaiting: number;
  /** ms */
  readonly maxAgeMs: number;
}

export interface QueuedDownlink {
  readonly service: string | undefined;
  readonly message: DownlinkMessage;
  /** Whether it waits for a link that is down; else that is its refusal. */
  readonly waits: boolean;
  /** Unix ms. */
  readonly since: number;
  /** On the monotonic clock. */
  readonly deadline: number;
  readonly maxAgeMs: number;
  /** Called once. */
  readonly done: (outcome: DownlinkOutcome) => void;
}

export interface DownlinkQueueOptions {
  readonly module: string;
  readonly clock: Clock;
  readonly random?: (() => number) | undefined;
  readonly bounds: () => DownlinkBounds;
  /** The module's link as it is now. */
  readonly link: () => Link | undefined;
  /** It holds nothing any more. */
  readonly onEmpty: () => void;
}

/** Messages that may wait for a link that is up, which takes them one after the other. */
const BUSY_MAX = 100;
/** How long a link may take for one message. */
const DELIVER_TIMEOUT_MS = 30_000;
/** Of a module that is back in its network nobody says so: it is asked, by trying again. */
const HELD_BACKOFF = { minMs: 1_000, maxMs: 30_000 } as const;

type Refusal = DownlinkOutcome & { readonly accepted: false };

export class DownlinkQueue {
  readonly #options: DownlinkQueueOptions;
  readonly #backoff: Backoff;
  #items: QueuedDownlink[] = [];
  #running = false;
  /** Something has happened while it ran that is worth another look. */
  #wakeAgain = false;
  /** The first one is on its way. */
  #delivering: AbortController | undefined;
  /** Why the first one could not be delivered and waits. */
  #held: Refusal | undefined;
  #closed: Refusal | undefined;
  #cancelRetry: () => void = () => undefined;
  #cancelExpiry: () => void = () => undefined;

  constructor(options: DownlinkQueueOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ ...HELD_BACKOFF, random: options.random });
  }

  /** Those that are not on their way. */
  waiting(): readonly QueuedDownlink[] {
    return this.#delivering ? this.#items.slice(1) : this.#items;
  }

  push(item: QueuedDownlink): void {
    const { module, bounds } = this.#options;
    const { maxWaiting } = bounds();
    const held = this.#held !== undefined;
    if (held && item.waits && this.#items.length >= maxWaiting) {
      item.done(queueFull(maxWaiting, module));
      return;
    }
    if (this.#items.length >= BUSY_MAX + (held ? maxWaiting : 0)) {
      const message = `${BUSY_MAX} messages wait for module ${module} already: send more slowly`;
      item.done(refused("link-busy", message));
      return;
    }
    this.#items.push(item);
    // Who does not wait wants to know now: the link may be up again.
    if (!item.waits || !(held || this.#running)) this.wake();
    else if (held) this.#armExpiry();
  }

  /** Tries again at once: the link has another state, or is another one. */
  wake(): void {
    if (this.#running) this.#wakeAgain = true;
    else if (!this.#closed) void this.#run();
  }

  /** Refuses everything, what is on its way too. */
  close(reason: DownlinkRefusal, message: string): void {
    if (this.#closed) return;
    const refusal = refused(reason, message);
    this.#closed = refusal;
    this.#cancelTimers();
    const rest = this.#items.splice(this.#delivering ? 1 : 0);
    for (const { done } of rest) done(refusal);
    this.#delivering?.abort();
  }

  /** Delivers until nothing is left, or the first one must wait. Never rejects. */
  async #run(): Promise<void> {
    this.#running = true;
    do {
      this.#wakeAgain = false;
      this.#cancelTimers();
      await this.#deliverAll();
    } while ((this.#wakeAgain || !this.#held) && this.#items.length > 0 && !this.#closed);
    this.#running = false;
    if (this.#items.length === 0) this.#options.onEmpty();
  }

  async #deliverAll(): Promise<void> {
    for (let item = this.#items[0]; item !== undefined; item = this.#items[0]) {
      if (item.waits && this.#isExpired(item)) {
        this.#items.shift();
        item.done(this.#expired(item));
        continue;
      }
      const abort = new AbortController();
      this.#delivering = abort;
      const outcome = await this.#deliver(item.message, abort);
      this.#delivering = undefined;
      if (this.#closed) {
        this.#items.shift();
        item.done(outcome.accepted ? outcome : this.#closed);
        return;
      }
      if (!outcome.accepted && isForNow(outcome.reason)) {
        this.#hold(outcome);
        return;
      }
      this.#items.shift();
      this.#held = undefined;
      this.#backoff.reset();
      item.done(outcome);
    }
  }

  /** What may wait goes on waiting. */
  #hold(refusal: Refusal): void {
    const { module, bounds, clock, link } = this.#options;
    const { maxWaiting } = bounds();
    this.#held = refusal;
    let kept = 0;
    const gone: (() => void)[] = [];
    this.#items = this.#items.filter(({ waits, done }) => {
      if (waits && kept < maxWaiting) {
        kept++;
        return true;
      }
      gone.push(() => done(waits && maxWaiting > 0 ? queueFull(maxWaiting, module) : refusal));
      return false;
    });
    if (kept > 0) {
      this.#armExpiry();
      // A link that is not up says when it is.
      if (link()?.state().state === "up") this.#cancelRetry = clock.after(this.#backoff.fail(), () => this.wake());
    }
    for (const tell of gone) tell();
  }

  async #deliver(message: DownlinkMessage, abort: AbortController): Promise<DownlinkOutcome> {
    const { clock, module } = this.#options;
    const link = this.#options.link();
    if (!link) return refused("unknown-module", `module ${module} has been removed`);
    const state = link.state();
    if (state.state !== "up") {
      const why = state.state === "error" ? state.reason : state.state;
      return refused("link-down", `the link of module ${module} is not up: ${why}`);
    }
    const cancel = clock.after(DELIVER_TIMEOUT_MS, () => abort.abort());
    try {
      await Promise.race([link.deliver(message, abort.signal), rejectedAt(abort.signal, module)]);
      return { accepted: true };
    } catch (error) {
      return refused(refusalOf(error), reasonOf(error));
    } finally {
      cancel();
    }
  }

  #armExpiry(): void {
    const { clock } = this.#options;
    this.#cancelExpiry();
    // What is on its way has its own limit.
    const first = this.waiting().reduce((least, { deadline }) => Math.min(least, deadline), Number.POSITIVE_INFINITY);
    if (first === Number.POSITIVE_INFINITY) return;
    this.#cancelExpiry = clock.after(Math.max(0, first - monotonicMs(clock)), () => this.#expire());
  }

  #expire(): void {
    const expired = this.waiting().filter((item) => item.waits && this.#isExpired(item));
    this.#items = this.#items.filter((item) => !expired.includes(item));
    if (this.#items.length > 0) this.#armExpiry();
    else this.#cancelTimers();
    for (const item of expired) item.done(this.#expired(item));
    if (this.#items.length === 0) this.#options.onEmpty();
  }

  #isExpired({ deadline }: QueuedDownlink): boolean {
    return monotonicMs(this.#options.clock) >= deadline;
  }

  #expired({ maxAgeMs }: QueuedDownlink): Refusal {
    const why = this.#held?.message ?? "its link was down";
    return refused("expired", `it waited ${Math.round(maxAgeMs / 1_000)} s, downlinks.max_age: ${why}`);
  }

  #cancelTimers(): void {
    this.#cancelRetry();
    this.#cancelExpiry();
  }
}

/** What time may mend: worth waiting for. */
function isForNow(reason: DownlinkRefusal): boolean {
  const passing: readonly LinkRefusal[] = ["link-down", "offline"];
  return passing.some((one) => one === reason);
}

function refused(reason: DownlinkRefusal, message: string): Refusal {
  return { accepted: false, reason, message };
}

function queueFull(maxWaiting: number, module: string): Refusal {
  const message = `${maxWaiting} messages wait for the link of module ${module} already, downlinks.max_waiting`;
  return refused("queue-full", message);
}

function refusalOf(error: unknown): DownlinkRefusal {
  if (!isSakuraError(error)) return "failed";
  const { reason } = error.context;
  return error.code === "REFUSED" && typeof reason === "string"
    ? reason
    : error.code.toLowerCase().replaceAll("_", "-");
}

/** A link that does not mind the signal must not stop the messages behind this one. */
function rejectedAt(signal: AbortSignal, module: string): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => {
      const context = { reason: "timeout" };
      reject(new SakuraError("REFUSED", `the link of module ${module} did not take it in time`, { context }));
    });
  });
}
