/** `sakuraio emulate`: one emulated module on an endpoint, for drivers and firmware in any language. */

import { attachUart, type UartEvent } from "../../emulator/bus/uart.ts";
import { realClock } from "../../emulator/clock.ts";
import { parseFaults } from "../../emulator/faults.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import { uplinkTo } from "../../emulator/uplink.ts";
import type { Clock } from "../../protocol/bus.ts";
import { parseDateTime } from "../../protocol/datetime.ts";
import type { PlatformMessage } from "../../protocol/message.ts";
import { type ModuleFlags, moduleOptions } from "./emulated-module.ts";
import { reportEvent, sayAnswer, sayMessage, trace } from "./emulated-module-report.ts";
import { aborted, type CliIo, type ExitCode, printLine } from "./io.ts";
import { readLines } from "./lines.ts";
import { controlModule } from "./module-control.ts";
import { openDeviceEndpoint } from "./open-endpoint.ts";

export interface EmulateOptions extends ModuleFlags {
  readonly uart: string;
  readonly json: boolean;
  readonly trace: boolean;
}

/** Runs until the signal. @throws SakuraError INVALID_ARGUMENT, or a port's own codes */
export async function emulate(options: EmulateOptions, io: CliIo): Promise<ExitCode> {
  const { json } = options;
  const clock = clockOf(options.clock);
  const print = (message: PlatformMessage): void => printLine(io.stdout, sayMessage(message, json));
  const module = new EmulatedModule({ ...moduleOptions(options), clock, uplink: uplinkTo(print, clock) });
  module.setFaults(parseFaults(options.faults ?? ""));

  const endpoint = await openDeviceEndpoint(options.uart, { signal: io.signal });
  try {
    module.onEvent((event) => reportEvent(event, io));
    if (options.trace) trace(module, io);
    endpoint.onConnection((duplex) => {
      if (!json && endpoint.address.startsWith("tcp:")) printLine(io.stderr, `${duplex.name} connected`);
      attachUart(module, duplex, (event) => report(event, io));
    });
    const stopReading = readLines(io.stdin, (line) => {
      const answer = controlModule(module, line);
      printLine(io.stdout, sayAnswer(answer, json));
    });
    printLine(
      io.stdout,
      json
        ? JSON.stringify({ event: "ready", endpoints: { uart: endpoint.address } })
        : greeting(module, endpoint.address),
    );
    const lost = await Promise.race([endpoint.lost, aborted(io.signal)]);
    stopReading();
    if (lost) throw lost;
    return 0;
  } finally {
    await endpoint.close();
  }
}

/** The wall's clock, or one that starts at the given time and goes on from there. */
function clockOf(start: string | undefined): Clock {
  if (start === undefined) return realClock;
  const shift = Number(parseDateTime(start) / 1_000_000n) - realClock.now();
  return { now: () => realClock.now() + shift, after: realClock.after };
}

function greeting(module: EmulatedModule, address: string): string {
  return `module ${module.id} (unique id ${module.state.uniqueId}, ${module.online ? "online" : "offline"}) at ${address}
  talk to it:     sakuraio module --port ${portUri(address)} status
  send to it:     type {"type":"channels","module":"${module.id}","payload":{"channels":[{"channel":1,"type":"i","value":42}]}}
  change it:      type {"control":"offline"}, {"control":"signal","value":3}, {"control":"faults","value":"flip=0.01"}
  Ctrl+C stops it; what it sends up follows.`;
}

/** How the host reaches the same place. */
function portUri(address: string): string {
  return address.startsWith("tcp:") ? address : `uart:${address}`;
}

function report(event: UartEvent, io: CliIo): void {
  const what =
    event.kind === "noise"
      ? `${event.bytes} byte${event.bytes === 1 ? "" : "s"} of noise ignored`
      : `not a command, answered ERROR: ${JSON.stringify(event.line.slice(0, 80))}`;
  printLine(io.stderr, `line  ${what}`);
}
