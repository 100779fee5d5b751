/** `sakuraio module watch`: how the module is and what arrives, live in place; a line for each change where piped. */
import type { PortState } from "../../connection.ts";
import type { SakuraModule } from "../../module.ts";
import type { ModuleStatus } from "../../module-status.ts";
import type { ReceivedValue } from "../../receive.ts";
import { type CliIo, type ExitCode, printLine } from "../io.ts";
import { jsonLine } from "../json-line.ts";
import { LiveScreen, windowSize } from "../live-screen.ts";
import { portTeller } from "./receive.ts";
import type { ModuleSession } from "./session.ts";
import { isKeySource } from "./shell-keys.ts";
import { queueFields, valueEvent, valueText } from "./text.ts";
import { type Arrived, type Changing, troubleText, type WatchListener, watchModule } from "./watch-state.ts";
import { type Watched, watchLines, watchPicture } from "./watch-view.ts";

export interface WatchVerbOptions {
  /** In ms. */
  readonly interval?: number | undefined;
  readonly peek: boolean;
}

const INTERVAL_MS = 500;
/** Of the newest values, for the window. */
const VALUES_KEPT = 200;

export function moduleWatch({ interval, peek }: WatchVerbOptions, session: ModuleSession): Promise<ExitCode> {
  const { io, json, trace, withModule } = session;
  return withModule(
    async (module) => {
      // A module that does not answer now is a mistake to correct; one that falls silent later may come back.
      const first = await module.status({ signal: io.signal });
      const options = { intervalMs: interval ?? INTERVAL_MS, peek };
      // Frames that go by would tear a picture, and some terminals cannot place anything.
      const live = io.stdout.isTTY === true && !json && trace !== true && process.env["TERM"] !== "dumb";
      if (live) await watchLive(module, first, options, io);
      else await watchByLines(module, options, session);
      return 0;
    },
    { reopen: true },
  );
}

type Options = { readonly intervalMs: number; readonly peek: boolean };

async function watchLive(module: SakuraModule, first: ModuleStatus, options: Options, io: CliIo): Promise<void> {
  let watched: Watched = {
    port: module.name,
    peek: options.peek,
    identity: first,
    state: module.state,
    status: first,
    trouble: undefined,
    values: [],
    taken: 0,
    unknown: 0,
    oldest: undefined,
  };
  const ended = new AbortController();
  const stopKeys = endByKey(io, () => ended.abort());
  const screen = new LiveScreen(io.stdout, (columns, rows) => watchPicture(watched, columns, rows));
  const change = (part: Partial<Watched>): void => {
    watched = { ...watched, ...part };
    screen.draw();
  };
  const stopTelling = module.onState((state) => change({ state }));
  const listener: WatchListener = {
    onStatus: (status) => change({ status }),
    onValue: (arrived) =>
      change({ values: [...watched.values, arrived].slice(-VALUES_KEPT), taken: watched.taken + 1 }),
    onOldest: (oldest) => change({ oldest }),
    onTrouble: (trouble) => {
      // It passes from its row, but is not forgotten.
      const unknown = watched.unknown + (trouble?.code === "OUTCOME_UNKNOWN" ? 1 : 0);
      // A lost port is shown as one.
      const told = trouble !== undefined && trouble.code !== "PORT_LOST";
      change({ unknown, trouble: told ? troubleText(trouble) : undefined });
    },
  };
  try {
    await watchModule(module, listener, { ...options, signal: AbortSignal.any([io.signal, ended.signal]) });
  } finally {
    stopTelling();
    screen.close();
    stopKeys();
    // The values that were taken are nowhere else: the last picture stays.
    const { columns, rows } = windowSize(io.stdout);
    for (const line of watchLines(watched, columns, rows - 1)) printLine(io.stdout, line);
  }
}

/** q, Enter, Ctrl+C and Ctrl+D. Returns the end of listening, which gives the terminal back. */
function endByKey({ stdin }: CliIo, end: () => void): () => void {
  if (!isKeySource(stdin)) return () => undefined;
  const onData = (keys: Buffer | string): void => {
    if (/[qQ\r\n\u0003\u0004]/.test(keys.toString())) end();
  };
  stdin.setRawMode(true);
  stdin.on("data", onData);
  stdin.on("end", end);
  stdin.resume();
  return () => {
    stdin.off("data", onData);
    stdin.off("end", end);
    stdin.pause();
    stdin.setRawMode(false);
  };
}

async function watchByLines(module: SakuraModule, options: Options, { io, json }: ModuleSession): Promise<void> {
  const out = (text: string): void => printLine(io.stdout, text);
  const err = (text: string): void => printLine(io.stderr, `sakuraio: ${text}`);
  const onChange = changes();
  const tellPort = portTeller(err);
  const onState = (state: PortState): void => {
    tellPort(state);
    if (json && onChange("port", state.kind)) out(jsonLine({ event: "port", state: state.kind }));
  };
  const stopTelling = module.onState(onState);
  if (!options.peek) err("values that arrive are taken out of the RX queue; --peek leaves them");
  const listener: WatchListener = {
    onStatus: (status) => {
      if (onChange("status", lineOf(status))) out(json ? eventOf(status) : lineOf(status));
    },
    onValue: ({ value }: Arrived) => out(json ? valueEvent(value) : valueText(value)),
    onOldest: (value: ReceivedValue | undefined) => {
      // Without its age, which always changes.
      if (!onChange("oldest", value && `${value.channel}${value.type}${value.value}`) || !value) return;
      out(json ? valueEvent(value, "oldest") : `oldest in the RX queue: ${valueText(value)}`);
    },
    onTrouble: (trouble) => {
      const changed = onChange("trouble", trouble?.code);
      if (!trouble || trouble.code === "PORT_LOST") return;
      if (!changed && trouble.code !== "OUTCOME_UNKNOWN") return;
      err(troubleText(trouble));
      if (json) out(jsonLine({ event: "warning", code: trouble.code, message: troubleText(trouble) }));
    },
  };
  try {
    await watchModule(module, listener, { ...options, signal: io.signal });
  } finally {
    stopTelling();
  }
}

/** Whether something is not what it was when it was last asked about. */
function changes(): (name: string, now: string | undefined) => boolean {
  const last = new Map<string, string | undefined>();
  return (name, now) => {
    const changed = last.get(name) !== now;
    last.set(name, now);
    return changed;
  };
}

function lineOf({ connection, signal, queues: { tx, rx, sends } }: Changing): string {
  const why = connection.lastError === "none" ? "" : ` (${connection.lastError})`;
  const sent = `last send ${sends.queue}, immediate ${sends.immediate}`;
  return (
    `${connection.online ? "online" : "offline"}${why}, signal ${signal} of 5; ` +
    `TX ${tx.queued} queued, ${tx.available} free, ${sent}; RX ${rx.queued} queued, ${rx.available} free`
  );
}

function eventOf({ connection, signal, time, queues }: Changing): string {
  return jsonLine({
    event: "status",
    online: connection.online,
    last_error: connection.lastError,
    signal,
    unix_ms: time,
    ...queueFields(queues),
  });
}
