/** `sakuraio emulate`: one emulated module on its lines, for drivers and firmware in any language. */

import type { ModuleEvent } from "../../emulator/behaviour.ts";
import type { UartEvent } from "../../emulator/bus/uart.ts";
import { realClock } from "../../emulator/clock.ts";
import { parseFaults } from "../../emulator/faults.ts";
import { filesInDirectory } from "../../emulator/files.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import type { EmulatedModuleOptions } from "../../emulator/state.ts";
import { uplinkTo } from "../../emulator/uplink.ts";
import type { Clock } from "../../protocol/bus.ts";
import { commandByCode } from "../../protocol/commands.ts";
import { formatDateTime, parseDateTime } from "../../protocol/datetime.ts";
import { reasonOf, SakuraError } from "../../protocol/errors.ts";
import { toHex } from "../../protocol/hex.ts";
import { encodeMessage, type PlatformMessage } from "../../protocol/message.ts";
import { statuses, updateResults } from "../../protocol/status.ts";
import { busEventText } from "./bus-event-text.ts";
import { aborted, type CliIo, type ExitCode, printLine } from "./io.ts";
import { readLines } from "./lines.ts";
import { controlModule } from "./module-control.ts";
import { type ModuleLines, openModuleLines } from "./module-lines.ts";

export interface EmulateOptions {
  readonly uart?: string;
  readonly busPirate?: string;
  readonly readyAfter?: number;
  readonly json: boolean;
  readonly trace: boolean;
  readonly id?: string;
  readonly uniqueId?: string;
  readonly firmware?: string;
  readonly product?: number;
  readonly txQueue?: number;
  readonly rxQueue?: number;
  readonly offline: boolean;
  readonly signal?: number;
  readonly files?: string;
  readonly sendTime?: number;
  readonly bootTime?: number;
  readonly fileDelay?: number;
  readonly faults?: string;
  readonly clock?: string;
  readonly updateResult?: string;
  readonly updateVersion?: string;
  readonly updateTime?: number;
  readonly updateSilent: boolean;
}

/** Runs until the signal. @throws SakuraError INVALID_ARGUMENT, or a port's own codes */
export async function emulate(options: EmulateOptions, io: CliIo): Promise<ExitCode> {
  const { json } = options;
  const clock = clockOf(options.clock);
  const print = (message: PlatformMessage): void =>
    printLine(
      io.stdout,
      json ? `{"event":"message","message":${encodeMessage(message)}}` : `up    ${encodeMessage(message)}`,
    );
  const module = new EmulatedModule({ ...moduleOptions(options), clock, uplink: uplinkTo(print, clock) });
  module.setFaults(parseFaults(options.faults ?? ""));

  const lines = await openModuleLines(placesOf(options), { signal: io.signal });
  try {
    module.onEvent((event) => reportEvent(event, io));
    if (options.trace) trace(module, io);
    lines.attach(module, {
      readyAfterMs: options.readyAfter,
      onConnected: json ? undefined : (driver) => printLine(io.stderr, `${driver} connected`),
      onUartEvent: (event) => report(event, io),
      onBusPirateEvent: (event) => printLine(io.stderr, `bus   ${busEventText(event)}`),
    });
    const stopReading = readLines(io.stdin, (line) => {
      const answer = controlModule(module, line);
      printLine(io.stdout, json ? JSON.stringify(answer) : sayAnswer(answer));
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

/** A UART on a new pseudo-terminal, unless it is said where. */
function placesOf({ uart, busPirate }: EmulateOptions) {
  return uart === undefined && busPirate === undefined ? { uart: "pty" } : { uart, bus_pirate: busPirate };
}

function moduleOptions(options: EmulateOptions): EmulatedModuleOptions {
  return {
    id: options.id,
    uniqueId: options.uniqueId,
    firmware: options.firmware,
    product: options.product,
    txQueue: options.txQueue,
    rxQueue: options.rxQueue,
    online: !options.offline,
    signal: options.signal,
    sendTimeMs: options.sendTime,
    bootTimeMs: options.bootTime,
    fileDelayMs: options.fileDelay,
    files: options.files === undefined ? undefined : filesInDirectory(options.files),
    update: {
      ...(options.updateResult === undefined ? {} : { outcome: updateResultOf(options.updateResult) }),
      ...(options.updateVersion === undefined ? {} : { version: options.updateVersion }),
      ...(options.updateTime === undefined ? {} : { durationMs: options.updateTime }),
      silent: options.updateSilent,
    },
  };
}

function updateResultOf(name: string) {
  const value = Object.entries(updateResults.values).find(([known]) => known === name)?.[1];
  if (value !== undefined) return updateResults.nameOf(value);
  throw new SakuraError(
    "INVALID_ARGUMENT",
    `an update's result is one of ${Object.keys(updateResults.values).join(", ")}, not "${name}"`,
  );
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

function sayAnswer(answer: ReturnType<typeof controlModule>): string {
  if (answer.event === "downlink") return answer.accepted ? "down  accepted" : `down  refused: ${answer.reason}`;
  return answer.ok ? "ok" : `not done: ${answer.reason}`;
}

function report(event: UartEvent, io: CliIo): void {
  const what =
    event.kind === "noise"
      ? `${event.bytes} byte${event.bytes === 1 ? "" : "s"} of noise ignored`
      : `not a command, answered ERROR: ${JSON.stringify(event.line.slice(0, 80))}`;
  printLine(io.stderr, `line  ${what}`);
}

/** What the operator would not see in the messages. */
function reportEvent(event: ModuleEvent, io: CliIo): void {
  switch (event.kind) {
    case "file-failed":
      return printLine(io.stderr, `file ${event.id}: ${reasonOf(event.error)}`);
    case "uplink-refused":
      return printLine(io.stderr, `${event.type} not taken: ${reasonOf(event.error)}`);
    case "online":
      return printLine(io.stderr, event.online ? "module online" : "module offline");
  }
}

/** Each request and its answer, on stderr. */
function trace(module: EmulatedModule, io: CliIo): void {
  module.onFrame((request, answer) => {
    const time = formatDateTime(module.clock.now()).slice(11, 23);
    const name = commandByCode(request[0] ?? 0) ?? "?";
    printLine(io.stderr, `${time}  MCU → module  ${name.padEnd(26)}${toHex(request, " ")}`);
    const status = answer ? statuses.nameOf(answer[0] ?? 0) : "(silent)";
    printLine(io.stderr, `${time}  MCU ← module  ${status.padEnd(26)}${answer ? toHex(answer, " ") : ""}`);
  });
}
