/** A bridge's events for a program: one line of JSON each, on stdout and on the HTTP port. Times are RFC 3339. */
import { formatDateTime } from "../../protocol/datetime.ts";
import { encodeMessage } from "../../protocol/message.ts";
import type { BridgeEvent } from "./events.ts";
import type { LinkState } from "./link.ts";
import type { ServiceState } from "./service.ts";

/** Nothing for what is no news: a try that is under way. */
export function eventJson(event: BridgeEvent): string | undefined {
  switch (event.type) {
    case "link": {
      const { module, kind } = event;
      return stateJson({ event: "link", module, link: kind }, event.state);
    }
    case "link-note": {
      const { module, kind, note, message } = event;
      return JSON.stringify({ event: "link-note", module, link: kind, note, message });
    }
    case "service":
      return stateJson({ event: "service", service: event.service }, event.state);
    case "message":
      // As it is published: JSON.stringify knows no 64-bit numbers.
      return `{"event":"message","services":${JSON.stringify(event.services)},"message":${encodeMessage(event.message)}}`;
    case "published":
      return JSON.stringify({ event: "published", service: event.service, module: event.module });
    case "message-refused": {
      const { module, reason, message } = event;
      return JSON.stringify({ event: "message-refused", module, reason, message });
    }
    case "downlink": {
      const { service, accepted } = event;
      return event.accepted
        ? JSON.stringify({ event: "downlink", service, accepted, module: event.message.module })
        : JSON.stringify({
            event: "downlink",
            service,
            accepted,
            module: event.module,
            reason: event.reason,
            message: event.message,
          });
    }
    case "outbox":
      return JSON.stringify({ event: "outbox", ...event.state, note: event.note });
    case "dropped":
    case "dead-letter":
    case "service-removed":
    case "link-removed": {
      const { type, ...fields } = event;
      return JSON.stringify({ event: type, ...fields });
    }
    case "unsent":
      return JSON.stringify({ event: "unsent", service: event.service, messages: event.messages });
  }
}

function stateJson(head: Readonly<Record<string, string>>, state: LinkState | ServiceState): string | undefined {
  if (state.state === "error" && state.nextAttempt === undefined) return undefined;
  return JSON.stringify({ ...head, ...state }, withTimes);
}

const TIMES = new Set(["at", "nextAttempt", "oldestAt", "since", "startedAt"]);

/** For JSON.stringify: Unix ms of a state or of the figures as RFC 3339. */
export function withTimes(key: string, value: unknown): unknown {
  return TIMES.has(key) && typeof value === "number" ? formatDateTime(value) : value;
}
