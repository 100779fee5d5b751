/** A recording as exchanges: each request, and what came before the next one. */
import { commandByCode, commandTable } from "../../protocol/commands.ts";
import { decodeRequest } from "../../protocol/frame.ts";
import type { RecordedFrame, Recording } from "../../protocol/recording.ts";
import type { TimedAnswer } from "../frame-answerer.ts";

export interface RecordedExchange {
  readonly request: Uint8Array;
  /** None where the module kept silent. */
  readonly answers: readonly TimedAnswer[];
}

/** Answers before the first request belong to nobody, and are left out. */
export function exchangesOf({ lines }: Recording): RecordedExchange[] {
  const exchanges: { readonly sent: RecordedFrame; readonly answers: TimedAnswer[] }[] = [];
  for (const line of lines) {
    if (!("dir" in line)) continue;
    const last = exchanges.at(-1);
    if (line.dir === "request") exchanges.push({ sent: line, answers: [] });
    else last?.answers.push({ frame: line.bytes, afterMs: Math.max(0, line.t - last.sent.t) });
  }
  return exchanges.map(({ sent, answers }) => ({ request: sent.bytes, answers }));
}

/**
 * Whether a driver asks this as often as it likes, so that more or less often is no difference: what changes nothing, and
 * what takes the next value or the next part of a file, if there is one.
 */
export function isPoll(request: Uint8Array): boolean {
  const name = commandByCode(request[0] ?? 0);
  return name !== undefined && (commandTable[name].repeat === "safe" || takesNext(request)) && !ORDERS.has(name);
}

/** Harmless twice, and yet more than a question. */
const ORDERS: ReadonlySet<string> = new Set([
  "TX_CLEAR",
  "RX_CLEAR",
  "CANCEL_FILE_DOWNLOAD",
  "UNLOCK",
  "SET_POWER_SAVE_MODE",
]);

/** What is gone once it has been answered: a second one like it must not be made up. */
export function takesNext(request: Uint8Array): boolean {
  const name = commandByCode(request[0] ?? 0);
  return name === "RX_DEQUEUE" || name === "GET_FILE_DATA";
}

/** A good ECHO_BACK. */
export function isEcho(request: Uint8Array): boolean {
  const decoded = decodeRequest(request);
  return decoded.ok && decoded.name === "ECHO_BACK";
}

export function sameFrame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
