/**
 * A service that is reached by one connection: connects, hands over what its outbox lane holds, connects again when
 * the connection is gone. How a connection is made is each kind of service's own.
 */
import type { Clock } from "../../protocol/bus.ts";
import { isSakuraError, reasonOf, type SakuraError } from "../../protocol/errors.ts";
import { pause } from "../clock.ts";
import { Backoff, endsWithin, SERVICE_BACKOFF } from "./backoff.ts";
import type { OutboxLane, OutboxMessage } from "./outbox/outbox.ts";
import { RateLimit } from "./rate-limit.ts";
import {
  type Service,
  type ServiceEvents,
  type ServiceFailure,
  type ServiceState,
  serviceFailures,
} from "./service.ts";
import { StateHolder } from "./state-holder.ts";

/** A connection that is up. */
export interface Connection {
  /**
   * Hands one message over. Calls `done` once it is written to the socket, maybe before this returns, and never when
   * the connection ends before.
   */
  publish(message: OutboxMessage, done: () => void): void;
  /** Says goodbye after what was published; resolves when it is closed, at the latest after `timeoutMs`. */
  end(timeoutMs: number): Promise<void>;
}

export interface ConnectionEvents {
  readonly onDownlink: (payload: Uint8Array) => void;
  /** It ended by itself. Not called before the connection was given, nor after `end`. */
  readonly onLost: (reason: SakuraError) => void;
}

export interface ConnectedServiceOptions {
  readonly name: string;
  /** `HOST:PORT` */
  readonly endpoint: string;
  readonly lane: OutboxLane;
  readonly clock: Clock;
  readonly random?: (() => number) | undefined;
  /** Messages handed over and not yet written; default 100. */
  readonly window?: number | undefined;
  /** Messages a second, in and out together; nothing for no limit. */
  readonly maxRate?: number | undefined;
  /** @throws SakuraError SERVICE_FAILED with context.reason, see ServiceFailure; ABORTED */
  connect(events: ConnectionEvents, signal: AbortSignal): Promise<Connection>;
}

const DEFAULT_WINDOW = 100;
/** After so long online the next failure is a new one (aws-iot §3). */
const STABLE_MS = 30_000;
/** For a connection's goodbye. */
const END_MS = 700;

