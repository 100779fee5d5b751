/**
 * A recorded session as a module: the same answers to the same requests, in the recorded order.
 *
 * A driver under test need not be the one that was recorded, so:
 * - The next recorded request is answered as it was: with the same bytes, damaged ones too, after the same time; with
 *   noise, `ERROR`, or silence where that is what came.
 * - A question may be asked less often, and a request may be left out: then the next recorded exchange with the same
 *   request is looked for (`skipped`). A question that has been answered before is looked for among questions alone, so
 *   that asking it once more does not leave out an order.
 * - A question may be asked more often: it gets its last answer again. What takes something, RX_DEQUEUE and
 *   GET_FILE_DATA, then takes nothing: RUNTIME.
 * - An echo of other bytes stands for the recorded one where that is next and as long, since whoever gets in step sends
 *   new bytes each time; elsewhere it gets a true echo.
 * - An order with other bytes than the recorded one, such as another value, gets the recorded answer where that has no
 *   payload, and is told (`mismatch`).
 * - Whatever else was never recorded is answered MISSING, or what a module says to a frame that is none, and told
 *   (`mismatch`).
 */
import type { Clock } from "../../protocol/bus.ts";
import { decodeRequest, encodeFrame, encodeRefusal } from "../../protocol/frame.ts";
import { parseRecording, type Recording } from "../../protocol/recording.ts";
import { statuses } from "../../protocol/status.ts";
import { realClock } from "../clock.ts";
import { Faults } from "../faults.ts";
import { type FrameAnswerer, firstFrame, isAnswer, type TimedAnswer, type TimedNoise } from "../frame-answerer.ts";
import type { FrameListener } from "../module.ts";
import { type StandIn, standingIn } from "./echoes.ts";
import { exchangesOf, isEcho, isPoll, type RecordedExchange, sameFrame, takesNext } from "./exchanges.ts";

export interface ReplayOptions {
  /** Every answer at once, instead of after the recorded time. */
  readonly fast?: boolean | undefined;
  readonly clock?: Clock | undefined;
}

export type ReplayEvent =
  /** These recorded requests were left out. `orders` of them are more than questions. */
  | { readonly kind: "skipped"; readonly requests: readonly Uint8Array[]; readonly orders: number }
  /** It was never recorded, or not at this place. */
  | {
      readonly kind: "mismatch";
      readonly request: Uint8Array;
      /** The recorded request in its place; nothing at the end. */
      readonly expected: Uint8Array | undefined;
      readonly answer: Uint8Array | undefined;
    }
  /** The last recorded exchange has been played. Told once. */
  | { readonly kind: "end" };

type Answers = readonly (TimedAnswer | TimedNoise)[];

/** What a frame is answered by. */
interface Found {
  readonly exchange: RecordedExchange;
  readonly at: number;
}

export class ReplayedModule implements FrameAnswerer {
  readonly clock: Clock;
  readonly faults = new Faults();
  readonly silent = false;
  readonly recording: Recording;
  readonly #exchanges: readonly RecordedExchange[];
  readonly #fast: boolean;
  readonly #eventListeners = new Set<(event: ReplayEvent) => void>();
  readonly #frameListeners = new Set<FrameListener>();
  readonly #noiseListeners = new Set<(noise: Uint8Array) => void>();
  /** What stands for the recorded echoes: one may come late, behind a later request. */
  readonly #echoes: StandIn[] = [];
  #next = 0;

  constructor(recording: Recording, { fast = false, clock = realClock }: ReplayOptions = {}) {
    this.recording = recording;
    this.clock = clock;
    this.#fast = fast;
    this.#exchanges = exchangesOf(recording);
  }

