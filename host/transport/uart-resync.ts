/**
 * Getting in step again. An answer carries nothing that says which request it belongs to, so one that comes late would
 * be taken for the next one's.
 *
 *     → \n                       ends what half a line the module may hold
 *     ← …                        what still comes is waited out
 *     → ECHO_BACK, a new number  the module answers in order,
 *     ← the same number          so that all answers before this one have come
 */
import type { AtAnswerEvent } from "../../protocol/at.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { frameProblem } from "../../protocol/frame.ts";
import { statuses } from "../../protocol/status.ts";
import type { Turn, UartLine } from "./uart-turn.ts";

/** The line counts as quiet when nothing has come for so long. */
const QUIET_MS = 25;
/** A line that is never quiet is not waited for longer than this. */
const QUIET_WITHIN_MS = 500;
/** Before an echo that was refused or damaged is asked for again. */
const ECHO_AGAIN_MS = 20;
/** A ping and its answer on the wire. */
const PING_BYTES = 64;
/** A module that answers, but not with the echo yet, is given so many times the time. */
const SLOW_FACTOR = 4;

export interface Resynced {
  /** Whether what arrives next answers what is sent next. */
  readonly inStep: boolean;
  /** The answer to the request before, if it came now. */
  readonly late: Uint8Array | undefined;
  /** Whether something came that may have been that answer, and cannot be read. */
  readonly unreadable: boolean;
  /** Whether anything came at all. */
  readonly heard: boolean;
}

export class ResyncTurn implements Turn {
  readonly #line: UartLine;
  /** For the echo; none is asked for without it. */
  readonly #timeoutMs: number | undefined;
  readonly #resolve: (result: Resynced) => void;
  readonly #reject: (error: SakuraError) => void;
  #draining = true;
  /** Of the draining, then of the echo: Unix ms. */
  #end = 0;
  /** For the echo of a module that is silent otherwise, in ms. */
  #patience = 0;
  #untilNextPing = 0;
  #slow = false;
  #pings = 0;
  /** Answers that say that the module knows no echo. */
  #unknown = 0;
  #late: Uint8Array | undefined;
  #heard = false;
  #noise = false;
  #unreadable = false;

  constructor(
    line: UartLine,
    timeoutMs: number | undefined,
    resolve: (result: Resynced) => void,
    reject: (error: SakuraError) => void,
  ) {
    this.#line = line;
    this.#timeoutMs = timeoutMs;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  begin(): void {
    this.#end = this.#line.now() + QUIET_WITHIN_MS;
    this.#line.limit(QUIET_MS);
    this.#line.sendLineEnd();
  }

  bytesCame(): void {
    this.#heard = true;
    if (this.#draining) this.#line.limit(Math.min(QUIET_MS, this.#left()));
  }

  echoCame(ping: number | "damaged"): void {
    if (this.#draining) return;
    // Not before the last one: what an earlier one of several says of the line, a damaged later one may undo.
    if (ping === this.#line.lastPing()) this.#succeed();
    else if (ping === "damaged") this.#pingSoon();
    else this.#alive();
  }

  eventCame(event: AtAnswerEvent): void {
    const whole = event.kind === "answer" && frameProblem(event.frame) === undefined;
    if (event.kind === "noise" || (event.kind === "answer" && !whole)) this.#unreadable = true;
    if (this.#draining) {
      // No echo has been asked for yet: a whole answer can only be the one of the request before.
      if (whole) this.#late ??= event.frame;
      return;
    }
    switch (event.kind) {
      case "answer":
        return whole ? this.#answerCame(event.frame) : this.#pingSoon();
      case "error":
        return this.#pingSoon();
      case "noise":
        this.#noise = true;
        return;
      case "ok":
        if (this.#noise) this.#pingSoon();
        this.#noise = false;
    }
  }

  timeUp(): void {
    if (this.#draining) this.#drained();
    else if (this.#left() > 0) this.#ping();
    else if (this.#late) this.#finish(false);
    else this.fail(this.#missing());
  }

  fail(error: SakuraError): void {
    this.#line.done();
    this.#reject(error);
  }

  #drained(): void {
    this.#draining = false;
    this.#line.forgetHalfLine();
    if (this.#timeoutMs === undefined) {
      this.#succeed();
      return;
    }
    this.#patience = this.#timeoutMs + this.#line.wireMs(PING_BYTES);
    this.#end = this.#line.now() + this.#patience;
    // Twice at least, for one may get lost.
    this.#untilNextPing = this.#patience / 2;
    this.#ping();
  }

  #answerCame(frame: Uint8Array): void {
    if (frame[0] === statuses.values.NONE) {
      this.#late ??= frame;
      this.#alive();
    } else if (frame[0] === statuses.values.MISSING && ++this.#unknown >= this.#pings) this.#succeed();
    // A refusal may be the echo's or the request's before, and says nothing certain about either.
    else this.#pingSoon();
  }

  #ping(): void {
    this.#line.limit(Math.min(this.#left(), this.#untilNextPing));
    // And with it its end.
    if (this.#pings > 0) this.#line.sendLineEnd();
    this.#pings++;
    this.#line.sendPing();
  }

  #pingSoon(): void {
    this.#line.limit(Math.min(ECHO_AGAIN_MS, this.#left()));
  }

  /** It answers, only late: time is what it needs, and no more pings to answer. */
  #alive(): void {
    if (!this.#slow) {
      this.#slow = true;
      this.#untilNextPing *= SLOW_FACTOR;
      this.#end += (SLOW_FACTOR - 1) * this.#patience;
    }
    this.#line.limit(Math.min(this.#left(), this.#untilNextPing));
  }

  #left(): number {
    return Math.max(0, this.#end - this.#line.now());
  }

  #succeed(): void {
    this.#finish(true);
  }

  #finish(inStep: boolean): void {
    this.#line.done();
    this.#resolve({ inStep, late: this.#late, unreadable: this.#unreadable, heard: this.#heard });
  }

  #missing(): SakuraError {
    const { name } = this.#line;
    const advice = this.#heard ? "check the wiring and the baud rate" : "check its power and the wiring";
    return new SakuraError("NO_ANSWER", `the module at ${name} does not react any more: ${advice}`, {
      context: { port: name, timeoutMs: this.#timeoutMs ?? 0, noise: this.#heard },
    });
  }
}