export class ConnectedService implements Service {
  readonly name: string;
  readonly #options: ConnectedServiceOptions;
  readonly #state: StateHolder<ServiceState>;
  readonly #backoff: Backoff;
  readonly #rate: RateLimit | undefined;
  readonly #window: number;
  readonly #stop = new AbortController();
  /** Ends the wait between two tries. */
  #wake = new AbortController();
  #events: ServiceEvents = { onDownlink: () => undefined, onPublished: () => undefined };
  #connection: Connection | undefined;
  #endConnection: (reason: SakuraError | undefined) => void = () => undefined;
  #inFlight = 0;
  #pumping = false;
  #pumpComes = false;
  #cancelRateWait: (() => void) | undefined;
  #onDrained: (() => void) | undefined;
  #life: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(options: ConnectedServiceOptions) {
    const { name, clock, random, maxRate, window = DEFAULT_WINDOW } = options;
    this.name = name;
    this.#options = options;
    this.#window = window;
    this.#state = new StateHolder<ServiceState>({ state: "connecting", since: clock.now() });
    this.#backoff = new Backoff({ ...SERVICE_BACKOFF, random });
    this.#rate = maxRate === undefined ? undefined : new RateLimit(maxRate, clock);
  }

  start(events: ServiceEvents): void {
    this.#events = events;
    this.#options.lane.onReady(() => this.#pumpSoon());
    this.#life = this.#live();
  }

  state(): ServiceState {
    return this.#state.current;
  }

  onState(listener: (state: ServiceState) => void): () => void {
    return this.#state.onChange(listener);
  }

  retry(): void {
    if (this.#state.current.state !== "online") this.#wake.abort();
  }

  tell(_topic: string, _payload: Uint8Array): void {}

  close(drainMs: number): Promise<void> {
    this.#closed ??= this.#close(drainMs);
    return this.#closed;
  }

  async #close(drainMs: number): Promise<void> {
    if (this.#connection && !this.#isDrained()) {
      const drained = new Promise<void>((resolve) => {
        this.#onDrained = resolve;
      });
      await endsWithin(this.#options.clock, drainMs, drained);
    }
    this.#stop.abort();
    this.#wake.abort();
    this.#endConnection(undefined);
    await this.#life;
    this.#state.set({ state: "stopped", since: this.#options.clock.now() });
  }

  async #live(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      // From here on, so that a retry() during the attempt counts.
      this.#wake = new AbortController();
      const reason = await this.#once(signal);
      if (signal.aborted) return;
      const wait = this.#backoff.fail();
      this.#fail(reason, clock.now() + wait);
      await pause(clock, wait, this.#wake.signal);
      if (!signal.aborted) this.#fail(reason, undefined);
    }
  }

  /** One connection, from the try to its end. */
  async #once(signal: AbortSignal): Promise<unknown> {
    const { clock, connect, endpoint, lane } = this.#options;
    const lost = new Promise<SakuraError | undefined>((resolve) => {
      this.#endConnection = resolve;
    });
    let connection: Connection;
    try {
      connection = await connect(
        { onDownlink: (payload) => this.#downlink(payload), onLost: (reason) => this.#endConnection(reason) },
        signal,
      );
    } catch (error) {
      return error;
    }
    const since = clock.now();
    this.#connection = connection;
    this.#inFlight = 0;
    lane.rewind();
    this.#state.set({ state: "online", since, endpoint });
    this.#pump();
    const reason = await lost;
    this.#connection = undefined;
    this.#cancelRateWait?.();
    this.#cancelRateWait = undefined;
    // There is nothing to drain into any more.
    this.#onDrained?.();
    if (clock.now() - since >= STABLE_MS) this.#backoff.reset();
    if (reason === undefined) await connection.end(END_MS);
    return reason;
  }

  #fail(error: unknown, nextAttempt: number | undefined): void {
    const { current } = this.#state;
    this.#state.set({
      state: "error",
      since: current.state === "error" ? current.since : this.#options.clock.now(),
      failure: failureOf(error),
      reason: reasonOf(error),
      attempts: this.#backoff.failures,
      nextAttempt,
    });
  }

  #downlink(payload: Uint8Array): void {
    this.#rate?.count();
    this.#events.onDownlink(payload);
  }

  /** Once a turn of the event loop: what came in one goes out in one, and who appended hears of that first. */
  #pumpSoon(): void {
    if (this.#pumpComes) return;
    this.#pumpComes = true;
    setImmediate(() => {
      this.#pumpComes = false;
      this.#pump();
    });
  }

  /** Hands over what the lane holds, as far as the window and the rate allow. */
  #pump(): void {
    // A write that the socket takes at once reports back from within.
    if (this.#pumping) return;
    this.#pumping = true;
    const { lane } = this.#options;
    for (let connection = this.#connection; connection && this.#inFlight < this.#window; ) {
      if (this.#mustWait()) break;
      const message = lane.next();
      if (!message) break;
      this.#inFlight++;
      this.#rate?.count();
      connection.publish(message, () => this.#published(connection, message));
      connection = this.#connection;
    }
    this.#pumping = false;
  }

  #published(connection: Connection | undefined, message: OutboxMessage): void {
    // A late word from a connection that is gone: the message has been handed out again.
    if (connection !== this.#connection) return;
    this.#inFlight--;
    this.#options.lane.forget(message);
    this.#events.onPublished(message);
    if (this.#isDrained()) this.#onDrained?.();
    this.#pump();
  }

  #mustWait(): boolean {
    const wait = this.#rate?.wait() ?? 0;
    if (wait === 0) return false;
    this.#cancelRateWait ??= this.#options.clock.after(wait, () => {
      this.#cancelRateWait = undefined;
      this.#pump();
    });
    return true;
  }

  #isDrained(): boolean {
    return this.#options.lane.messages === 0;
  }
}

function failureOf(error: unknown): ServiceFailure {
  if (!isSakuraError(error, "SERVICE_FAILED")) return "failed";
  const { reason } = error.context;
  return serviceFailures.find((failure) => failure === reason) ?? "failed";
}
