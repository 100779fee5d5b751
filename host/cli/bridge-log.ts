/** What a bridge's log says of each event. A line for each message is for `debug`: there may be a thousand a second. */
import type { Clock } from "../../protocol/bus.ts";
import { formatDateTime } from "../../protocol/datetime.ts";
import type { BridgeEvent, LinkState, OutboxState, ServiceState } from "../bridge/index.ts";
import type { Log, LogFields, LogLevel, LogLine } from "./log.ts";
import { Repeats } from "./repeats.ts";

export class BridgeLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #repeats: Repeats;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#repeats = new Repeats(log, clock);
  }

  event(event: BridgeEvent): void {
    if (event.type === "published" || (event.type === "message" && !this.#log.takes("debug"))) return;
    const line = lineOf(event, this.#clock.now());
    if (!line) return;
    switch (event.type) {
      case "message-refused":
        this.#repeats.write(`${event.type} ${event.reason}`, line, (more) => moreRefused("messages", event, more));
        break;
      case "downlink": {
        if (event.accepted) this.#log.write(line);
        else {
          const kind = `${event.type} ${event.service ?? ""} ${event.reason}`;
          this.#repeats.write(kind, line, (more) => moreRefused("downlinks", event, more));
        }
        break;
      }
      case "dropped": {
        const summary = (messages: number): LogLine => droppedLine({ ...event, messages });
        this.#repeats.write(`${event.type} ${event.service} ${event.why}`, line, summary, event.messages);
        break;
      }
      default:
        this.#log.write(line);
    }
  }

  /** Says what has not been said yet. */
  close(): void {
    this.#repeats.close();
  }
}

function lineOf(event: Exclude<BridgeEvent, { type: "published" }>, now: number): LogLine | undefined {
  switch (event.type) {
    case "link": {
      const { module, kind, state } = event;
      return stateLine(`link ${module} (${kind})`, { event: "link", module, link: kind }, state, now);
    }
    case "link-note": {
      const { module, kind, note, message } = event;
      return line("warn", event.type, `link ${module} (${kind}): ${message}`, { module, link: kind, note });
    }
    case "service": {
      const { service, state } = event;
      return stateLine(`service ${service}`, { event: "service", service }, state, now);
    }
    case "message":
      return messageLine(event);
    case "message-refused":
      return line("warn", event.type, `message ${event.module}: refused (${event.reason}): ${event.message}`, {
        module: event.module,
        reason: event.reason,
        detail: event.message,
      });
    case "downlink":
      return downlinkLine(event);
    case "outbox":
      return outboxLine(event);
    case "dropped":
      return droppedLine(event);
    case "dead-letter": {
      const { service, module, reason } = event;
      const text = `service ${service}: a message of ${module} was set aside: ${reason}`;
      return line("warn", event.type, text, { service, module, reason });
    }
    case "service-removed": {
      const { service, waiting } = event;
      const rest = waiting > 0 ? `, ${waiting} messages of it are kept` : "";
      return line("info", event.type, `service ${service}: gone${rest}`, { service, waiting });
    }
    case "link-removed":
      return line("info", event.type, `link ${event.module}: removed`, { module: event.module });
    case "unsent": {
      const { service, messages } = event;
      const text = `service ${service}: ${messages} messages were not sent; they stay in the outbox`;
      return line("warn", event.type, text, { service, messages });
    }
  }
}

function line(level: LogLevel, event: string, text: string, fields: LogFields): LogLine {
  return { level, text, fields: { event, ...fields } };
}

function messageLine({ message, services }: BridgeEvent & { readonly type: "message" }): LogLine {
  const content = message.type === "channels" ? `${message.payload.channels.length} channels` : message.type;
  const to = services.length > 0 ? `for ${services.join(", ")}` : "for no service";
  return line("debug", "message", `message ${message.module}: ${content}, ${to}`, {
    module: message.module,
    type: message.type,
    services: services.join(","),
  });
}

function downlinkLine(event: BridgeEvent & { readonly type: "downlink" }): LogLine {
  const { service } = event;
  const from = service ?? "the API";
  if (event.accepted) {
    const { module, payload } = event.message;
    const text = `downlink ${module}: ${payload.channels.length} channels, from ${from}`;
    return line("debug", "downlink", text, { service, module, accepted: true });
  }
  const { module, reason, message } = event;
  const text = `downlink ${module ?? "?"}: refused (${reason}), from ${from}: ${message}`;
  return line("warn", "downlink", text, { service, module, accepted: false, reason, detail: message });
}

const OUTBOX_LEVELS: { readonly [S in OutboxState["state"]]: LogLevel } = {
  ok: "info",
  "low-space": "warn",
  failed: "error",
};

function outboxLine({ state, note }: BridgeEvent & { readonly type: "outbox" }): LogLine {
  if (note !== undefined) return line("warn", "outbox", `outbox: ${note}`, { state: state.state, note });
  const text = state.state === "ok" ? "outbox: ok" : `outbox: ${state.state}: ${state.reason}`;
  return line(OUTBOX_LEVELS[state.state], "outbox", text, { ...state });
}

function droppedLine({ service, messages, why }: BridgeEvent & { readonly type: "dropped" }): LogLine {
  const text = `service ${service}: ${messages} messages were dropped (${why})`;
  return line("warn", "dropped", text, { service, messages, why });
}

function moreRefused(what: string, event: BridgeEvent & { readonly reason: string }, more: number): LogLine {
  const fields = { reason: event.reason, more, ...(event.type === "downlink" && { service: event.service }) };
  return line("warn", event.type, `${more} more ${what} were refused (${event.reason})`, fields);
}

function stateLine(
  who: string,
  fields: LogFields & { readonly event: string },
  state: LinkState | ServiceState,
  now: number,
): LogLine | undefined {
  switch (state.state) {
    case "up":
    case "online": {
      const { endpoint } = state;
      return {
        level: "info",
        text: `${who}: ${state.state} at ${endpoint}`,
        fields: { ...fields, state: state.state, endpoint },
      };
    }
    case "error": {
      // The try itself is no news; how it ends is.
      if (state.nextAttempt === undefined) return undefined;
      const seconds = Math.max(Math.ceil((state.nextAttempt - now) / 1000), 0);
      const { reason } = state;
      const counted =
        "attempts" in state ? { attempts: state.attempts, failure: state.failure } : { attempts: state.attempt };
      return {
        level: "warn",
        text: `${who}: error: ${reason}; next try in ${seconds} s`,
        fields: { ...fields, state: "error", reason, ...counted, nextAttempt: formatDateTime(state.nextAttempt) },
      };
    }
    default:
      return { level: "info", text: `${who}: ${state.state}`, fields: { ...fields, state: state.state } };
  }
}
