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
  | "connect-rate" // more than one CONNECT a second for one client id
  | "policy-detached"
  | "taken-over" // another CONNECT with the same client id
  | "keep-alive" // nothing heard for one and a half keep-alive periods
  | "protocol" // what came is not MQTT 3.1.1
  | "client" // it sent DISCONNECT
  | "connection-lost" // it went without
  | "fault" // it was told to
  | "closing"; // the endpoint was closed

/** Which way a publish went: from the client, or to it. */
export type Direction = "in" | "out";

/** The limit that a publish would have exceeded, or the fault that keeps an answer back. */
export type FlowReason = "publish-rate" | "account-rate" | "unacknowledged" | "fault";

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
  | {
      /** Gone: QoS 0 is lost, QoS 1 gets no PUBACK. To the client, its session still has it where it is persistent. */
      readonly type: "discarded";
      readonly clientId: string;
      readonly direction: Direction;
      readonly topic: string;
      /** Of the payload. */
      readonly bytes: number;
      readonly qos: number;
      readonly reason: FlowReason;
    }
  | {
      /** Kept back: a message until the limit allows it, an answer for good. */
      readonly type: "withheld";
      readonly clientId: string;
      readonly what: "message" | "puback" | "suback";
      readonly packetId: number;
      readonly reason: FlowReason;
    }
  | {
      /** The connection is over its throughput, and is not read, or written to, for so long. Told once a second. */
      readonly type: "delayed";
      readonly clientId: string;
      readonly ms: number;
    }
  | {
      /** A fault: whether the port is listened on. */
      readonly type: "listening";
      readonly listening: boolean;
      readonly message: string;
    }
  | { readonly type: "subscribed"; readonly clientId: string; readonly filter: string; readonly qos: number }
  | {
      /** One that the SUBACK says no to. */
      readonly type: "subscribe-refused";
      readonly clientId: string;
      readonly filter: string;
      readonly message: string;
    }
  | { readonly type: "disconnected"; readonly clientId: string; readonly reason: EndReason; readonly message: string };
