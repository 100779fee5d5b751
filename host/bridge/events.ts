/** What the bridge tells whoever runs it, and what it counts. There is no logger inside. */
import type { DownlinkMessage, PlatformMessage } from "../../protocol/message.ts";
import type { LinkKind, LinkNote, LinkState } from "./link.ts";
import type { Dropped, OutboxState } from "./outbox/outbox.ts";
import type { ServiceState } from "./service.ts";

export type BridgeEvent =
  | { readonly type: "link"; readonly module: string; readonly kind: LinkKind; readonly state: LinkState }
  | ({ readonly type: "link-note"; readonly module: string; readonly kind: LinkKind } & LinkNote)
  | { readonly type: "service"; readonly service: string; readonly state: ServiceState }
  | {
      /** A module's message has been accepted for these services. */
      readonly type: "message";
      readonly message: PlatformMessage;
      readonly services: readonly string[];
      /** Values in it that JSON cannot hold, published as null (aws-iot §1). */
      readonly nonFinite: number;
    }
  | {
      /** A module's message has not been accepted: the module has been told, and keeps it. */
      readonly type: "message-refused";
      readonly module: string;
      readonly reason: UplinkRefusal;
      /** For people. */
      readonly message: string;
    }
  | {
      /** The service has it: at QoS 0 it is written to the connection. */
      readonly type: "published";
      readonly service: string;
      readonly module: string;
      readonly payload: Uint8Array;
    }
  | {
      readonly type: "downlink";
      /** Nothing when it came from the bridge's own API. */
      readonly service: string | undefined;
      readonly accepted: true;
      readonly message: DownlinkMessage;
    }
  | {
      readonly type: "downlink";
      readonly service: string | undefined;
      readonly accepted: false;
      /** Where the message names one. */
      readonly module: string | undefined;
      readonly reason: DownlinkRefusal;
      /** For people; names the path in the message where there is one, such as `payload.channels[2].value`. */
      readonly message: string;
    }
  | {
      readonly type: "outbox";
      readonly state: OutboxState;
      /** What the outbox has to say besides, for people: what it has found damaged, and what it did about it. */
      readonly note?: string;
    }
  | {
      /** Messages that left a service's lane without having reached it. */
      readonly type: "dropped";
      readonly service: string;
      readonly messages: number;
      readonly why: keyof Dropped;
    }
  | {
      /** A message has been set aside: the connection broke on it again and again. */
      readonly type: "dead-letter";
      readonly service: string;
      readonly module: string;
      /** For people. */
      readonly reason: string;
    }
  | {
      /** A service is gone, or was not there at the start, and its messages are kept: see `BridgeStats.orphans`. */
      readonly type: "service-removed";
      readonly service: string;
      /** Dead letters among them. */
      readonly waiting: number;
    }
  | { readonly type: "link-removed"; readonly module: string }
  | {
      /** At the end: what the service did not get any more. An outbox in memory loses it. */
      readonly type: "unsent";
      readonly service: string;
      readonly messages: number;
    };

/** Why a module's message is not accepted: `context.reason` of the REFUSED. */
export type UplinkRefusal = "outbox-full" | "outbox-failed" | "too-large" | "closing";

/** Why a downlink message is refused: one of these, or the link's own reason (see LinkRefusal). */
export type DownlinkRefusal =
  | "invalid-message"
  | "unknown-module"
  | "link-busy" // too many wait for a link that takes them one after the other
  | "queue-full" // too many wait for a link that is down, `downlinks.max_waiting`
  | "expired" // the link was down for longer than `downlinks.max_age`
  | "closing"
  | (string & {});

export interface BridgeStats {
  /** Unix ms. */
  readonly startedAt: number;
  readonly uplink: {
    readonly accepted: number;
    readonly refused: number;
    /** Accepted, from a module that no service is for. */
    readonly unrouted: number;
    /** Values published as null. */
    readonly nonFinite: number;
  };
  readonly downlink: {
    readonly accepted: number;
    readonly refused: number;
    /** Those that wait for a link that is down. */
    readonly waiting: number;
    /** `refused`, by {@link DownlinkRefusal}; a reason that never was has no entry. */
    readonly refusals: Readonly<Record<string, number>>;
  };
  readonly services: readonly {
    readonly name: string;
    readonly state: ServiceState;
    readonly published: number;
    /** What waits, in messages and in bytes of `outbox.max_bytes`. */
    readonly waiting: number;
    readonly waitingBytes: number;
    /** When the oldest that waits was accepted, Unix ms. */
    readonly oldestAt: number | undefined;
    readonly dropped: Dropped;
    readonly deadLetters: number;
  }[];
  readonly outbox: OutboxState;
  /** Lanes of services that are gone, with what is kept in them until it is discarded, or the service is back. */
  readonly orphans: readonly {
    readonly service: string;
    readonly waiting: number;
    readonly waitingBytes: number;
    readonly oldestAt: number | undefined;
    readonly deadLetters: number;
  }[];
  readonly links: readonly {
    readonly module: string;
    readonly kind: LinkKind;
    readonly state: LinkState;
    /** Where the link counts anything, by name. */
    readonly counts?: Readonly<Record<string, number>> | undefined;
  }[];
}
