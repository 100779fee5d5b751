/** Whether a module answers on a line of bytes (§3), and what else is there where none does. */
import type { ByteDuplex, Clock } from "../../protocol/bus.ts";
import { isSakuraError } from "../../protocol/errors.ts";
import { toHex } from "../../protocol/hex.ts";
import { portUriText, type TcpUri, type UartUri } from "../uri.ts";
import { type Finding, ok, problem } from "./finding.ts";
import { askLine, type Hearing } from "./hearing.ts";

export type LineOpener = (uri: UartUri | TcpUri, signal: AbortSignal | undefined) => Promise<ByteDuplex>;

export interface LineOptions {
  readonly clock: Clock;
  readonly openLine: LineOpener;
  /** How long an answer is waited for, in ms. */
  readonly listenMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Told of each rate that is tried. */
  readonly onRate?: ((baudRate: number) => void) | undefined;
}

/** Tried in this order when nothing readable comes at the expected rate: the module's own, then by how usual they are. */
const BAUD_RATES = [115_200, 9600, 57_600, 38_400, 19_200, 230_400];
/** At another rate an answer that comes at all comes at once. */
const SCAN_LISTEN_MS = 300;

/** The finding `answer`, or `open` where the port does not open. @throws SakuraError ABORTED */
export async function examineLine(uri: UartUri | TcpUri, options: LineOptions): Promise<Finding> {
  try {
    return await listen(uri, options);
  } catch (error) {
    return unopened(error);
  }
}

async function listen(uri: UartUri | TcpUri, options: LineOptions): Promise<Finding> {
  const hearing = await hear(uri, options.listenMs, options);
  const baudRate = uri.kind === "uart" ? uri.baudRate : undefined;
  if (hearing.kind === "module") {
    const rate = baudRate === undefined ? "" : ` at ${baudRate} baud`;
    return ok("answer", `a module answers${rate}: AT, and an echo`, { facts: { heard: "module", baudRate } });
  }
  if (uri.kind === "uart" && (hearing.kind === "silence" || hearing.kind === "garbage")) {
    const answersAt = await otherRate(uri, options);
    if (answersAt !== undefined) return wrongRate(uri, answersAt);
  }
  return explain(hearing, uri);
}

/** An open that failed, or a port that went away: the message says what to do. */
export function unopened(error: unknown): Finding {
  if (!isSakuraError(error) || error.code === "ABORTED") throw error;
  return problem("open", error.message, { advice: openAdvice(error.code), facts: { code: error.code } });
}

function openAdvice(code: string): string[] {
  switch (code) {
    case "PORT_LOST":
      return ["look at the cable and the plugs: the port went away under the check"];
    case "PORT_NOT_FOUND":
      return ["check the name or the address, and that something listens there"];
    case "PORT_BUSY":
      return ["end the other program, and run the doctor again"];
    default:
      // The message says it.
      return [];
  }
}

async function hear(uri: UartUri | TcpUri, listenMs: number, options: LineOptions): Promise<Hearing> {
  const { clock, openLine, signal } = options;
  const duplex = await openLine(uri, signal);
  try {
    return await askLine(duplex, { clock, listenMs, signal });
  } finally {
    await duplex.close();
  }
}

async function otherRate(uri: UartUri, options: LineOptions): Promise<number | undefined> {
  for (const baudRate of BAUD_RATES) {
    if (baudRate === uri.baudRate) continue;
    options.onRate?.(baudRate);
    try {
      const { kind } = await hear({ ...uri, baudRate }, Math.min(SCAN_LISTEN_MS, options.listenMs), options);
      if (kind === "module" || kind === "at-only") return baudRate;
    } catch (error) {
      // An adapter that cannot do a rate is no news; what stops everything is.
      if (!isSakuraError(error, "PORT_FAILED")) throw error;
    }
  }
  return undefined;
}

function wrongRate(uri: UartUri, answersAt: number): Finding {
  const seen = `nothing readable at ${uri.baudRate} baud, but it answers at ${answersAt} baud`;
  return problem("answer", seen, {
    advice: [
      `use --port "${portUriText({ ...uri, baudRate: answersAt })}" and run the doctor again`,
      "a sakura.io module speaks 115200 baud: if this one should, ask who changed its rate",
    ],
    facts: { heard: "other-rate", baudRate: uri.baudRate, answersAt },
  });
}

