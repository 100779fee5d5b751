/** `sakuraio tap`: passes a UART through between an MCU and its module, and shows what goes by. */
import { commandByCode } from "../../protocol/commands.ts";
import { formatDateTime } from "../../protocol/datetime.ts";
import { isSakuraError, reasonOf } from "../../protocol/errors.ts";
import { decodeResponse } from "../../protocol/frame.ts";
import { toHex, toHexLower } from "../../protocol/hex.ts";
import { shortestFloat32 } from "../../protocol/json.ts";
import { statuses, statusText } from "../../protocol/status.ts";
import type { TapLines } from "../bridge/links/tap.ts";
import { TapDecoder, type TapEvent } from "../bridge/links/tap-decoder.ts";
import { TapPipe, type TapSide } from "../bridge/links/tap-pipe.ts";
import { answerLine, requestLine } from "./frame-text.ts";
import { aborted, type CliIo, type ExitCode, printLine } from "./io.ts";
import { jsonLine, type Plain } from "./json-line.ts";
import { openTapLines, parseTapPlaces } from "./tap-lines.ts";

export interface TapOptions {
  readonly mcu: string;
  readonly module: string;
  readonly json: boolean;
}

/** Runs until the signal, or until a side is gone. @throws SakuraError INVALID_ARGUMENT, or a port's own codes */
export async function tap(options: TapOptions, io: CliIo): Promise<ExitCode> {
  const { json } = options;
  const lines = await openTapLines(parseTapPlaces(options), io.signal);
  try {
    const stop = passThrough(lines, io, json);
    const ready = jsonLine({ event: "ready", endpoints: { mcu: lines.endpoint } });
    printLine(io.stdout, json ? ready : `the MCU's side is ${lines.endpoint}; Ctrl+C stops it`);
    const lost = await Promise.race([lines.lost, aborted(io.signal)]);
    stop();
    if (lost) throw lost;
    return 0;
  } finally {
    await lines.close();
  }
}

/** Returns the end of it. */
function passThrough(lines: TapLines, io: CliIo, json: boolean): () => void {
  const print = (line: string): void => printLine(io.stdout, line);
  const say = json ? eventJson : eventText;
  const decoder = new TapDecoder((event) => print(say(event)));
  const pipe = new TapPipe(lines.module, {
    passed: (from, bytes) => decoder.push(from, bytes, Date.now()),
    dropped(from, bytes) {
      // A module that speaks when no MCU is there speaks to nobody.
      if (from === "mcu") print(json ? jsonLine({ event: "dropped", from, bytes }) : droppedText(bytes));
    },
    mcuChanged: () => decoder.reset(),
    failed(error) {
      decoder.reset();
      printLine(io.stderr, `sakuraio: what passed could not be shown: ${reasonOf(error)}`);
    },
  });
  const stop = lines.onMcu((mcu) => pipe.connect(mcu));
  return () => {
    stop();
    pipe.close();
  };
}

function droppedText(bytes: number): string {
  return `line  ${bytes} bytes of the MCU's were dropped: the module does not take them`;
}

function eventText(event: TapEvent): string {
  switch (event.kind) {
    case "request":
      return requestLine(event.at, event.frame, meaningText(requestOf(event)));
    case "answer":
      return answerLine(event.at, event.frame, event.to ? meaningText(answerOf(event)) : "(to no request)");
    case "unanswered":
      return `line  ${nameOf(event.request.frame)} had no good answer`;
    case "noise":
      return `line  ${event.bytes} byte${event.bytes === 1 ? "" : "s"} of noise from the ${sideName(event.from)}`;
  }
}

function sideName(side: TapSide): string {
  return side === "mcu" ? "MCU" : "module";
}

function meaningText(meaning: Plain | undefined): string {
  return meaning === undefined ? "" : jsonLine(meaning);
}

function eventJson(event: TapEvent): string {
  switch (event.kind) {
    case "request":
      return jsonLine({
        event: "request",
        datetime: formatDateTime(event.at),
        command: nameOf(event.frame),
        frame: toHex(event.frame),
        request: requestOf(event),
      });
    case "answer":
      return jsonLine({
        event: "answer",
        datetime: formatDateTime(event.at),
        command: event.to && nameOf(event.to.frame),
        status: statusText(event.frame[0] ?? 0),
        frame: toHex(event.frame),
        answer: answerOf(event),
      });
    case "unanswered":
      return jsonLine({ event: "unanswered", command: nameOf(event.request.frame) });
    case "noise":
      return jsonLine({ event: "noise", from: event.from, bytes: event.bytes });
  }
}

function nameOf(frame: Uint8Array): string {
  return commandByCode(frame[0] ?? 0) ?? "?";
}

function requestOf({ decoded }: TapEvent & { readonly kind: "request" }): Plain | undefined {
  return decoded.ok ? plainOf(decoded.request) : undefined;
}

/** What a good answer says; nothing for a refusal, and for what cannot be read. */
function answerOf({ frame, to }: TapEvent & { readonly kind: "answer" }): Plain | undefined {
  if (!to?.decoded.ok || frame[0] !== statuses.values.NONE) return undefined;
  try {
    return plainOf(decodeResponse(to.decoded.name, frame));
  } catch (error) {
    if (isSakuraError(error, "INVALID_PAYLOAD")) return undefined;
    throw error;
  }
}

/** As JSON carries it: bytes as hex digits, a float32 in its shortest form. */
function plainOf(value: unknown): Plain | undefined {
  if (value instanceof Uint8Array) return toHexLower(value);
  if (Array.isArray(value)) return value.map((one) => plainOf(one) ?? null);
  switch (typeof value) {
    case "object": {
      if (value === null) return null;
      const fields = Object.entries(value).map(([key, field]): [string, Plain | undefined] => [key, plainOf(field)]);
      return withShortFloat(Object.fromEntries(fields));
    }
    case "number":
    case "bigint":
    case "string":
    case "boolean":
      return value;
    default:
      return undefined;
  }
}

function withShortFloat(fields: Readonly<Record<string, Plain | undefined>>): Plain {
  const { type, value } = fields;
  if (type !== "f" || typeof value !== "number" || !Number.isFinite(value)) return fields;
  return { ...fields, value: Number(shortestFloat32(value)) };
}
