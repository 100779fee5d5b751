/** The limits that are measured in time or in open acknowledgements (aws-iot.md §3), for what clients send. */
import type { Clock } from "../../protocol/bus.ts";
import type { EndpointEvent, FlowReason } from "./events.ts";
import type { Faults } from "./faults.ts";
import type { Limits } from "./limits.ts";
import type { Objection, Rule, Session } from "./rules.ts";
import { TokenBucket } from "./token-bucket.ts";
import type { PublishRequest } from "./wire.ts";

/** What all connections of an endpoint share. */
export interface Traffic {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly faults: Faults;
  readonly accountIn: TokenBucket;
  readonly accountOut: TokenBucket;
  readonly emit: (event: EndpointEvent) => void;
}

export function createTraffic(shared: Omit<Traffic, "accountIn" | "accountOut">): Traffic {
  const { clock, limits } = shared;
  const perSecond = () => limits.max("accountRate");
  return { ...shared, accountIn: new TokenBucket(clock, perSecond), accountOut: new TokenBucket(clock, perSecond) };
}

/** What both directions of one connection share. */
export interface ConnectionRates {
  readonly publishes: TokenBucket;
  readonly throughput: Throughput;
}

export function createRates(traffic: Traffic): ConnectionRates {
  const { clock, limits } = traffic;
  return {
    publishes: new TokenBucket(clock, () => limits.max("publishRate")),
    throughput: new Throughput(traffic),
  };
}

/** A connection that is too fast is told of once in so long, not for each of its chunks. */
const TELL_EVERY_MS = 1_000;

/** The bytes of one connection, both ways. */
export class Throughput {
  readonly #traffic: Traffic;
  readonly #bytes: TokenBucket;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(traffic: Traffic) {
    this.#traffic = traffic;
    this.#bytes = new TokenBucket(traffic.clock, () => traffic.limits.max("throughput"));
  }

  /** Counts what has gone. @returns ms until more may */
  take(bytes: number, clientId: string): number {
    const ms = this.#bytes.take(bytes);
    const now = this.#traffic.clock.now();
    if (ms > 0 && Math.abs(now - this.#toldAt) >= TELL_EVERY_MS) {
      this.#toldAt = now;
      this.#traffic.emit({ type: "delayed", clientId, ms });
    }
    return ms;
  }
}

/** The publishes that one client sends. */
export class Incoming {
  readonly #traffic: Traffic;
  readonly #rates: ConnectionRates;
  readonly #unacknowledged = new Set<number>();
  #publishes = 0;

  constructor(traffic: Traffic, rates: ConnectionRates) {
    this.#traffic = traffic;
    this.#rates = rates;
  }

  /** @returns whether it is taken; what is not is told, and gets no answer */
  take(request: PublishRequest, { clientId }: Session): boolean {
    this.#publishes++;
    const reason = this.#obstacle(request);
    if (reason === undefined) return true;
    const { topic, qos, payloadBytes: bytes } = request;
    this.#traffic.emit({ type: "discarded", clientId, direction: "in", topic, bytes, qos, reason });
    return false;
  }

  /** Its PUBACK goes out. */
  acknowledged(packetId: number): void {
    this.#unacknowledged.delete(packetId);
  }

  #obstacle({ packetId }: PublishRequest): FlowReason | undefined {
    const { limits, accountIn } = this.#traffic;
    if (packetId !== undefined && !this.#unacknowledged.has(packetId)) {
      if (this.#unacknowledged.size >= limits.max("unacknowledged")) return "unacknowledged";
    }
    if (!this.#rates.publishes.tryTake()) return "publish-rate";
    if (!accountIn.tryTake()) return "account-rate";
    if (packetId !== undefined) this.#unacknowledged.add(packetId);
    return undefined;
  }

  /** The fault that ends the connection after what it has sent. */
  fault(): Objection | undefined {
    return this.#traffic.faults.dropsAfter(this.#publishes);
  }
}

/** Client ids that are remembered before those are forgotten that may connect again. */
const REMEMBERED_MAX = 1_000;

/** One CONNECT a second for each client id; refused as everything is, without a word. */
export function connectRateRule(clock: Clock, limits: Limits): Rule {
  const buckets = new Map<string, TokenBucket>();
  return {
    connect({ clientId }) {
      if (buckets.size > REMEMBERED_MAX) {
        for (const [id, bucket] of buckets) if (bucket.msUntilOne() === 0) buckets.delete(id);
      }
      const bucket = buckets.get(clientId) ?? new TokenBucket(clock, () => limits.max("connectRate"));
      buckets.set(clientId, bucket);
      if (bucket.tryTake()) return undefined;
      const message = `client id ${clientId}: more than ${limits.max("connectRate")} CONNECT a second`;
      return { reason: "connect-rate", message };
    },
  };
}
