/** `sakuraio emulate`: one emulated module on its lines, for drivers and firmware in any language. */

import type { UartEvent } from "../../emulator/bus/uart.ts";
import { realClock } from "../../emulator/clock.ts";
import { parseFaults } from "../../emulator/faults.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import { uplinkTo } from "../../emulator/uplink.ts";
import type { Clock } from "../../protocol/bus.ts";
import { parseDateTime } from "../../protocol/datetime.ts";
import type { PlatformMessage } from "../../protocol/message.ts";
import { busEventText } from "./bus-event-text.ts";
import { type ModuleFlags, moduleOptions } from "./emulated-module.ts";
import { reportEvent, sayAnswer, sayMessage, trace } from "./emulated-module-report.ts";
import { aborted, type CliIo, type ExitCode, printLine } from "./io.ts";
import { readLines } from "./lines.ts";
import { controlModule } from "./module-control.ts";
import { type ModuleLines, modulePlaces, openModuleLines } from "./module-lines.ts";

export interface EmulateOptions extends ModuleFlags {
  readonly uart?: string;
  readonly busPirate?: string;
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

  const lines = await openModuleLines(modulePlaces(options), { signal: io.signal });
  try {
    const told = new Set<string>();
    module.onEvent((event) => reportEvent(event, io));
    if (options.trace) trace(module, io);
    lines.attach(module, {
      readyAfterMs: options.readyAfter,
      onConnected: json ? undefined : (driver) => printLine(io.stderr, `${driver} connected`),
      onUartEvent: (event) => report(event, io),
      onBusPirateEvent: (event) => {
        // A driver that has a habit has it with every command: once is enough where nobody looks at each.
        if (told.has(event.kind) && !options.trace) return;
        told.add(event.kind);
        printLine(io.stderr, `bus   ${busEventText(event)}`);
      },
    });
    const stopReading = readLines(io.stdin, (line) => {
      const answer = controlModule(module, line);
      printLine(io.stdout, sayAnswer(answer, json));
    });
    const { addresses } = lines;
    printLine(io.stdout, json ? JSON.stringify({ event: "ready", endpoints: addresses }) : greeting(module, addresses));
    const lost = await Promise.race([lines.lost, aborted(io.signal)]);
    stopReading();
    if (lost) throw lost;
    return 0;
  } finally {
    await lines.close();
  }
}

/** The wall's clock, or one that starts at the given time and goes on from there. */
function clockOf(start: string | undefined): Clock {
  if (start === undefined) return realClock;
  const shift = Number(parseDateTime(start) / 1_000_000n) - realClock.now();
  return { now: () => realClock.now() + shift, after: realClock.after };
}

function greeting(module: EmulatedModule, addresses: ModuleLines["addresses"]): string {
  const uris = portUris(addresses);
  return `module ${module.id} (unique id ${module.state.uniqueId}, ${module.online ? "online" : "offline"}) at ${Object.values(addresses).join(" and ")}
  talk to it:     ${uris.map((uri) => `sakuraio module --port ${uri} status`).join(`\n${" ".repeat(18)}`)}
  send to it:     type {"type":"channels","module":"${module.id}","payload":{"channels":[{"channel":1,"type":"i","value":42}]}}
  change it:      type {"control":"offline"}, {"control":"signal","value":3}, {"control":"faults","value":"flip=0.01"}
  Ctrl+C stops it; what it sends up follows.`;
}

/** How the host reaches the same places. */
function portUris({ uart, bus_pirate: pirate }: ModuleLines["addresses"]): string[] {
  return [
    ...(uart === undefined ? [] : [uart.startsWith("tcp:") ? uart : `uart:${uart}`]),
    ...(pirate === undefined ? [] : [`buspirate+i2c:${pirate}`, `buspirate+spi:${pirate}`]),
  ];
}

function report(event: UartEvent, io: CliIo): void {
  const what =
    event.kind === "noise"
      ? `${event.bytes} byte${event.bytes === 1 ? "" : "s"} of noise ignored`
      : `not a command, answered ERROR: ${JSON.stringify(event.line.slice(0, 80))}`;
  printLine(io.stderr, `line  ${what}`);
}
