/**
 * What one connection may carry at a time: a window of what is not acknowledged (or, at QoS 0, not written), a rate, and
 * a limit for the wait for an acknowledgement. What is beyond that waits here, in order.
 */
import type { Clock } from "../../../protocol/bus.ts";
import { RateLimit } from "../rate-limit.ts";
import type { Connection, Delivery } from "./connection.ts";
import { InFlight } from "./in-flight.ts";

export interface SenderOptions {
  readonly clock: Clock;
  /** Deliveries in flight. */
  readonly window: number;
  /** Publishes a second, in and out together; nothing for no limit. */
  readonly maxRate: number | undefined;
  /** Nothing where nothing is acknowledged. */
  readonly ackTimeoutMs: number | undefined;
  /** There is room again, time having gone by. */
  readonly onRoom: () => void;
  /** This one has waited too long for its acknowledgement. */
  readonly onOverdue: (delivery: Delivery) => void;
}

/**
 * Beside the window: a hundred of the largest payloads would take AWS's 512 KiB/s longer than the wait for an
 * acknowledgement lasts. That limit itself needs nothing else: past it AWS only delays, and the socket's back-pressure
 * holds the window (aws-iot §3). A hundred of a module's largest messages are well below.
 */
const BYTES_IN_FLIGHT_MAX = 256 * 1024;
/** An acknowledgement is missed at most one part of the timeout late. Ticks, because the wall's clock may be set. */
const TICKS = 4;

export class Sender {
  readonly #options: SenderOptions;
  readonly #rate: RateLimit | undefined;
  readonly #inFlight = new InFlight();
  /** Before all else. */
  #urgent: Delivery[] = [];
  #queue: Delivery[] = [];
  #connection: Connection | undefined;
  #bytes = 0;
  /** What is in flight is a suspect, and goes alone. */
  #alone = false;
  #tick = 0;
  /** The tick of the last acknowledgement. */
  #ackTick = 0;
  #cancelTick: (() => void) | undefined;
  #cancelRateWait: (() => void) | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
    const { maxRate, clock } = options;
    this.#rate = maxRate === undefined ? undefined : new RateLimit(maxRate, clock);
  }

  get isUp(): boolean {
    return this.#connection !== undefined;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Whether one more would go at once. */
  hasRoom(): boolean {
    return this.#queue.length === 0 && this.#urgent.length === 0 && this.#mayGo(false);
  }

  attach(connection: Connection): void {
    this.#connection = connection;
  }

  /** Gives back what the connection had and what waited for it, in the order in which it was given. */
  detach(): { readonly sent: readonly Delivery[]; readonly queued: readonly Delivery[] } {
    const sent = this.#inFlight.takeAll();
    const queued = this.#queue;
    this.#connection = undefined;
    this.#queue = [];
    this.#bytes = 0;
    this.#alone = false;
    this.#cancelTick?.();
    this.#cancelTick = undefined;
    this.#cancelRateWait?.();
    this.#cancelRateWait = undefined;
    return { sent, queued };
  }

  give(delivery: Delivery): void {
    if (this.#queue.length === 0 && this.#urgent.length === 0 && this.#mayGo(delivery.suspect)) this.#send(delivery);
    else this.#queue.push(delivery);
  }

  /**
   * Before all else, and kept while there is no connection.
   * @returns the one given up for it, when there are `max` already: the oldest, or this itself when it is to be first
   */
  giveUrgent(delivery: Delivery, { max, first = false }: { max: number; first?: boolean }): Delivery | undefined {
    const full = this.#urgent.length >= max;
    if (first && full) return delivery;
    const oldest = full ? this.#urgent.shift() : undefined;
    if (first) this.#urgent.unshift(delivery);
    else this.#urgent.push(delivery);
    return oldest;
  }

  get urgent(): number {
    return this.#urgent.length;
  }

  /** Sends what waits here, as far as it may. */
  flush(): void {
    this.#flush(this.#urgent);
    if (this.#urgent.length === 0) this.#flush(this.#queue);
  }

  /** @returns false when it was not in flight here */
  delivered(delivery: Delivery): boolean {
    const { oldest } = this.#inFlight;
    if (!this.#inFlight.remove(delivery)) return false;
    this.#ackTick = this.#tick;
    if (oldest !== undefined && oldest !== delivery) oldest.overtaken = true;
    this.#bytes -= delivery.payload.length;
    if (this.#inFlight.size === 0) this.#alone = false;
    return true;
  }

  /** A publish came in: it counts as well. */
  countIncoming(): void {
    this.#rate?.count();
  }

  #flush(list: Delivery[]): void {
    for (let next = list[0]; next && this.#mayGo(next.suspect); next = list[0]) {
      list.shift();
      this.#send(next);
    }
  }

  #mayGo(alone: boolean): boolean {
    if (this.#connection === undefined || this.#alone) return false;
    const { size } = this.#inFlight;
    if (size >= this.#options.window || this.#bytes >= BYTES_IN_FLIGHT_MAX) return false;
    return (!alone || size === 0) && !this.#mustWait();
  }

  #send(delivery: Delivery): void {
    const again = delivery.sentBefore;
    delivery.sentBefore = true;
    delivery.sentTick = this.#tick;
    delivery.overtaken = false;
    this.#inFlight.add(delivery);
    this.#bytes += delivery.payload.length;
    this.#alone = delivery.suspect;
    this.#rate?.count();
    if (this.#cancelTick === undefined) this.#watch();
    this.#connection?.publish(delivery, again);
  }

  #watch(): void {
    const { clock, ackTimeoutMs } = this.#options;
    if (ackTimeoutMs === undefined) return;
    this.#cancelTick = clock.after(ackTimeoutMs / TICKS, () => {
      this.#cancelTick = undefined;
      this.#tick++;
      const { oldest } = this.#inFlight;
      if (oldest === undefined) return;
      this.#watch();
      // On a slow line what waits behind others is acknowledged late, but in its turn: nothing is amiss then.
      const since = oldest.overtaken ? oldest.sentTick : Math.max(oldest.sentTick, this.#ackTick);
      if (this.#tick - since > TICKS) this.#options.onOverdue(oldest);
    });
  }

  #mustWait(): boolean {
    const wait = this.#rate?.wait() ?? 0;
    if (wait === 0) return false;
    this.#cancelRateWait ??= this.#options.clock.after(wait, () => {
      this.#cancelRateWait = undefined;
      this.#options.onRoom();
    });
    return true;
  }
}
