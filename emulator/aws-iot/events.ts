/** What the endpoint tells its owner: AWS tells a client nothing, so this is where a refusal has a reason. */

/** Why a connection was not taken, or ended. */
export type EndReason =
  // before MQTT
  | "tls" // the handshake failed: no certificate, another authority's, expired, or the client refused ours
  // at CONNECT
  | "no-connect" // nothing that is a CONNECT came
  | "unsupported-protocol" // another MQTT than 3.1.1
  | "client-id" // empty, or longer than 128 bytes
  | "unknown-certificate"
  | "inactive-certificate"
  | "no-policy" // the certificate has none attached
  | "connect-denied"
  // later
  | "publish-denied"
  | "subscribe-denied"
  | "reserved-topic" // `$…` but not `$aws/…`
  | "payload-too-large"
  | "topic-too-long" // or with too many slashes
  | "too-many-topics" // in one SUBSCRIBE
  | "qos-2"
  | "policy-detached"
  | "taken-over" // another CONNECT with the same client id
  | "keep-alive" // nothing heard for one and a half keep-alive periods
  | "protocol" // what came is not MQTT 3.1.1
  | "client" // it sent DISCONNECT
  | "connection-lost" // it went without
  | "closing"; // the endpoint was closed

export type EndpointEvent =
  | { readonly type: "connected"; readonly clientId: string; readonly certificateId: string }
  | {
      /** Not taken: it got no CONNACK. */
      readonly type: "refused";
      readonly reason: EndReason;
      /** For people: what was seen, and what to look at. */
      readonly message: string;
      /** Where a CONNECT said one. */
      readonly clientId?: string;
      /** Where the handshake got that far. */
      readonly certificateId?: string;
    }
  | {
      readonly type: "published";
      readonly clientId: string;
      readonly topic: string;
      /** Of the payload. */
      readonly bytes: number;
      readonly qos: number;
    }
  | { readonly type: "subscribed"; readonly clientId: string; readonly filter: string; readonly qos: number }
  | { readonly type: "disconnected"; readonly clientId: string; readonly reason: EndReason; readonly message: string };
