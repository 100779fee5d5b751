/**
 * What goes over a tapped UART, put together again: requests, and the answers that belong to them (§3).
 *
 * A driver sends one request and waits for its answer (§1), so an answer belongs to the request sent last. One that does
 * not fit it, or that comes when that has been answered, is the late one of a request before that the driver has given
 * up. What is neither, or is damaged, belongs to none. A request that was lost or garbled on its way needs no rule of its
 * own: it has no answer.
 */
import { AtAnswerParser, AtRequestParser } from "../../../protocol/at.ts";
import { commandTable } from "../../../protocol/commands.ts";
import { type DecodedRequest, decodeRequest, FRAME_OVERHEAD, frameProblem } from "../../../protocol/frame.ts";
import { statuses } from "../../../protocol/status.ts";
import type { TapSide } from "./tap-pipe.ts";

/** A request that the MCU sent. */
export interface TapRequest {
  /** Counts them, so that what comes late can be put where it belongs. */
  readonly number: number;
  /** When its last byte passed, Unix ms. */
  readonly at: number;
  readonly frame: Uint8Array;
  readonly decoded: DecodedRequest;
}

export type TapEvent =
  | ({ readonly kind: "request" } & TapRequest)
  | {
      readonly kind: "answer";
      readonly at: number;
      /** Whole, its parity good. */
      readonly frame: Uint8Array;
      /** Nothing when it belongs to none. */
      readonly to: TapRequest | undefined;
    }
  /** The MCU has gone on without a good answer to this one; a late one may come. */
  | { readonly kind: "unanswered"; readonly request: TapRequest }
  /** What is no frame: ignored, as both sides ignore it. */
  | { readonly kind: "noise"; readonly from: TapSide; readonly bytes: number };

/** No answer comes later than this: the longest that any known driver waits is 5 s. */
const LATE_MS = 10_000;
/** Requests in a row without an answer that are remembered. */
const GIVEN_UP_MAX = 8;

export class TapDecoder {
  readonly #emit: (event: TapEvent) => void;
  #requests: AtRequestParser;
  #answers: AtAnswerParser;
  /** When the bytes came that are being read: Unix ms. */
  #now = 0;
  #number = 0;
  #current: TapRequest | undefined;
  #givenUp: TapRequest[] = [];
  /** Lines of the MCU that are no command, each of which the module answers with an ERROR of its own. */
  #errorsDue = 0;

  constructor(emit: (event: TapEvent) => void) {
    this.#emit = emit;
    this.#requests = this.#requestParser();
    this.#answers = this.#answerParser();
  }

  /** @param now Unix ms */
  push(from: TapSide, bytes: Uint8Array, now: number): void {
    this.#now = now;
    if (from === "mcu") this.#requests.push(bytes);
    else this.#answers.push(bytes);
  }

  /** Forgets half a line of either side, and does not wait for an answer any more. */
  reset(): void {
    this.#requests = this.#requestParser();
    this.#answers = this.#answerParser();
    this.#giveUp();
    this.#givenUp = [];
    this.#errorsDue = 0;
  }

  #requestParser(): AtRequestParser {
    return new AtRequestParser((event) => {
      switch (event.kind) {
        case "frame":
          return this.#asked(event.frame);
        case "at":
          return;
        case "error":
          this.#errorsDue++;
          return this.#emit({ kind: "noise", from: "mcu", bytes: event.line.length });
        case "noise":
          return this.#emit({ kind: "noise", from: "mcu", bytes: event.bytes });
      }
    });
  }

  #answerParser(): AtAnswerParser {
    return new AtAnswerParser((event) => {
      switch (event.kind) {
        case "answer":
          return this.#answered(event.frame);
        case "ok":
          return;
        case "error":
          if (this.#errorsDue > 0) this.#errorsDue--;
          // What passed here whole did not arrive so: the module has done nothing.
          else this.#giveUp({ lateAnswer: false });
          return;
        case "noise":
          return this.#emit({ kind: "noise", from: "module", bytes: event.line.length });
      }
    });
  }

  #asked(frame: Uint8Array): void {
    this.#giveUp();
    const request = { number: ++this.#number, at: this.#now, frame, decoded: decodeRequest(frame) };
    this.#current = request;
    this.#emit({ kind: "request", ...request });
  }

  #answered(frame: Uint8Array): void {
    if (frameProblem(frame) !== undefined) {
      this.#giveUp({ lateAnswer: false });
      this.#emit({ kind: "noise", from: "module", bytes: frame.length });
      return;
    }
    this.#errorsDue = 0;
    this.#emit({ kind: "answer", at: this.#now, frame, to: this.#askedFor(frame) });
  }

  #askedFor(answer: Uint8Array): TapRequest | undefined {
    const current = this.#current;
    if (current && fits(answer, current)) {
      this.#current = undefined;
      return current;
    }
    this.#givenUp = this.#givenUp.filter(({ at }) => this.#now - at < LATE_MS);
    const late = this.#givenUp.find((request) => fits(answer, request));
    this.#givenUp = this.#givenUp.filter((request) => request !== late);
    return late;
  }

  #giveUp({ lateAnswer = true } = {}): void {
    const request = this.#current;
    if (!request) return;
    this.#current = undefined;
    if (lateAnswer) this.#givenUp = [...this.#givenUp, request].slice(-GIVEN_UP_MAX);
    this.#emit({ kind: "unanswered", request });
  }
}

/** Whether the answer can be this request's: a refusal can be anyone's. */
function fits(answer: Uint8Array, { decoded }: TapRequest): boolean {
  if (answer[0] !== statuses.values.NONE || !decoded.ok) return true;
  const { min, max } = commandTable[decoded.name].response;
  const size = answer.length - FRAME_OVERHEAD;
  return size >= min && size <= max;
}
