/** Waiting for the answer to one request (§3). */
import type { AtAnswerEvent } from "../../protocol/at.ts";
import { SakuraError } from "../../protocol/errors.ts";
import type { Turn, UartLine } from "./uart-turn.ts";

/** How long an answer that is there waits for the `OK` behind it. */
const GRACE_MS = 100;
/** `OK` with its line end, and the one before it. */
const OK_BYTES = 6;

/**
 * - `*CMD:` and then `OK`: the answer. It is handed out with the `OK`, so that the next request goes out after it;
 *   with `early` at once. Anything else behind the answer is taken for an `OK` that was damaged.
 * - `OK` alone: the one of an answer before. Passed over.
 * - something and then `OK`: an answer that was damaged.
 * - `ERROR`: the module did not understand the line, and did nothing.
 */
export class AnswerTurn implements Turn {
  readonly #line: UartLine;
  readonly #timeoutMs: number;
  readonly #resolve: (answer: Uint8Array) => void;
  readonly #reject: (error: SakuraError) => void;
  #answer: Uint8Array | undefined;
  #noise = false;

  constructor(
    line: UartLine,
    timeoutMs: number,
    resolve: (answer: Uint8Array) => void,
    reject: (error: SakuraError) => void,
  ) {
    this.#line = line;
    this.#timeoutMs = timeoutMs;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  eventCame(event: AtAnswerEvent): void {
    if (this.#answer) {
      this.#succeed(this.#answer);
      return;
    }
    switch (event.kind) {
      case "answer":
        this.#answer = event.frame;
        if (this.#line.early) this.#succeed(event.frame);
        else this.#line.limit(GRACE_MS + this.#line.wireMs(OK_BYTES));
        return;
      case "ok":
        if (this.#noise) this.fail(damaged(this.#line.name));
        return;
      case "error":
        this.fail(notUnderstood(this.#line.name));
        return;
      case "noise":
        this.#noise = true;
    }
  }

  timeUp(): void {
    if (this.#answer) this.#succeed(this.#answer);
    else {
      this.#line.silent();
      this.fail(missing(this.#line.name, this.#timeoutMs, this.#noise));
    }
  }

  fail(error: SakuraError): void {
    this.#line.done();
    this.#reject(error);
  }

  #succeed(answer: Uint8Array): void {
    this.#line.done();
    this.#resolve(answer);
  }
}

function damaged(port: string): SakuraError {
  return new SakuraError("DAMAGED_ANSWER", `what ${port} answered cannot be read: noise on the line?`, {
    context: { port },
  });
}

function notUnderstood(port: string): SakuraError {
  return new SakuraError(
    "MODULE_REFUSED",
    `what is at ${port} answers ERROR, so it did not understand the line: noise, or no sakura.io module`,
    { context: { port, status: "ERROR" } },
  );
}

function missing(port: string, timeoutMs: number, noise: boolean): SakuraError {
  const advice = noise
    ? "only noise came: check the baud rate and the wiring"
    : "check its power, the wiring (TX to RX) and the baud rate";
  return new SakuraError("NO_ANSWER", `the module at ${port} did not answer in ${timeoutMs} ms: ${advice}`, {
    context: { port, timeoutMs, noise },
  });
}
