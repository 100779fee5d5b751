/** Whether bytes arrive as they were sent: many echoes of growing length, counted and timed. */
import type { Clock } from "../../protocol/bus.ts";
import { isSakuraError, type SakuraError } from "../../protocol/errors.ts";
import { encodeRequest } from "../../protocol/frame.ts";
import { statuses } from "../../protocol/status.ts";
import { monotonicMs } from "../clock.ts";
import type { SakuraModule } from "../module.ts";
import { isRefusal } from "../outcome.ts";
import { type Finding, ok, problem, skipped, warning } from "./finding.ts";

export interface EchoOptions {
  readonly clock: Clock;
  /** How many, each one byte longer than the last: 1 to 255. */
  readonly echoes: number;
  /** No echo is begun after so long, in ms. */
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

interface Tally {
  done: number;
  readonly tripsMs: number[];
  /** Nothing came in time. */
  silent: number;
  /** The answer arrived damaged. */
  damaged: number;
  /** The module says that the request arrived damaged, at the first try or a later one. */
  refused: number;
  /** It put an echo off; that is no error of the line. */
  busy: number;
}

/** @throws SakuraError ABORTED, CLOSED; PORT_LOST when the port goes away */
export async function examineEchoes(module: SakuraModule, options: EchoOptions): Promise<Finding> {
  const { clock, echoes, limitMs, signal, onProgress } = options;
  const tally: Tally = { done: 0, tripsMs: [], silent: 0, damaged: 0, refused: 0, busy: 0 };
  const end = monotonicMs(clock) + limitMs;
  while (tally.done < echoes && monotonicMs(clock) < end) {
    const payload = payloadOf(tally.done);
    const watch = watchSendings(module, payload, clock);
    try {
      const back = await module.echoBack(payload, { retries: 0, signal });
      if (back.length !== payload.length || !back.every((byte, i) => byte === payload[i])) tally.damaged++;
      else countReturned(tally, watch.seen());
    } catch (error) {
      if (isRefusal(error, "MISSING")) return skipped("parity", "this firmware knows no echo");
      count(tally, error);
    } finally {
      watch.stop();
    }
    tally.done++;
    onProgress?.(tally.done, echoes);
  }
  return findingOf(tally, echoes, limitMs);
}

/** How one echo went over the wire. */
interface Sendings {
  /** How often its request was sent. */
  readonly sent: number;
  /** How often a busy module put it off. */
  readonly busy: number;
  /** From its last sending until now, in ms; without what brought the line back in step before it. */
  readonly tripMs: number;
}

/** The client repeats by itself what arrived damaged at the module: here just that is to be counted. */
function watchSendings(module: SakuraModule, payload: Uint8Array, clock: Clock) {
  const request = encodeRequest("ECHO_BACK", payload);
  let sent = 0;
  let busy = 0;
  let start = 0;
  const stop = module.onFrame(({ direction, bytes }) => {
    if (direction === "answer") {
      if (bytes[0] === statuses.values.BUSY) busy++;
    } else if (bytes.length === request.length && bytes.every((byte, i) => byte === request[i])) {
      sent++;
      start = monotonicMs(clock);
    }
  });
  return { stop, seen: (): Sendings => ({ sent, busy, tripMs: monotonicMs(clock) - start }) };
}

/** An echo that came back right, at whichever try. */
function countReturned(tally: Tally, { sent, busy, tripMs }: Sendings): void {
  if (sent - 1 > busy) tally.refused++;
  else {
    if (busy > 0) tally.busy++;
    tally.tripsMs.push(tripMs);
  }
}

/** The same bytes each time, and every bit in either state sooner or later. */
function payloadOf(index: number): Uint8Array {
  return Uint8Array.from({ length: Math.min(255, index + 1) }, (_, i) => (index * 31 + i * 73 + 0x55) & 0xff);
}

function count(tally: Tally, error: unknown): void {
  if (!isSakuraError(error)) throw error;
  switch (error.code) {
    case "NO_ANSWER":
      tally.silent++;
      return;
    case "DAMAGED_ANSWER":
    case "INVALID_PAYLOAD":
      tally.damaged++;
      return;
    case "MODULE_REFUSED":
      countRefusal(tally, error);
      return;
    default:
      throw error;
  }
}

function countRefusal(tally: Tally, { context }: SakuraError): void {
  if (context["status"] === "BUSY") tally.busy++;
  else tally.refused++;
}

/** From here on the retries do not make up for it. */
const BAD_PART = 0.1;

function findingOf(tally: Tally, echoes: number, limitMs: number): Finding {
  const { done, silent, damaged, refused, busy } = tally;
  const trips = [...tally.tripsMs].sort((a, b) => a - b);
  const errors = silent + damaged + refused;
  const errorRate = done === 0 ? 0 : errors / done;
  const times = { minMs: at(trips, 0), medianMs: at(trips, 0.5), p99Ms: at(trips, 0.99) };
  const facts = { echoes: done, wanted: echoes, errors, errorRate, silent, damaged, refused, busy, ...times };
  const few = done < echoes ? `; only ${done} of ${echoes} were made in ${Math.round(limitMs / 1000)} s` : "";
  const speed =
    trips.length === 0 ? "" : `; ${times.medianMs} ms each (median; min ${times.minMs}, p99 ${times.p99Ms})`;
  if (errors === 0) {
    const spells = busy === 0 ? "" : `; the module was busy ${busy} times`;
    return ok("parity", `${done} echoes came back clean${few}${speed}${spells}`, { facts });
  }
  const kinds = [
    refused > 0 ? `${refused} arrived damaged at the module` : "",
    damaged > 0 ? `${damaged} came back damaged` : "",
    silent > 0 ? `${silent} got no answer` : "",
  ].filter((kind) => kind !== "");
  const seen = `${errors} of ${done} echoes failed (${percent(errorRate)}): ${kinds.join(", ")}${few}${speed}`;
  const bad = errorRate >= BAD_PART;
  const advice = [
    "shorten the wires, and run the ground beside TX and RX",
    "keep them away from the antenna and its cable: errors that come while the module sends are that",
    bad
      ? "so many make commands fail, some with an unknown outcome: repair the line first"
      : "damaged commands are repeated by themselves, so that this costs time and no values",
  ];
  return (bad ? problem : warning)("parity", seen, { advice, facts });
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}

/** One digit behind the point is what such a measurement is good for. */
function at(sorted: readonly number[], quantile: number): number | undefined {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))];
  return value === undefined ? undefined : Math.round(value * 10) / 10;
}
