/** The life of one connection: made, lost, made again after a wait that grows. */
import type { Clock } from "../../../protocol/bus.ts";
import { isSakuraError, reasonOf, type SakuraError } from "../../../protocol/errors.ts";
import { monotonicMs, pause } from "../../clock.ts";
import { Backoff, SERVICE_BACKOFF } from "../backoff.ts";
import { type ConnectionState, type PastFailure, type ServiceFailure, serviceFailures } from "../service.ts";
import type { Connection, ConnectionEvents, Delivery, Loss } from "./connection.ts";

export interface MemberOptions {
  readonly clientId: string;
  /** `HOST:PORT` */
  readonly endpoint: string;
  readonly clock: Clock;
  readonly random: (() => number) | undefined;
  /** @throws SakuraError SERVICE_FAILED with context.reason, see ServiceFailure; ABORTED */
  readonly connect: (events: ConnectionEvents, signal: AbortSignal) => Promise<Connection>;
  readonly onUp: (connection: Connection) => void;
  /** @param loss nothing when it was to end */
  readonly onDown: (loss: Loss | undefined) => void;
  readonly onDelivered: (delivery: Delivery) => void;
  readonly onDownlink: (payload: Uint8Array) => void;
  readonly onState: () => void;
}

/** After so long online the next failure is a new one (aws-iot §3). */
const STABLE_MS = 30_000;
/** For a connection's goodbye. */
const END_MS = 700;

/** Why a connection is over. */
type End =
  | { readonly by: "peer"; readonly loss: Loss }
  | { readonly by: "us"; readonly loss: Loss }
  | { readonly by: "stop"; readonly loss?: undefined };

export class Member {
  readonly #options: MemberOptions;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  /** Ends the wait between two tries. */
  #wake = new AbortController();
  #state: ConnectionState;
  #lastFailure: PastFailure | undefined;
  #end: (end: End) => void = () => undefined;
  #life: Promise<void> = Promise.resolve();

  constructor(options: MemberOptions) {
    const { clientId, clock, random } = options;
    this.#options = options;
    this.#backoff = new Backoff({ ...SERVICE_BACKOFF, random });
    this.#state = { clientId, state: "connecting", since: clock.now() };
  }

  get state(): ConnectionState {
    return this.#state;
  }

  start(): void {
    this.#life = this.#live();
  }

  /** Tries again at once, when it is not online. */
  retry(): void {
    if (this.#state.state !== "online") this.#wake.abort();
  }

  /** Ends the connection that is up, as a failure. */
  drop(reason: SakuraError): void {
    this.#end({ by: "us", loss: { reason, afterPublish: false } });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    this.#end({ by: "stop" });
    await this.#life;
    const { clientId, clock } = this.#options;
    this.#set({ clientId, state: "stopped", since: clock.now(), lastFailure: this.#lastFailure });
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
      this.#lastFailure = { failure: failureOf(reason), reason: reasonOf(reason), at: clock.now() };
      this.#fail(this.#lastFailure, clock.now() + wait);
      await pause(clock, wait, this.#wake.signal);
      if (!signal.aborted) this.#fail(this.#lastFailure, undefined);
    }
  }

  /** One connection, from the try to its end. */
  async #once(signal: AbortSignal): Promise<unknown> {
    const { clientId, clock, endpoint, onUp, onDown } = this.#options;
    let isOver = false;
    const ended = new Promise<End>((resolve) => {
      this.#end = resolve;
    });
    const events: ConnectionEvents = {
      // A late word from a connection that is gone must not count: the message is on its way again.
      onDelivered: (delivery) => {
        if (!isOver) this.#options.onDelivered(delivery);
      },
      onDownlink: (payload) => this.#options.onDownlink(payload),
      onLost: (loss) => {
        isOver = true;
        this.#end({ by: "peer", loss });
      },
    };
    let connection: Connection;
    try {
      connection = await this.#options.connect(events, signal);
    } catch (error) {
      return error;
    }
    const upAt = monotonicMs(clock);
    const { failures: attempts } = this.#backoff;
    this.#set({ clientId, state: "online", since: clock.now(), endpoint, attempts, lastFailure: this.#lastFailure });
    onUp(connection);
    const { by, loss } = await ended;
    if (by !== "peer") await connection.end(by === "stop" ? END_MS : 0);
    isOver = true;
    onDown(loss);
    if (monotonicMs(clock) - upAt >= STABLE_MS) this.#backoff.reset();
    return loss?.reason;
  }

  #fail(lastFailure: PastFailure, nextAttempt: number | undefined): void {
    const { clientId, clock } = this.#options;
    const { failure, reason } = lastFailure;
    const since = this.#state.state === "error" ? this.#state.since : clock.now();
    const attempts = this.#backoff.failures;
    this.#set({ clientId, state: "error", since, failure, reason, attempts, nextAttempt, lastFailure });
  }

  #set(state: ConnectionState): void {
    this.#state = state;
    this.#options.onState();
  }
}

function failureOf(error: unknown): ServiceFailure {
  if (!isSakuraError(error, "SERVICE_FAILED")) return "failed";
  const { reason } = error.context;
  return serviceFailures.find((failure) => failure === reason) ?? "failed";
}
