/** `sakuraio avr run`: a firmware on a simulated Arduino Uno, with an emulated module on its bus. */
import { loadHex } from "../../emulator/avr/load-hex.ts";
import { type PinLevel, pinNamed } from "../../emulator/avr/pins.ts";
import { type Bus, Simulation } from "../../emulator/avr/simulation.ts";
import { uplinkTo } from "../../emulator/uplink.ts";
import { parseDateTime } from "../../protocol/datetime.ts";
import { isSakuraError, SakuraError } from "../../protocol/errors.ts";
import { type ModuleFlags, moduleOptions } from "./emulated-module.ts";
import { reportEvent, sayAnswer, sayMessage, trace } from "./emulated-module-report.ts";
import { type CliIo, type ExitCode, printLine } from "./io.ts";
import { readLines } from "./lines.ts";
import { controlModule } from "./module-control.ts";
import { type OpenEndpoint, openDeviceEndpoint } from "./open-endpoint.ts";
import { SerialLines } from "./serial-lines.ts";

export interface AvrRunOptions extends ModuleFlags {
  readonly bus: Bus;
  readonly cs?: string;
  readonly serial?: string;
  readonly watch?: readonly string[];
  readonly untilMessages?: number;
  /** Simulated seconds. */
  readonly maxTime?: number;
  readonly realTime: boolean;
  readonly json: boolean;
  readonly trace: boolean;
}

/** Where a run ended. */
type End = "messages" | "max-time" | "stopped" | "failed";

/** With `--until-messages` a run ends by itself, come what may. */
const MAX_SECONDS = 60;

/**
 * Runs until it has what it was to wait for, or until the signal.
 * @throws SakuraError INVALID_ARGUMENT; TIMEOUT when the messages did not come; FIRMWARE_FAILED; a port's own codes
 */
export async function avrRun(file: string, options: AvrRunOptions, io: CliIo): Promise<ExitCode> {
  checkOptions(options);
  const image = await loadHex(file);
  const pins = (options.watch ?? []).flatMap((names) => names.split(",")).map(pinNamed);
  const { json } = options;
  let messages = 0;
  const lines = new SerialLines((text) =>
    printLine(io.stdout, json ? JSON.stringify({ event: "serial", text }) : text),
  );
  let giveSerial = (bytes: Uint8Array): void => lines.push(bytes, simulation.seconds);
  const simulation = new Simulation(
    image,
    {
      bus: options.bus,
      cs: options.cs,
      module: moduleOptions(options),
      faults: options.faults,
      readyAfterMs: options.readyAfter,
      startTime: startTimeOf(options.clock),
      realTime: options.realTime,
      signal: io.signal,
    },
    {
      uplink: (clock) =>
        uplinkTo((message) => {
          messages++;
          printLine(io.stdout, sayMessage(message, json));
        }, clock),
      onSerial: (bytes) => giveSerial(bytes),
      onNote: ({ text }) => printLine(io.stderr, `note  ${text}`),
    },
  );
  const endpoint =
    options.serial === undefined ? undefined : await openDeviceEndpoint(options.serial, { signal: io.signal });
  if (endpoint) giveSerial = joinSerial(simulation, endpoint);

  const { module } = simulation;
  module.onEvent((event) => reportEvent(event, io));
  if (options.trace) trace(module, io);
  for (const pin of pins)
    simulation.board.watch(pin, (level) => printLine(io.stdout, sayPin(pin.name, level, simulation.seconds, json)));
  const stopReading = readLines(io.stdin, (line) => printLine(io.stdout, sayAnswer(controlModule(module, line), json)));

  const finish = (reason: End): void => {
    lines.end();
    const seconds = simulation.seconds;
    if (json) printLine(io.stdout, JSON.stringify({ event: "end", reason, messages, simulated_seconds: seconds }));
    else printLine(io.stderr, `end   ${sayCount(messages)} in ${seconds.toFixed(3)} simulated seconds`);
  };
  try {
    greet(options, endpoint, io);
    const end = await Promise.race([
      runToEnd(simulation, options, () => messages, lines),
      ...(endpoint ? [endpoint.lost] : []),
    ]);
    if (typeof end !== "string") throw end;
    finish(end);
    if (end === "max-time" && options.untilMessages !== undefined) throw tooFew(simulation, messages, options);
    return 0;
  } catch (error) {
    if (isSakuraError(error, "ABORTED")) {
      finish("stopped");
      // A reader that has gone has not stopped the run on purpose: the messages did not come.
      if (isSakuraError(io.signal.reason, "ABORTED") && options.untilMessages !== undefined)
        throw tooFew(simulation, messages, options);
      return 0;
    }
    if (isSakuraError(error, "FIRMWARE_FAILED")) finish("failed");
    throw error;
  } finally {
    stopReading();
    simulation.close();
    await endpoint?.close();
  }
}

