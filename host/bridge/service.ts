/** An integration service: where a project's messages go, and where its downlink messages come from. */

/** How a service stands. Times are Unix ms. */
export type ServiceState =
  | {
      /** Not connected yet since the start. */
      readonly state: "connecting";
      readonly since: number;
    }
  | {
      readonly state: "online";
      readonly since: number;
      /** `HOST:PORT` */
      readonly endpoint: string;
    }
  | {
      readonly state: "error";
      /** Since when it has not been online. */
      readonly since: number;
      /** What happened, for programs. */
      readonly failure: ServiceFailure;
      /** For people: what happened and what to do. Never key material. */
      readonly reason: string;
      /** Failures in a row. */
      readonly attempts: number;
      /** When it is tried again; nothing while that is under way. */
      readonly nextAttempt: number | undefined;
    }
  | { readonly state: "stopped"; readonly since: number };

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
  "connection-lost", // it was online
  "failed", // on this side
] as const;
export type ServiceFailure = (typeof serviceFailures)[number];

export interface ServiceEvents {
  /** A message came from the subscribe topic. */
  readonly onDownlink: (payload: Uint8Array) => void;
  /** The service has it. */
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
  /**
   * Stops for good. When it is connected, hands over what its outbox holds first, for at most `drainMs`.
   * Resolves within that and a second at most. Further calls do nothing more.
   */
  close(drainMs: number): Promise<void>;
}