function explain(hearing: Exclude<Hearing, { kind: "module" }>, uri: UartUri | TcpUri): Finding {
  const facts = { heard: hearing.kind, baudRate: uri.kind === "uart" ? uri.baudRate : undefined };
  switch (hearing.kind) {
    case "silence":
      return silence(uri, facts);
    case "loopback":
      return problem("answer", "only what was sent comes back, and no answer: an echo (loopback)", {
        advice: [
          "look for TX and RX joined: a jumper, a bridge of solder, or both wires on one pin",
          "the adapter and its cable work: it hears itself. Wire its TX to the module's RX, its RX to the module's TX",
        ],
        facts,
      });
    case "at-only":
      return problem(
        "answer",
        "it answers OK to AT, but not to a module's command: no sakura.io module, or a busy one",
        {
          advice: [
            "check that this is the module's port: a modem answers AT just so; `sakuraio ports` lists the ports",
            "if the module updates its firmware right now, wait for its end",
          ],
          facts,
        },
      );
    case "text":
      return problem("answer", `something talks here that is no module: "${excerpt(hearing.bytes)}"`, {
        advice: [
          "choose the module's port: this one belongs to another device; `sakuraio ports` lists the ports",
          "on a microcontroller board this is its own console: the module is at other pins",
        ],
        facts: { ...facts, bytes: toHex(hearing.bytes.subarray(0, EXCERPT)) },
      });
    case "garbage":
      return garbage(hearing.bytes, uri, facts);
  }
}

function silence(uri: UartUri | TcpUri, facts: Finding["facts"]): Finding {
  if (uri.kind === "tcp") {
    return problem("answer", "the connection is there, and nothing answers on it", {
      advice: [
        "check that a module is behind this address: its power, its wiring to the device server",
        "check the device server's own serial settings: 115200 baud, 8N1, raw TCP",
      ],
      facts,
    });
  }
  return problem("answer", "nothing answers at any usual baud rate: not one byte came", {
    advice: [
      "swap the wires TX and RX: the adapter's TX goes to the module's RX, its RX to the module's TX",
      "check the module's power: its LED, and 3.3 V where the board wants it",
      "join the grounds: GND of the adapter to GND of the module",
      "check that this is the adapter's port: `sakuraio ports`, with and without the cable",
      "silence looks the same in all four cases: try one thing at a time, and run the doctor after each",
    ],
    facts,
  });
}

function garbage(bytes: Uint8Array, uri: UartUri | TcpUri, facts: Finding["facts"]): Finding {
  const hex = toHex(bytes.subarray(0, EXCERPT), " ");
  const more = { ...facts, bytes: toHex(bytes.subarray(0, EXCERPT)) };
  if (bytes.every((byte) => byte === 0)) {
    return problem("answer", "only zero bytes come: the line to the adapter's RX is low all the time", {
      advice: [
        "check the module's power: a UART without power holds its line low",
        "check the levels: an RS-232 adapter is inverted and may damage the module; it takes a 3.3 V UART",
      ],
      facts: more,
    });
  }
  const scanned = uri.kind === "uart" ? "at any usual baud rate" : "here";
  return problem("answer", `bytes come that nothing can be read from ${scanned}: ${hex}`, {
    advice: [
      "join the grounds: GND of the adapter to GND of the module; without it bytes come like this",
      "check the levels: a 3.3 V UART, not RS-232, and not 5 V",
      "check the baud rate, if the module was set to another one",
      "these look the same from here: try one thing at a time",
    ],
    facts: more,
  });
}

const EXCERPT = 16;

/** Without colours and what else moves a terminal's cursor. */
function excerpt(bytes: Uint8Array): string {
  const text = Array.from(bytes.subarray(0, 80), (byte) => String.fromCharCode(byte)).join("");
  const plain = text.replaceAll(/\u001b\[[\d;?]*[A-Za-z]?/g, "").replaceAll(/[^\s\x20-\x7e]+/g, "?");
  return plain.trim().replaceAll(/\s+/g, " ").slice(0, 40);
}
