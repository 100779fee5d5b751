/** A recording as exchanges: each request, and what came before the next one. */
import { commandByCode, commandTable } from "../../protocol/commands.ts";
import { decodeRequest } from "../../protocol/frame.ts";
import type { RecordedFrame, RecordedNoise, Recording } from "../../protocol/recording.ts";
import { isAnswer, type TimedAnswer, type TimedNoise } from "../frame-answerer.ts";

export interface RecordedExchange {
  readonly request: Uint8Array;
  /** None where the module kept silent. */
  readonly answers: readonly (TimedAnswer | TimedNoise)[];
}

/**
 * Answers before the first request belong to nobody, and are left out. So is what the module said to a request that had
 * been damaged on its way, as a tap records it: a driver that is replayed to sends it whole.
 */
export function exchangesOf({ lines }: Recording): RecordedExchange[] {
  const exchanges: RecordedExchange[] = [];
  let last: Asked | undefined;
  for (const line of lines) {
    if ("event" in line) continue;
    if (line.dir === "answer") {
      if (last) addTo(last, line);
    } else if ("noise" in line) last = undefined;
    else {
      last = { t: line.t, answers: [] };
      exchanges.push({ request: line.bytes, answers: last.answers });
    }
  }
  return exchanges;
}
interface Asked {
  /** When, in ms since the start. */
  readonly t: number;
  readonly answers: (TimedAnswer | TimedNoise)[];
}

function addTo({ t, answers }: Asked, line: RecordedFrame | RecordedNoise): void {
  const afterMs = Math.max(0, line.t - t);
  const before = answers.at(-1);
  if ("bytes" in line) answers.push({ frame: line.bytes, afterMs });
  else {
    // An OK that came whole is not recorded: what is, directly behind an answer, is what came in its place.
    if (before && isAnswer(before)) answers[answers.length - 1] = { ...before, withoutOk: true };
    answers.push({ noise: line.noise, afterMs });
  }
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
