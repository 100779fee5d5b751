/** An integration service: where a project's messages go, and where its downlink messages come from. */

/** What went wrong last, and when. Kept after it is over. */
export interface PastFailure {
  readonly failure: ServiceFailure;
  /** For people: what happened and what to do. Never key material. */
  readonly reason: string;
  /** Unix ms. */
  readonly at: number;
}

interface Since {
  readonly since: number;
  /** Tries that failed in a row, without 30 s online in between; nothing where none was made. */
  readonly attempts?: number | undefined;
  /** Nothing when nothing has gone wrong since the start. */
  readonly lastFailure?: PastFailure | undefined;
}

/** How a connection, or a service, stands. Times are Unix ms. Plain data, to be printed as JSON. */
export type Standing =
  /** Not connected yet since the start. */
  | (Since & { readonly state: "connecting" })
  | (Since & {
      readonly state: "online";
      /** `HOST:PORT` */
      readonly endpoint: string;
    })
  /** `since` it has not been online. */
  | (Since & {
      readonly state: "error";
      /** What happened, for programs. */
      readonly failure: ServiceFailure;
      /** For people: what happened and what to do. Never key material. */
      readonly reason: string;
      readonly attempts: number;
      /** When it is tried again; nothing while that is under way. */
      readonly nextAttempt: number | undefined;
    })
  | (Since & { readonly state: "stopped" });

export type ConnectionState = Standing & { readonly clientId: string };

/**
 * How a service stands as a whole: `error` when any of its connections is, with what the first of those says, because
 * messages wait for it; else `connecting` when any is; else `online`. A service with one connection stands as that does.
 */
export type ServiceState = Standing & {
  /** Each connection, the one that subscribes first. */
  readonly connections?: readonly ConnectionState[] | undefined;
};

/** What keeps a service from being online: `context.reason` of SERVICE_FAILED. */
export const serviceFailures = [
  "name-not-resolved",
  "connection-refused",
  "unreachable",
  "timed-out",
  "not-tls", // what answers does not speak TLS
  "server-not-trusted", // not signed by rootca_cert
  "server-name-mismatch",
  "server-expired", // its certificate, or this machine's clock
  "certificate-expired", // the service's own
  "certificate-not-yet-valid",
  "certificate-refused", // by the server, in the handshake
  "tls-failed",
  "no-connack", // closed without a word
  "connect-refused", // a CONNACK that says no
  "subscribe-refused",
  "thrown-out", // closed soon after it was online, again and again: another client has its client id
  "publish-refused", // closed right after a publish, again and again
  "puback-timeout", // a message was not acknowledged
  "connection-lost", // it was online
  "failed", // on this side
] as const;
export type ServiceFailure = (typeof serviceFailures)[number];

export interface ServiceEvents {
  /** A message came from the subscribe topic. */
  readonly onDownlink: (payload: Uint8Array) => void;
  /** The service has it: at QoS 0 it is written to the connection, at QoS 1 acknowledged. */
  readonly onPublished: (message: { readonly module: string; readonly payload: Uint8Array }) => void;
}

export interface Service {
  readonly name: string;
  /** Starts, once. Never throws for what time can change: that is state `error`, and tried again. */
  start(events: ServiceEvents): void;
  state(): ServiceState;
  /** Calls the listener with each new state. Returns its removal. */
  onState(listener: (state: ServiceState) => void): () => void;
  /** Tries again at once, whatever the wait was. */
  retry(): void;
  /**
   * Publishes something that no outbox keeps, such as a downlink message's outcome: now, or as soon as the service is
   * online. A few wait; past that the oldest is given up, and counted.
   */
  tell(topic: string, payload: Uint8Array): void;
  /** How many of those were given up. */
  readonly toldLost?: number;
  /**
   * Stops for good. When it is connected, hands over what its outbox holds first, for at most `drainMs`.
   * Resolves within that and a second at most. Further calls do nothing more.
   */
  close(drainMs: number): Promise<void>;
}
