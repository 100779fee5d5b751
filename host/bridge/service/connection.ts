/** One connection to a service, and what it carries. How a connection is made is each kind of service's own. */
import type { SakuraError } from "../../../protocol/errors.ts";
import type { OutboxMessage } from "../outbox/outbox.ts";
import type { InFlight } from "./in-flight.ts";

/** Something on its way to the service. One object from its first try to its end, whatever connections it sees. */
export interface Delivery {
  /** The lane's; nothing for what no outbox keeps. */
  readonly message: OutboxMessage | undefined;
  readonly topic: string;
  readonly payload: Uint8Array;
  /** A connection that is gone had it already. */
  sentBefore: boolean;
  /** A connection was closed right after this and others were published: the next time it goes alone. */
  suspect: boolean;
  /** The sender's tick at which it was sent. */
  sentTick: number;
  /** Something that was sent after it has been acknowledged before it. */
  overtaken: boolean;
  /** Its place among what is in flight, which alone sets these. */
  inFlight: InFlight | undefined;
  older: Delivery | undefined;
  newer: Delivery | undefined;
}

export function newDelivery(message: OutboxMessage | undefined, topic: string, payload: Uint8Array): Delivery {
  return {
    message,
    topic,
    payload,
    sentBefore: false,
    suspect: false,
    sentTick: 0,
    overtaken: false,
    inFlight: undefined,
    older: undefined,
    newer: undefined,
  };
}

/** A connection that is up. */
export interface Connection {
  /**
   * Hands one over. `onDelivered` tells when the service has it (QoS 0: when it is written to the socket), maybe before
   * this returns, and never when the connection ends before.
   */
  publish(delivery: Delivery, again: boolean): void;
  /** Says goodbye after what was published; resolves when it is closed, at the latest after `timeoutMs`. */
  end(timeoutMs: number): Promise<void>;
}

/** The end of a connection that nobody here wanted. */
export interface Loss {
  readonly reason: SakuraError;
  /** The other side closed it, and something had been published just before. */
  readonly afterPublish: boolean;
}

export interface ConnectionEvents {
  readonly onDelivered: (delivery: Delivery) => void;
  readonly onDownlink: (payload: Uint8Array) => void;
  /** It ended by itself. Not called before the connection was given, nor after `end`. */
  readonly onLost: (loss: Loss) => void;
}
