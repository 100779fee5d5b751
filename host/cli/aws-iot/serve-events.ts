/** What `aws-iot serve` tells of its endpoint's events: a line of JSON, or a line for people. */
import type { EndpointEvent } from "../../../emulator/aws-iot/index.ts";

/** One line of `--json`: the event's fields, named as in JSON. */
export function endpointEventJson(event: EndpointEvent): object {
  switch (event.type) {
    case "connected":
      return { event: "connected", client_id: event.clientId, certificate_id: event.certificateId };
    case "refused": {
      const { reason, message, clientId, certificateId } = event;
      return { event: "refused", reason, message, client_id: clientId, certificate_id: certificateId };
    }
    case "published":
      return { event: "published", client_id: event.clientId, topic: event.topic, bytes: event.bytes, qos: event.qos };
    case "discarded": {
      const { type, clientId, ...fields } = event;
      return { event: type, client_id: clientId, ...fields };
    }
    case "withheld": {
      const { type, clientId, what, packetId, reason } = event;
      return { event: type, client_id: clientId, what, packet_id: packetId, reason };
    }
    case "delayed":
      return { event: "delayed", client_id: event.clientId, ms: event.ms };
    case "listening":
      return { event: "listening", listening: event.listening, message: event.message };
    case "subscribed":
      return { event: "subscribed", client_id: event.clientId, topic: event.filter, qos: event.qos };
    case "subscribe-refused":
      return { event: event.type, client_id: event.clientId, topic: event.filter, message: event.message };
    case "disconnected":
      return { event: "disconnected", client_id: event.clientId, reason: event.reason, message: event.message };
  }
}

/** The same for people, without an end of line. */
export function endpointEventText(event: EndpointEvent): string {
  switch (event.type) {
    case "connected":
      return `connected     ${event.clientId}`;
    case "refused":
      return `refused       ${event.clientId ?? "(no client id)"}: ${event.reason}: ${event.message}`;
    case "published":
      return `published     ${event.clientId}: ${event.topic}, ${event.bytes} bytes, QoS ${event.qos}`;
    case "discarded": {
      const { clientId, direction, topic, bytes, qos, reason } = event;
      const way = direction === "in" ? "from" : "to";
      return `discarded     ${way} ${clientId}: ${topic}, ${bytes} bytes, QoS ${qos}: ${reason}`;
    }
    case "withheld":
      return `withheld      ${event.clientId}: ${event.what} ${event.packetId}: ${event.reason}`;
    case "delayed":
      return `delayed       ${event.clientId}: over its throughput, for ${event.ms} ms`;
    case "listening":
      return `${event.listening ? "listening   " : "not listening"} ${event.message}`;
    case "subscribed":
      return `subscribed    ${event.clientId}: ${event.filter}, QoS ${event.qos}`;
    case "subscribe-refused":
      return `refused       ${event.clientId}: the subscription to ${event.filter}: ${event.message}`;
    case "disconnected":
      return `disconnected  ${event.clientId}: ${event.reason}: ${event.message}`;
  }
}