/** Asked after each slice of simulated time, which is when the pauses of the serial output are noticed too. */
function runToEnd(
  simulation: Simulation,
  { untilMessages, maxTime }: AvrRunOptions,
  messages: () => number,
  lines: SerialLines,
): Promise<End> {
  const seconds = maxTime ?? (untilMessages === undefined ? Number.POSITIVE_INFINITY : MAX_SECONDS);
  return simulation.until<End>(
    () => {
      lines.passed(simulation.seconds);
      return untilMessages !== undefined && messages() >= untilMessages ? "messages" : undefined;
    },
    seconds,
    () => "max-time",
  );
}

function checkOptions({ bus, cs, serial }: AvrRunOptions): void {
  if (cs !== undefined && bus !== "spi")
    throw new SakuraError("INVALID_ARGUMENT", `--cs is for --bus spi: ${bus} has no chip select`);
  if (serial !== undefined && bus === "uart")
    throw new SakuraError(
      "INVALID_ARGUMENT",
      "--serial cannot go with --bus uart: the firmware's USART is the module's",
    );
}

function startTimeOf(clock: string | undefined): number | undefined {
  return clock === undefined ? undefined : Number(parseDateTime(clock) / 1_000_000n);
}

/** The firmware's USART on an endpoint, both ways: to each that is there, from each. */
function joinSerial(simulation: Simulation, endpoint: OpenEndpoint): (bytes: Uint8Array) => void {
  const writers = new Set<(bytes: Uint8Array) => void>();
  endpoint.onConnection((duplex) => {
    const write = (bytes: Uint8Array): void => duplex.write(bytes);
    writers.add(write);
    duplex.onBytes((bytes) => simulation.sendSerial(bytes));
    duplex.onClose(() => writers.delete(write));
  });
  return (bytes) => {
    for (const write of writers) write(bytes);
  };
}

function greet({ bus, json }: AvrRunOptions, endpoint: OpenEndpoint | undefined, io: CliIo): void {
  if (json) {
    const endpoints = endpoint ? { serial: endpoint.address } : {};
    printLine(io.stdout, JSON.stringify({ event: "ready", bus, endpoints }));
  } else if (endpoint) {
    printLine(io.stderr, `the firmware's serial port is at ${endpoint.address}`);
  }
}

function sayPin(pin: string, level: PinLevel, time: number, json: boolean): string {
  return json ? JSON.stringify({ event: "pin", pin, level, time }) : `pin   ${pin} ${level} at ${time.toFixed(6)} s`;
}

function sayCount(messages: number): string {
  return `${messages} message${messages === 1 ? "" : "s"}`;
}

/** How many came, and what was seen instead. */
function tooFew(simulation: Simulation, messages: number, { untilMessages }: AvrRunOptions): SakuraError {
  return new SakuraError(
    "TIMEOUT",
    `${Number(simulation.seconds.toFixed(3))} simulated seconds passed and ${messages} of ${untilMessages} messages came: ${simulation.describe()}`,
    { context: { messages } },
  );
}
