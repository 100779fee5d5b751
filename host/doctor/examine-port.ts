/** The doctor for one module on one port: check after check, and what to do where one fails. */
import type { Clock } from "../../protocol/bus.ts";
import type { ChannelEntry } from "../../protocol/channel.ts";
import { isSakuraError } from "../../protocol/errors.ts";
import type { ListPorts } from "../adapter/serial-place.ts";
import { wallClock } from "../clock.ts";
import { SakuraModule } from "../module.ts";
import { openLine } from "../open-port.ts";
import { type PortUri, parsePortUri, portUriText } from "../uri.ts";
import { examineBus, noAdapter } from "./bus-check.ts";
import { examineEchoes } from "./echo-check.ts";
import { type Finding, ok, problem, skipped } from "./finding.ts";
import { examineLine, type LineOpener, unopened } from "./line-check.ts";
import { examineSnapshot } from "./module-checks.ts";
import { examinePlace } from "./place-checks.ts";
import { examineSend } from "./send-check.ts";
import { readSnapshot } from "./snapshot.ts";

export interface ExaminePortOptions {
  /** Gives the examination up: the iterator then throws ABORTED. */
  readonly signal?: AbortSignal | undefined;
  /** For each try of a command, in ms, 1 to 600000; 1000 unless told. */
  readonly timeoutMs?: number | undefined;
  /** A value to be sent at the end and followed until it is done. Without it nothing is written to the module. */
  readonly send?: ChannelEntry | undefined;
  /** How long that sending may take, in ms; 60000 unless told. */
  readonly sendTimeoutMs?: number | undefined;
  /** How many echoes, 200 unless told, and for how long they are begun at most, in ms; 20000 unless told. */
  readonly echoes?: number | undefined;
  readonly echoLimitMs?: number | undefined;
  /** Told of what takes long: echoes made of those wanted, or the baud rate that is tried. */
  readonly onProgress?: ((progress: DoctorProgress) => void) | undefined;
  /** Opens the module; `SakuraModule.open` unless told. It is closed by the examination. */
  readonly open?: ((uri: PortUri, signal: AbortSignal | undefined) => Promise<SakuraModule>) | undefined;
  /** Opens the bare line; as for a module unless told. */
  readonly openLine?: LineOpener | undefined;
  readonly listPorts?: ListPorts | undefined;
  /** Where the kernel shows its drivers; `/sys` unless told. */
  readonly sys?: string | undefined;
  readonly clock?: Clock | undefined;
}

export type DoctorProgress =
  | { readonly kind: "echoes"; readonly done: number; readonly total: number }
  | { readonly kind: "rate"; readonly baudRate: number };

/** In the order in which they are made. Not every port has all: `latency-timer` is FTDI's, `adapter` a Bus Pirate's. */
export const PORT_CHECKS = [
  "port",
  "holder",
  "latency-timer",
  "open",
  "adapter",
  "answer",
  "parity",
  "product",
  "firmware",
  "time",
  "signal",
  "connection",
  "queues",
  "last-send",
  "power-save",
  "send",
] as const;

/** What is told as skipped when an earlier check fails: those that every port has. */
const ALWAYS: readonly string[] = PORT_CHECKS.slice(PORT_CHECKS.indexOf("answer"));

const SEND_TIMEOUT_MS = 60_000;

/**
 * Examines a port and the module on it, and gives each finding as it is made. Nothing is written to the module, unless
 * `send` is given. Expected failures are findings, not errors.
 *
 *     for await (const { check, verdict, seen } of examinePort("uart:/dev/ttyUSB0")) console.log(verdict, check, seen);
 *
 * @throws SakuraError INVALID_ARGUMENT; ABORTED by the signal
 */
export async function* examinePort(
  uri: string | PortUri,
  options: ExaminePortOptions = {},
): AsyncGenerator<Finding, void> {
  const port = typeof uri === "string" ? parsePortUri(uri) : uri;
  const told = new Set<string>();
  let stop: Finding | undefined;
  for await (const finding of examineSteps(port, options)) {
    told.add(finding.check);
    if (finding.verdict === "problem") stop ??= finding;
    yield finding;
  }
  for (const check of ALWAYS) {
    if (told.has(check) || (check === "send" && options.send === undefined)) continue;
    yield skipped(check, `not before "${stop?.check ?? "all above"}" is well`, { because: stop?.check });
  }
}

/** Ends early where the rest makes no sense. */
async function* examineSteps(port: PortUri, options: ExaminePortOptions): AsyncGenerator<Finding, void> {
  const { listPorts, sys, signal, clock = wallClock } = options;
  for await (const finding of examinePlace(port, { listPorts, sys })) {
    yield finding;
    if (finding.verdict === "problem") return;
  }
  if (port.kind === "uart" || port.kind === "tcp") {
    const answer = await examineLine(port, {
      clock,
      signal,
      listenMs: options.timeoutMs ?? 1000,
      openLine: options.openLine ?? ((line) => openLine(line, signal, listPorts)),
      onRate: (baudRate) => options.onProgress?.({ kind: "rate", baudRate }),
    });
    // Of an address this is the first that is known.
    if (port.kind === "tcp" && answer.check !== "open") yield ok("port", `${portUriText(port)} takes the connection`);
    yield answer;
    if (answer.verdict === "problem") return;
  }
  yield* examineOpened(port, clock, options);
}

async function* examineOpened(port: PortUri, clock: Clock, options: ExaminePortOptions): AsyncGenerator<Finding, void> {
  const { signal, timeoutMs, listPorts } = options;
  const open = options.open ?? ((uri) => SakuraModule.open(uri, { timeoutMs, signal, listPorts }));
  let module: SakuraModule;
  try {
    module = await open(port, signal);
  } catch (error) {
    yield (port.kind === "buspirate" ? noAdapter(error) : undefined) ?? unopened(error);
    return;
  }
  try {
    yield* examineModule(module, port, clock, options);
  } catch (error) {
    if (!isSakuraError(error) || (error.code !== "PORT_LOST" && error.code !== "PORT_FAILED")) throw error;
    const advice = [
      error.code === "PORT_LOST"
        ? "look at the cable and the plugs: it went away in the middle of the checks"
        : "plug the adapter out and in, and run the doctor again: it failed in the middle of the checks",
    ];
    yield problem("open", error.message, { advice, facts: { code: error.code } });
  } finally {
    await module.close();
  }
}

async function* examineModule(
  module: SakuraModule,
  port: PortUri,
  clock: Clock,
  options: ExaminePortOptions,
): AsyncGenerator<Finding, void> {
  const { signal, onProgress, send, echoes = 200, echoLimitMs: limitMs = 20_000 } = options;
  if (port.kind !== "uart" && port.kind !== "tcp") {
    for await (const finding of examineBus(module, port, signal)) {
      yield finding;
      if (finding.verdict === "problem") return;
    }
  }
  yield await examineEchoes(module, {
    clock,
    echoes,
    limitMs,
    signal,
    onProgress: (done, total) => onProgress?.({ kind: "echoes", done, total }),
  });
  const snapshot = await readSnapshot(module, () => clock.now(), { signal });
  yield* examineSnapshot(snapshot, portUriText(port));
  if (send === undefined) return;
  if (snapshot.connection.ok && !snapshot.connection.value.online) {
    yield skipped("send", "the module is offline, so that it could not be sent", { because: "connection" });
    return;
  }
  yield await examineSend(module, send, { clock, signal, timeoutMs: options.sendTimeoutMs ?? SEND_TIMEOUT_MS });
}
