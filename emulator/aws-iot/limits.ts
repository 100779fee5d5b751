/** The sizes and counts that AWS IoT Core holds a client to (aws-iot.md §3), each of which can be switched off. */
import { firstObjection, type Objection, type Rule } from "./rules.ts";
import type { PublishRequest } from "./wire.ts";

/** One of the limits: what it is called where it is switched. */
export type LimitName = keyof typeof LIMITS;

/** Which limits hold; one that is not named does. */
export type LimitSwitches = { readonly [name in LimitName]?: boolean };

const LIMITS = {
  /** Bytes of one payload: past it, disconnected. */
  payload: 128 * 1024,
  /** Bytes of a topic or filter: past it, the connection is reset. */
  topicBytes: 256,
  /** Slashes of a topic or filter, those of `$aws/rules/RULE/` not counted: past it, the connection is reset. */
  topicSlashes: 7,
  /** Bytes of a client id. */
  clientId: 128,
  /** Topics in one SUBSCRIBE. */
  subscribeTopics: 8,
  /** The highest QoS: 2 gets no acknowledgement but a disconnect, of a will too. */
  qos: 1,
} as const;

const BASIC_INGEST = /^\$aws\/rules\/[^/]+\//;

/** A PUBLISH has a topic of at most 65,535 bytes and two lengths beside its payload. */
const PUBLISH_OVERHEAD_MAX = 2 + 65_535 + 2;

/** The remaining length beyond which a packet must be a payload too large; nothing where that limit is off. */
export function remainingLengthMax(switches: LimitSwitches): number | undefined {
  return switches.payload === false ? undefined : LIMITS.payload + PUBLISH_OVERHEAD_MAX;
}

/** The rule that holds clients to the limits that are on. */
export function limitsRule(switches: LimitSwitches = {}): Rule {
  const exceeds = (name: LimitName, value: number): boolean => switches[name] !== false && value > LIMITS[name];

  const topicObjection = (topic: string): Objection | undefined => {
    const bytes = Buffer.byteLength(topic);
    if (exceeds("topicBytes", bytes)) {
      return { reason: "topic-too-long", message: `a topic of ${bytes} bytes; AWS takes ${LIMITS.topicBytes}` };
    }
    const slashes = topic.replace(BASIC_INGEST, "").split("/").length - 1;
    if (exceeds("topicSlashes", slashes)) {
      return { reason: "topic-too-long", message: `${topic}: ${slashes} slashes; AWS takes ${LIMITS.topicSlashes}` };
    }
    return undefined;
  };
  const qosObjection = (qos: number, what: string): Objection | undefined =>
    exceeds("qos", qos) ? { reason: "qos-2", message: `${what} with QoS ${qos}; AWS knows 0 and 1` } : undefined;
  const publishObjection = ({ topic, qos, payloadBytes }: PublishRequest, what: string): Objection | undefined => {
    if (exceeds("payload", payloadBytes)) {
      const message = `${what} to ${topic}: a payload of ${payloadBytes} bytes; AWS takes ${LIMITS.payload}`;
      return { reason: "payload-too-large", message };
    }
    return qosObjection(qos, `${what} to ${topic}`) ?? topicObjection(topic);
  };

  return {
    connect({ clientId, will }) {
      const bytes = Buffer.byteLength(clientId);
      if (exceeds("clientId", bytes)) {
        return { reason: "client-id", message: `a client id of ${bytes} bytes; AWS takes ${LIMITS.clientId}` };
      }
      return will && publishObjection(will, "a will");
    },
    publish: (request) => publishObjection(request, "a publish"),
    subscribe({ filters }) {
      if (exceeds("subscribeTopics", filters.length)) {
        const message = `${filters.length} topics in one SUBSCRIBE; AWS takes ${LIMITS.subscribeTopics}`;
        return { reason: "too-many-topics", message };
      }
      return firstObjection(
        filters,
        ({ filter, qos }) => qosObjection(qos, `a subscription to ${filter}`) ?? topicObjection(filter),
      );
    },
  };
}