  /** How many exchanges there are, and how many have been played or left out. */
  get progress(): { readonly exchanges: number; readonly played: number } {
    return { exchanges: this.#exchanges.length, played: this.#next };
  }

  /** Calls the listener with what differs from the recording. Returns its removal. */
  onEvent(listener: (event: ReplayEvent) => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  /** Calls the listener with each request and its first answer, as frames. Returns its removal. */
  onFrame(listener: FrameListener): () => void {
    this.#frameListeners.add(listener);
    return () => this.#frameListeners.delete(listener);
  }

  /** Calls the listener with the noise that answers a request, behind what `onFrame` tells of it. Returns its removal. */
  onNoise(listener: (noise: Uint8Array) => void): () => void {
    this.#noiseListeners.add(listener);
    return () => this.#noiseListeners.delete(listener);
  }

  answersTo(request: Uint8Array): Answers {
    const answers = this.#answersTo(request);
    const timed = this.#fast ? answers.map((answer) => ({ ...answer, afterMs: 0 })) : answers;
    for (const listener of this.#frameListeners) listener(request, firstFrame(timed));
    for (const answer of timed) {
      if (!isAnswer(answer)) for (const listener of this.#noiseListeners) listener(answer.noise);
    }
    return timed;
  }

  #answersTo(request: Uint8Array): Answers {
    const found = this.#ahead(request);
    if (found) {
      this.#goTo(found);
      return this.#inStep(found.exchange.answers);
    }
    if (isEcho(request)) return this.#echo(request);
    const before = this.#before(request);
    if (before && isPoll(request)) return again(before);
    const alike = this.#alike(request);
    if (alike) {
      const answer = firstFrame(alike.exchange.answers);
      this.#report({ kind: "mismatch", request, expected: alike.exchange.request, answer });
      this.#goTo(alike);
      return alike.exchange.answers;
    }
    const decoded = decodeRequest(request);
    const answer = encodeRefusal(decoded.ok ? "MISSING" : decoded.status);
    this.#report({ kind: "mismatch", request, expected: this.#expected()?.request, answer });
    return atOnce(answer);
  }

  /** The next exchange with this request. */
  #ahead(request: Uint8Array): Found | undefined {
    const known = isPoll(request) && this.#before(request) !== undefined;
    for (let at = this.#next; at < this.#exchanges.length; at++) {
      const exchange = this.#exchanges[at];
      if (!exchange) return undefined;
      if (sameFrame(exchange.request, request)) return { exchange, at };
      if (known && !isPoll(exchange.request)) return undefined;
    }
    return undefined;
  }

  /** The last exchange with this request that has been played, or left out. */
  #before(request: Uint8Array): RecordedExchange | undefined {
    for (let at = this.#next - 1; at >= 0; at--) {
      const exchange = this.#exchanges[at];
      if (exchange && sameFrame(exchange.request, request)) return exchange;
    }
    return undefined;
  }

  #echo(request: Uint8Array): Answers {
    const echo = echoOf(request);
    const exchange = this.#exchanges[this.#next];
    if (!exchange || !isEcho(exchange.request) || exchange.request.length !== request.length) return atOnce(echo);
    this.#echoes.push({ recorded: echoOf(exchange.request), now: echo });
    this.#goTo({ exchange, at: this.#next });
    return this.#inStep(exchange.answers);
  }

  /** With the echoes of what was really sent, damaged as the recorded ones were. */
  #inStep(answers: Answers): Answers {
    return answers.map((answer) =>
      isAnswer(answer) ? { ...answer, frame: standingIn(answer.frame, this.#echoes) } : answer,
    );
  }

  /** The next order, where it is the same command with other bytes and an answer that does not depend on them. */
  #alike(request: Uint8Array): Found | undefined {
    if (isPoll(request)) return undefined;
    const at = this.#exchanges.findIndex((exchange, place) => place >= this.#next && !isPoll(exchange.request));
    const exchange = this.#exchanges[at];
    if (!exchange || exchange.request[0] !== request[0]) return undefined;
    return exchange.answers.every((answer) => !isAnswer(answer) || answer.frame[1] === 0)
      ? { exchange, at }
      : undefined;
  }

  /** The exchange whose turn it is, echoes aside. */
  #expected(): RecordedExchange | undefined {
    return this.#exchanges.slice(this.#next).find(({ request }) => !isEcho(request));
  }

  #goTo({ at }: Found): void {
    const left = this.#exchanges.slice(this.#next, at).map(({ request }) => request);
    this.#next = at + 1;
    const requests = left.filter((request) => !isEcho(request));
    if (requests.length > 0) {
      const orders = requests.filter((request) => !isPoll(request)).length;
      this.#report({ kind: "skipped", requests, orders });
    }
    if (this.#next === this.#exchanges.length) this.#report({ kind: "end" });
  }

  #report(event: ReplayEvent): void {
    for (const listener of this.#eventListeners) listener(event);
  }
}

function echoOf(request: Uint8Array): Uint8Array {
  return encodeFrame(statuses.values.NONE, request.slice(2, -1));
}

function atOnce(frame: Uint8Array): Answers {
  return [{ frame, afterMs: 0 }];
}

/** What was answered last, once more; unless it has been taken. */
function again({ request, answers }: RecordedExchange): Answers {
  const taken =
    takesNext(request) && answers.some((answer) => isAnswer(answer) && answer.frame[0] === statuses.values.NONE);
  return taken ? atOnce(encodeRefusal("RUNTIME")) : answers;
}

/**
 * A recorded session as a module, to be put on a line: a bug that was seen on hardware becomes a test.
 *
 *     const module = replayRecording(await readFile("bug.ndjson", "utf8"), { fast: true });
 *     attachUart(module, pty.duplex);
 *
 * @param recording as `parseRecording` reads it, or its text
 * @throws SakuraError INVALID_ARGUMENT for a text that is no recording
 */
export function replayRecording(recording: Recording | string, options: ReplayOptions = {}): ReplayedModule {
  return new ReplayedModule(typeof recording === "string" ? parseRecording(recording) : recording, options);
}
