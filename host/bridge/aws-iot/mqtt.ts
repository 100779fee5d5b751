/** How MQTT.js is set up: with nothing of what it does by itself (aws-iot §4). */
import type { AwsIotServiceConfig } from "../../config/schema.ts";

const PACKET_ID_MAX = 65_535;
/** Beyond what an attempt is given: ours comes first. */
const CONNACK_TIMEOUT_MS = 60_000;

/** Packet identifiers in turn, without those in use: MQTT.js's own come round to one whose PUBACK is withheld. */
export class PacketIds {
  readonly #inUse: ReadonlyMap<number, unknown>;
  #last = 0;

  constructor(inUse: ReadonlyMap<number, unknown>) {
    this.#inUse = inUse;
  }

  allocate(): number {
    do this.#last = (this.#last % PACKET_ID_MAX) + 1;
    while (this.#inUse.has(this.#last));
    return this.#last;
  }

  getLastAllocated(): number {
    return this.#last;
  }

  register(): boolean {
    return true;
  }

  deallocate(): void {}

  clear(): void {}
}

export function clientOptions(clientId: string, config: AwsIotServiceConfig, ids: PacketIds) {
  return {
    clientId,
    protocolVersion: 4 as const,
    // At QoS 1 a persistent session: what comes down meanwhile waits at the broker.
    clean: config.qos === 0,
    keepalive: config.keep_alive,
    // A timer set anew for every PUBACK costs more than a ping now and then.
    reschedulePings: false,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    messageIdProvider: ids,
    connectTimeout: CONNACK_TIMEOUT_MS,
    timerVariant: "native" as const,
  };
}
