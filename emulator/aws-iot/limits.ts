/**
 * What AWS IoT Core holds a client to (aws-iot.md §3). Each limit can be switched off, or set to another number, while
 * the endpoint runs. Sizes and counts of a packet are judged here; what is measured in time, in `traffic.ts`.
 */
import { SakuraError } from "../../protocol/errors.ts";
import { firstObjection, type Objection, type Rule } from "./rules.ts";
import type { PublishRequest } from "./wire.ts";

/** One of the limits: what it is called where it is switched. */
export type LimitName = keyof typeof LIMITS;

/** false: it does not hold. true: AWS's number. A number: that one instead, a whole one above 0. */
export type LimitSwitches = { readonly [name in LimitName]?: boolean | number };

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
  /** Subscriptions of one connection: past it, a SUBACK that says no. */
  subscriptions: 50,
  /** The highest QoS: 2 gets no acknowledgement but a disconnect, of a will too. */
  qos: 1,
  /** Publishes a second of one connection, both ways together: past it, discarded. */
  publishRate: 100,
  /** Publishes a second of all connections, each way for itself: past it, discarded. */
  accountRate: 20_000,
  /** QoS 1 publishes of one connection without their PUBACK, each way for itself: none more until one. */
  unacknowledged: 100,
  /** Bytes a second of one connection, both ways together: past it, delayed. */
  throughput: 512 * 1024,
  /** CONNECTs a second for one client id: past it, refused. */
  connectRate: 1,
} as const;

/** Every limit's name. */
export const limitNames: readonly LimitName[] = Object.keys(LIMITS).filter(isLimitName);

function isLimitName(name: string): name is LimitName {
  return Object.hasOwn(LIMITS, name);
}

/**
 * Reads limits as people write them: `publishRate=off,accountRate=2000`. The empty text is none.
 * @throws SakuraError INVALID_ARGUMENT naming the part
 */
export function parseLimits(text: string): LimitSwitches {
  const switches: { [name in LimitName]?: boolean | number } = {};
  for (const part of text.split(",").map((each) => each.trim())) {
    if (part === "") continue;
    const [name = "", value = ""] = part.split("=").map((each) => each.trim());
    const on = value === "on" ? true : value === "off" ? false : /^\d+$/.test(value) ? Number(value) : undefined;
    if (isLimitName(name) && on !== undefined) {
      switches[name] = on;
      continue;
    }
    const message = `limits are NAME=on, off or a number, such as publishRate=off, with the names ${limitNames.join(", ")}; not "${part}"`;
    throw new SakuraError("INVALID_ARGUMENT", message, { context: { limit: name } });
  }
  return switches;
}

const BASIC_INGEST = /^\$aws\/rules\/[^/]+\//;

/** A PUBLISH has a topic of at most 65,535 bytes and two lengths beside its payload. */
const PUBLISH_OVERHEAD_MAX = 2 + 65_535 + 2;

/** Which limits hold now. */
export class Limits {
  #switches: LimitSwitches = {};

  /** @throws SakuraError INVALID_ARGUMENT, as {@link set} */
  constructor(switches: LimitSwitches = {}) {
    this.set(switches);
  }

  /** Switches those that are named. @throws SakuraError INVALID_ARGUMENT for a number that is none */
  set(switches: LimitSwitches): void {
    for (const [name, value] of Object.entries(switches)) {
      if (typeof value !== "number" || (Number.isInteger(value) && value > 0)) continue;
      const message = `the limit ${name} must be true, false or a whole number above 0, not ${value}`;
      throw new SakuraError("INVALID_ARGUMENT", message, { context: { limit: name } });
    }
    this.#switches = { ...this.#switches, ...switches };
  }

  /** What the limit is now; Infinity when it does not hold. */
  max(name: LimitName): number {
    const value = this.#switches[name] ?? true;
    if (value === true) return LIMITS[name];
    return value === false ? Number.POSITIVE_INFINITY : value;
  }
}

/** The remaining length beyond which a packet must be a payload too large; nothing where that limit is off. */
export function remainingLengthMax(limits: Limits): number | undefined {
  const payload = limits.max("payload");
  return payload === Number.POSITIVE_INFINITY ? undefined : payload + PUBLISH_OVERHEAD_MAX;
}

/** The rule that holds packets to the limits of size and count. */
export function limitsRule(limits: Limits): Rule {
  const topicObjection = (topic: string): Objection | undefined => {
    const counted = topic.replace(BASIC_INGEST, "");
    const bytes = Buffer.byteLength(counted);
    if (bytes > limits.max("topicBytes")) {
      return { reason: "topic-too-long", message: `a topic of ${bytes} bytes; AWS takes ${limits.max("topicBytes")}` };
    }
    const slashes = counted.split("/").length - 1;
    if (slashes > limits.max("topicSlashes")) {
      const message = `${topic}: ${slashes} slashes; AWS takes ${limits.max("topicSlashes")}`;
      return { reason: "topic-too-long", message };
    }
    return undefined;
  };
  const qosObjection = (qos: number, what: string): Objection | undefined =>
    qos > limits.max("qos") ? { reason: "qos-2", message: `${what} with QoS ${qos}; AWS knows 0 and 1` } : undefined;
  const publishObjection = ({ topic, qos, payloadBytes }: PublishRequest, what: string): Objection | undefined => {
    if (payloadBytes > limits.max("payload")) {
      const message = `${what} to ${topic}: a payload of ${payloadBytes} bytes; AWS takes ${limits.max("payload")}`;
      return { reason: "payload-too-large", message };
    }
    return qosObjection(qos, `${what} to ${topic}`) ?? topicObjection(topic);
  };

  return {
    connect({ clientId, will }) {
      const bytes = Buffer.byteLength(clientId);
      if (bytes > limits.max("clientId")) {
        return { reason: "client-id", message: `a client id of ${bytes} bytes; AWS takes ${limits.max("clientId")}` };
      }
      return will && publishObjection(will, "a will");
    },
    publish: (request) => publishObjection(request, "a publish"),
    subscribe({ filters }) {
      if (filters.length > limits.max("subscribeTopics")) {
        const message = `${filters.length} topics in one SUBSCRIBE; AWS takes ${limits.max("subscribeTopics")}`;
        return { reason: "too-many-topics", message };
      }
      return firstObjection(
        filters,
        ({ filter, qos }) => qosObjection(qos, `a subscription to ${filter}`) ?? topicObjection(filter),
      );
    },
  };
}
