/**
 * Frames over a bus that the master clocks, I2C or SPI: what both have in common. How one request and its answer are
 * carried is the carrier's.
 */
import type { Clock } from "../../protocol/bus.ts";
import { isSakuraError, SakuraError } from "../../protocol/errors.ts";
import { frameProblem } from "../../protocol/frame.ts";
import { statuses } from "../../protocol/status.ts";
import { systemClock } from "../clock.ts";
import {
  abortedError,
  closedError,
  type ExchangeOptions,
  type FrameEvent,
  type FrameExchange,
  isUnreached,
  type Leftover,
  type StrayEvent,
} from "./exchange.ts";
import { Pings } from "./pings.ts";

/** From a request to the reading of its answer, in ms, as published drivers have it (§4, §5). */
export const WAIT_MS = 10;

export interface BusOptions {
  /** Between a request and the reading of its answer, in ms; 10 unless told (§4, §5). */
  readonly waitMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** One bus with a module on it. */
export interface FrameCarrier {
  readonly name: string;
  /** @throws SakuraError as `FrameExchange.exchange` */
  carry(request: Uint8Array, options: ExchangeOptions): Promise<Uint8Array>;
  /** Waits for the last request's answer once more, where the bus can give it again. Throws as `carry`. */
  again(options: ExchangeOptions): Promise<Uint8Array | undefined>;
  onClose(listener: (reason: SakuraError | undefined) => void): () => void;
  close(): Promise<void>;
}

/** A module that answers, and never with the echo, is asked so often. */
const PINGS_MAX = 8;

export class BusExchange implements FrameExchange {
  readonly name: string;
  readonly noisy = true;
  suspect = false;
  readonly #carrier: FrameCarrier;
  readonly #clock: Clock;
  readonly #pings: Pings;
  readonly #frameListeners = new Set<(frame: FrameEvent) => void>();
  readonly #strayListeners = new Set<(stray: StrayEvent) => void>();
  /** Ends what waits when the bus has ended: the waits between two calls of the bus are not its own. */
  readonly #stop = new AbortController();
  /** Why the bus has ended, where it has. */
  #ended: SakuraError | undefined;
  /** What the bus carried last was a caller's request, and no echo of ours: its answer may still come. */
  #mayBeLate = false;
  #busy = false;

  constructor(carrier: FrameCarrier, clock: Clock = systemClock) {
    this.name = carrier.name;
    this.#carrier = carrier;
    this.#clock = clock;
    this.#pings = new Pings(clock.now());
    carrier.onClose((reason) => {
      this.#ended = reason ?? closedError(this.name);
      this.#stop.abort();
    });
  }

  exchange(request: Uint8Array, options: ExchangeOptions): Promise<Uint8Array> {
    return this.#alone(options, async (limits) => {
      this.#mayBeLate = true;
      try {
        return await this.#carry(request, limits);
      } catch (error) {
        // What the module never got cannot be answered late.
        if (!isUnreached(error)) this.suspect = true;
        throw error;
      }
    });
  }

  resync(options: ExchangeOptions): Promise<Leftover> {
    this.suspect = true;
    return this.#alone(options, async (limits) => {
      const late = await this.#late(limits);
      try {
        this.suspect = !(await this.#echoes(limits));
      } catch (error) {
        // The answer before counts all the same.
        if (!late || isSakuraError(error, "ABORTED") || isSakuraError(error, "CLOSED")) throw error;
      }
      return { late, unreadable: false };
    });
  }

  onFrame(listener: (frame: FrameEvent) => void): () => void {
    this.#frameListeners.add(listener);
    return () => this.#frameListeners.delete(listener);
  }

  onStray(listener: (stray: StrayEvent) => void): () => void {
    this.#strayListeners.add(listener);
    return () => this.#strayListeners.delete(listener);
  }

  onClose(listener: (reason: SakuraError | undefined) => void): () => void {
    return this.#carrier.onClose(listener);
  }

  close(): Promise<void> {
    return this.#carrier.close();
  }

  /** One at a time, and no longer than the bus is there. */
  async #alone<T>({ timeoutMs, signal }: ExchangeOptions, work: (limits: ExchangeOptions) => Promise<T>): Promise<T> {
    if (this.#stop.signal.aborted) throw this.#ended;
    if (signal?.aborted) throw abortedError(this.name, signal);
    if (this.#busy) throw new SakuraError("INVALID_ARGUMENT", `${this.name} is in use: one exchange at a time`);
    this.#busy = true;
    const either = new AbortController();
    const abort = (): void => either.abort(signal?.reason);
    const ends = [this.#stop.signal, signal];
    for (const end of ends) end?.addEventListener("abort", abort, { once: true });
    try {
      return await work({ timeoutMs, signal: either.signal });
    } catch (error) {
      throw this.#stop.signal.aborted ? this.#ended : error;
    } finally {
      for (const end of ends) end?.removeEventListener("abort", abort);
      this.#busy = false;
    }
  }

  async #carry(request: Uint8Array, options: ExchangeOptions): Promise<Uint8Array> {
    this.#report("request", request);
    try {
      const answer = await this.#carrier.carry(request, options);
      this.#report("answer", answer);
      return answer;
    } catch (error) {
      if (isSakuraError(error, "NO_ANSWER")) this.#silent();
      throw error;
    }
  }

  #silent(): void {
    const stray: StrayEvent = { kind: "silence", time: this.#clock.now() };
    for (const listener of this.#strayListeners) listener(stray);
  }

  /** The answer to a caller's request that waits, where it is whole. */
  async #late(options: ExchangeOptions): Promise<Uint8Array | undefined> {
    if (!this.#mayBeLate) return undefined;
    try {
      const answer = await this.#carrier.again(options);
      if (!answer || frameProblem(answer) !== undefined) return undefined;
      this.#report("answer", answer);
      return answer;
    } catch (error) {
      if (isSakuraError(error, "NO_ANSWER")) return undefined;
      throw error;
    }
  }

  /** Whether an echo that no other is like has come back. @throws SakuraError when the module does not react */
  async #echoes(options: ExchangeOptions): Promise<boolean> {
    this.#mayBeLate = false;
    const end = this.#clock.now() + options.timeoutMs;
    for (let sent = 0; sent < 2 || (sent < PINGS_MAX && this.#clock.now() < end); sent++) {
      const last = sent > 0 && this.#clock.now() >= end;
      try {
        const answer = await this.#carry(this.#pings.next(), options);
        if (this.#pings.numberOf(answer) === this.#pings.sent) return true;
        // A firmware that knows no echo has answered this one all the same.
        if (frameProblem(answer) === undefined && answer[0] === statuses.values.MISSING) return true;
      } catch (error) {
        if (!isSakuraError(error, "NO_ANSWER") || last || sent === PINGS_MAX - 1) throw error;
      }
    }
    return false;
  }

  #report(direction: FrameEvent["direction"], bytes: Uint8Array): void {
    if (this.#frameListeners.size === 0) return;
    const frame = { direction, time: this.#clock.now(), bytes };
    for (const listener of this.#frameListeners) listener(frame);
  }
}
