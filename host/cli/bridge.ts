/** `sakuraio bridge`: runs what a configuration file describes until it is told to stop. */
import { reasonOf } from "../../protocol/errors.ts";
import { eventJson } from "../bridge/event-json.ts";
import { type LinkState, type ManagedBridge, type ReloadReport, startManagedBridge } from "../bridge/index.ts";
import { loadConfig } from "../config/load.ts";
import { BridgeOperation, type OperationOptions } from "./bridge-operation.ts";
import { aborted, type CliIo, type ExitCode, printLine } from "./io.ts";
import { linkFactories } from "./link-factories.ts";

export interface BridgeOptions extends OperationOptions {
  readonly config: string;
}

/** Runs until the signal. @throws SakuraError INVALID_CONFIG or PORT_… before anything runs */
export async function bridge(options: BridgeOptions, io: CliIo): Promise<ExitCode> {
  const operation = await BridgeOperation.open(options, io);
  try {
    await run(options, operation, io);
  } catch (error) {
    operation.failed(error);
    throw error;
  } finally {
    await operation.close();
  }
  return 0;
}

async function run(options: BridgeOptions, operation: BridgeOperation, io: CliIo): Promise<void> {
  // From the beginning: a reload that comes while the bridge starts must not end it.
  let onHangup = (): void => {
    isAsked = true;
  };
  let isAsked = false;
  const stopReloading = io.onHangup?.(() => onHangup());
  try {
    const running = await start(options, operation, io);
    onHangup = () => void reload(running, operation, options.json, io);
    if (isAsked) onHangup();
    await serve(running, options, operation, io);
  } finally {
    stopReloading?.();
  }
}

async function start(options: BridgeOptions, operation: BridgeOperation, io: CliIo): Promise<ManagedBridge> {
  // The bridge reads its file itself; this is for a port that is taken to be known before anything runs.
  await operation.listen(options.panel ?? loadConfig(options.config).http?.listen);
  const running = await startManagedBridge({
    file: options.config,
    links: linkFactories,
    onEvent: (event) => {
      const json = options.json ? eventJson(event) : undefined;
      if (json !== undefined) printLine(io.stdout, json);
      operation.event(event);
    },
  });
  sayWarnings(running, operation);
  return running;
}

async function serve(
  running: ManagedBridge,
  options: BridgeOptions,
  operation: BridgeOperation,
  io: CliIo,
): Promise<void> {
  try {
    operation.serve(running);
    await Promise.race([running.settled(), aborted(io.signal)]);
    if (!io.signal.aborted) printReady(endpointsOf(running.stats().links), operation.http, options.json, io);
    await aborted(io.signal);
  } finally {
    operation.stopping();
    await running.close();
  }
}

/** A file that does not do changes nothing, and the bridge goes on with what it has. */
async function reload(running: ManagedBridge, operation: BridgeOperation, json: boolean, io: CliIo): Promise<void> {
  try {
    const report = await running.reload();
    if (json) printLine(io.stdout, JSON.stringify({ event: "reloaded", ...report }));
    operation.say("info", "reloaded", reloadText(report));
    sayWarnings(running, operation);
  } catch (error) {
    operation.say("error", "reload-failed", `the configuration was not reloaded: ${reasonOf(error)}`);
  }
}

function sayWarnings({ config }: ManagedBridge, operation: BridgeOperation): void {
  for (const warning of config.warnings) operation.say("warn", "warning", `warning: ${warning}`);
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

/** @param endpoints of the links that are up, by module id */
function printReady(
  endpoints: Readonly<Record<string, string>>,
  http: string | undefined,
  json: boolean,
  { stdout }: CliIo,
): void {
  if (json) {
    printLine(stdout, JSON.stringify({ event: "ready", endpoints, http }));
    return;
  }
  const places = Object.entries(endpoints).map(([module, endpoint]) => `${module} at ${endpoint}`);
  if (http !== undefined) places.push(`http://${http}`);
  printLine(stdout, places.length > 0 ? `ready: ${places.join(", ")}` : "ready");
}
