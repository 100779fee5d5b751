/** What the broker asks of the endpoint: who may publish, receive and subscribe. */
import type { Aedes, Client, PublishPacket } from "aedes";
import type { Connection } from "./connection.ts";
import type { CertificateRegistry } from "./registry.ts";
import { firstObjection, type Objection, reservedTopicsRule } from "./rules.ts";
import type { Traffic } from "./traffic.ts";

export interface BrokerOptions {
  readonly registry: CertificateRegistry;
  readonly traffic: Traffic;
  /** Whose the broker's client is. */
  readonly connectionOf: (client: Client) => Connection | undefined;
}

/** Wires the broker's questions and events, once. */
export function wireBroker(broker: Aedes, { registry, traffic, connectionOf }: BrokerOptions): void {
  const { emit } = traffic;

  /**
   * The broker asks before every publish. What the client sent has been judged on the wire already; its will has not,
   * and is published when the policies may have changed.
   */
  const publishObjection = ({ session }: Connection, packet: PublishPacket): Objection | undefined => {
    const { topic, qos, retain } = packet;
    const bytes = Buffer.byteLength(packet.payload);
    const request = { topic, qos, retain, payloadBytes: bytes };
    const objection = firstObjection([reservedTopicsRule, registry.rule], (rule) => rule.publish?.(request, session));
    if (!objection) emit({ type: "published", clientId: session.clientId, topic, bytes, qos });
    return objection;
  };

  broker.authorizePublish = (client, packet, done) => {
    const connection = client ? connectionOf(client) : undefined;
    const objection = connection ? publishObjection(connection, packet) : undefined;
    done(connection && !objection ? null : new Error(objection?.message ?? "nobody's"));
  };
  broker.authorizeForward = (client, packet) => {
    const connection = connectionOf(client);
    return connection && registry.mayReceive(connection.session, packet.topic) ? packet : null;
  };

  const filtersOf = new WeakMap<Client, Set<string>>();
  broker.authorizeSubscribe = (client, subscription, done) => {
    const filters = filtersOf.get(client) ?? new Set();
    filtersOf.set(client, filters);
    const filter = subscription.topic;
    const max = traffic.limits.max("subscriptions");
    if (filters.has(filter) || filters.size < max) {
      filters.add(filter);
      done(null, subscription);
      return;
    }
    const clientId = connectionOf(client)?.session.clientId ?? "";
    emit({ type: "subscribe-refused", clientId, filter, message: `AWS takes ${max} subscriptions a connection` });
    done(null, null);
  };
  broker.on("unsubscribe", (removed, client) => {
    for (const filter of removed) filtersOf.get(client)?.delete(filter);
  });
  broker.on("subscribe", (subscriptions, client) => {
    const clientId = connectionOf(client)?.session.clientId;
    if (clientId === undefined) return;
    for (const { topic, qos } of subscriptions) {
      // 128 is a refusal in the SUBACK (MQTT 3.1.1 §3.9.3).
      if (qos <= 2) emit({ type: "subscribed", clientId, filter: topic, qos });
    }
  });
}
