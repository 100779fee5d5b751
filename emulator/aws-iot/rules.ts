/**
 * What the endpoint asks of each packet before its broker sees it. A rule objects or stays silent; the first that
 * objects ends the connection, without an answer, as AWS ends it (aws-iot.md §3).
 */
import type { EndReason } from "./events.ts";
import type { ConnectRequest, PublishRequest, SubscribeRequest } from "./wire.ts";

/** Who is asking. */
export interface Session {
  readonly certificateId: string;
  readonly clientId: string;
}

export interface Objection {
  readonly reason: EndReason;
  /** For people: what was asked, and what to look at. */
  readonly message: string;
}

/** One thing that AWS imposes; each method is asked in the order of the packets on the wire. */
export interface Rule {
  connect?(request: ConnectRequest, session: Session): Objection | undefined;
  publish?(request: PublishRequest, session: Session): Objection | undefined;
  subscribe?(request: SubscribeRequest, session: Session): Objection | undefined;
}

/** The first objection against any of them: of several rules against a packet, or of one against several topics. */
export function firstObjection<T>(all: readonly T[], ask: (one: T) => Objection | undefined): Objection | undefined {
  for (const one of all) {
    const objection = ask(one);
    if (objection) return objection;
  }
  return undefined;
}

/** What every CONNECT must be to be looked at any further. */
export const connectRule: Rule = {
  connect({ protocolLevel, clientId }) {
    if (protocolLevel !== 4) {
      const message = `protocol level ${protocolLevel}; only MQTT 3.1.1 (level 4) is emulated`;
      return { reason: "unsupported-protocol", message };
    }
    return clientId === "" ? { reason: "client-id", message: "a CONNECT without a client id" } : undefined;
  },
};

/**
 * `$…` belongs to the broker: only `$aws/…` is AWS's to give. A shared subscription (`$share/…`) is AWS's too, but is
 * not emulated, and it is better refused than never delivered to.
 */
export const reservedTopicsRule: Rule = {
  connect: ({ will }) => (will ? reserved(will.topic) : undefined),
  publish: ({ topic }) => reserved(topic),
  subscribe: ({ filters }) => firstObjection(filters, ({ filter }) => reserved(filter)),
};

function reserved(topic: string): Objection | undefined {
  if (!topic.startsWith("$") || topic.startsWith("$aws/")) return undefined;
  return { reason: "reserved-topic", message: `${topic}: topics that begin with $ are reserved, but for $aws/` };
}
