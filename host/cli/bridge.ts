/** `sakuraio bridge`: runs what a configuration file describes until it is told to stop. */
import { formatDateTime } from "../../protocol/datetime.ts";
import { reasonOf } from "../../protocol/errors.ts";
import { encodeMessage } from "../../protocol/message.ts";
import {
  type BridgeEvent,
  type LinkState,
  type ManagedBridge,
  type ReloadReport,
  type ServiceState,
  startManagedBridge,
} from "../bridge/index.ts";
import { aborted, type CliIo, type ExitCode, printLine } from "./io.ts";
import { linkFactories } from "./link-factories.ts";

export interface BridgeOptions {
  readonly config: string;
  readonly json: boolean;
}

/** Runs until the signal. @throws SakuraError INVALID_CONFIG before anything runs */
export async function bridge(options: BridgeOptions, io: CliIo): Promise<ExitCode> {
  const print = options.json ? jsonPrinter(io) : textPrinter(io);
  const running = await startManagedBridge({ file: options.config, links: linkFactories, onEvent: print.event });
  for (const warning of running.config.warnings) log(io, `warning: ${warning}`);
  const stopReloading = io.onHangup?.(() => void reload(running, print, io));
  try {
    await Promise.race([running.settled(), aborted(io.signal)]);
    if (!io.signal.aborted) print.ready(endpointsOf(running.stats().links));
    await aborted(io.signal);
  } finally {
    stopReloading?.();
    await running.close();
  }
  return 0;
}

/** A file that does not do changes nothing, and the bridge goes on with what it has. */
async function reload(running: ManagedBridge, print: Printer, io: CliIo): Promise<void> {
  try {
    print.reloaded(await running.reload());
    for (const warning of running.config.warnings) log(io, `warning: ${warning}`);
  } catch (error) {
    log(io, `the configuration was not reloaded: ${reasonOf(error)}`);
  }
}

function reloadText({ services, modules, needsRestart }: ReloadReport): string {
  const parts = [
    ...Object.entries(services).map(([what, names]) => ({ what: `services ${what}`, names })),
    ...Object.entries(modules).map(([what, names]) => ({ what: `modules ${what}`, names })),
    { what: "at the next start only", names: needsRestart },
  ];
  const changes = parts.flatMap(({ what, names }) => (names.length === 0 ? [] : [`${what}: ${names.join(", ")}`]));
  return `reloaded: ${changes.length === 0 ? "nothing has changed" : changes.join("; ")}`;
}

function endpointsOf(links: readonly { readonly module: string; readonly state: LinkState }[]): Record<string, string> {
  const up = links.flatMap(({ module, state }): [string, string][] =>
    state.state === "up" ? [[module, state.endpoint]] : [],
  );
  return Object.fromEntries(up);
}

interface Printer {
  event(event: BridgeEvent): void;
  /** @param endpoints of the links that are up, by module id */
  ready(endpoints: Readonly<Record<string, string>>): void;
  reloaded(report: ReloadReport): void;
}

/** Events on stdout. What somebody should see without a program stands on stderr too, but no line for each message. */
function jsonPrinter(io: CliIo): Printer {
  return {
    event(event) {
      const json = eventJson(event);
      if (json !== undefined) printLine(io.stdout, json);
      if (event.type !== "message") printLog(io, event);
    },
    ready: (endpoints) => printLine(io.stdout, JSON.stringify({ event: "ready", endpoints })),
    reloaded(report) {
      printLine(io.stdout, JSON.stringify({ event: "reloaded", ...report }));
      log(io, reloadText(report));
    },
  };
}

function textPrinter(io: CliIo): Printer {
  return {
    event: (event) => printLog(io, event),
    ready(endpoints) {
      const places = Object.entries(endpoints).map(([module, endpoint]) => `${module} at ${endpoint}`);
      printLine(io.stdout, places.length > 0 ? `ready: ${places.join(", ")}` : "ready");
    },
    reloaded: (report) => log(io, reloadText(report)),
  };
}

function printLog(io: CliIo, event: BridgeEvent): void {
  const line = eventText(event);
  if (line !== undefined) log(io, line);
}

function log(io: CliIo, line: string): void {
  // What came from outside must stay one line.
  printLine(io.stderr, `${formatDateTime(Date.now())} ${line.replaceAll(/[\r\n]+/g, " ")}`);
}

function eventText(event: BridgeEvent): string | undefined {
  switch (event.type) {
    case "link":
      return stateText(`link ${event.module} (${event.kind})`, event.state);
    case "link-note":
      return `link ${event.module} (${event.kind}): ${event.message}`;
    case "service":
      return stateText(`service ${event.service}`, event.state);
    case "message": {
      const { message, services } = event;
      const content = message.type === "channels" ? `${message.payload.channels.length} channels` : message.type;
      const to = services.length > 0 ? `for ${services.join(", ")}` : "for no service";
      return `message ${message.module}: ${content}, ${to}`;
    }
    case "message-refused":
      return `message ${event.module}: refused (${event.reason}): ${event.message}`;
    case "published":
      return undefined;
    case "downlink":
      return event.accepted
        ? `downlink ${event.message.module}: ${event.message.payload.channels.length} channels, from ${event.service ?? "the API"}`
        : `downlink ${event.module ?? "?"}: refused (${event.reason}), from ${event.service ?? "the API"}: ${event.message}`;
    case "outbox":
      return event.state.state === "ok" ? "outbox: ok" : `outbox: ${event.state.state}: ${event.state.reason}`;
    case "dropped":
      return `service ${event.service}: ${event.messages} messages were dropped (${event.why})`;
    case "dead-letter":
      return `service ${event.service}: a message of ${event.module} was set aside: ${event.reason}`;
    case "service-removed":
      return `service ${event.service}: removed, ${event.waiting} messages wait`;
    case "link-removed":
      return `link ${event.module}: removed`;
    case "unsent":
      return `service ${event.service}: ${event.messages} messages were not sent, and are lost`;
  }
}

function stateText(who: string, state: LinkState | ServiceState): string | undefined {
  switch (state.state) {
    case "up":
    case "online":
      return `${who}: ${state.state} at ${state.endpoint}`;
    case "error": {
      // The try itself is no news; how it ends is.
      if (state.nextAttempt === undefined) return undefined;
      const seconds = Math.ceil((state.nextAttempt - Date.now()) / 1000);
      return `${who}: error: ${state.reason}; next try in ${Math.max(seconds, 0)} s`;
    }
    default:
      return `${who}: ${state.state}`;
  }
}

function eventJson(event: BridgeEvent): string | undefined {
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
      return JSON.stringify({ event: "outbox", ...event.state });
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

const TIMES = new Set(["since", "at", "nextAttempt"]);

function withTimes(key: string, value: unknown): unknown {
  return TIMES.has(key) && typeof value === "number" ? formatDateTime(value) : value;
}
