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
import type { Leftover } from "./exchange.ts";
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

export interface Resynced extends Leftover {
  /** Whether what arrives next answers what is sent next. */
  readonly inStep: boolean;
  /** Whether anything came at all. */
  readonly heard: boolean;
}

/** What came since the request before, for {@link ResyncTurn}. */
export class Leftovers implements Leftover {
  late: Uint8Array | undefined;
  unreadable = false;

  clear(): void {
    this.late = undefined;
    this.unreadable = false;
  }

  /** What came while nobody asked for an echo: a whole answer can only be the one of the request before. */
  add(event: AtAnswerEvent): void {
    if (event.kind === "noise") this.unreadable = true;
    if (event.kind !== "answer") return;
    if (frameProblem(event.frame) !== undefined) this.unreadable = true;
    else this.late ??= event.frame;
  }
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
  readonly #leftovers: Leftovers;
  #heard = false;
  #noise = false;

  constructor(
    line: UartLine,
    leftovers: Leftovers,
    timeoutMs: number | undefined,
    resolve: (result: Resynced) => void,
    reject: (error: SakuraError) => void,
  ) {
    this.#line = line;
    this.#leftovers = leftovers;
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
    if (this.#draining) {
      this.#leftovers.add(event);
      return;
    }
    switch (event.kind) {
      case "answer":
        return this.#answerCame(event);
      case "error":
        return this.#pingSoon();
      case "noise":
        this.#leftovers.add(event);
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
    else {
      this.#line.silent();
      if (this.#leftovers.late) this.#finish(false);
      else this.fail(this.#missing());
    }
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

  #answerCame(answer: { readonly kind: "answer"; readonly frame: Uint8Array }): void {
    const damaged = frameProblem(answer.frame) !== undefined;
    const [status] = answer.frame;
    // A refusal may be the echo's or the request's before, and says nothing certain about either.
    if (damaged || status === statuses.values.NONE) this.#leftovers.add(answer);
    if (!damaged && status === statuses.values.NONE) this.#alive();
    else if (!damaged && status === statuses.values.MISSING && ++this.#unknown >= this.#pings) this.#succeed();
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
    const { late, unreadable } = this.#leftovers;
    this.#resolve({ inStep, late, unreadable, heard: this.#heard });
  }

  #missing(): SakuraError {
    const { name } = this.#line;
    const timeoutMs = this.#timeoutMs ?? 0;
    return new SakuraError(
      "NO_ANSWER",
      `the module at ${name} does not answer: check its power, the wiring (TX to RX) and the baud rate`,
      { context: { port: name, timeoutMs, noise: this.#heard } },
    );
  }
}
