/** The serial line of a Bus Pirate: commands out, answers of known lengths in. It knows no mode. */
import { ByteLengthParser } from "@serialport/parser-byte-length";
import type { ByteDuplex, Clock } from "../../../protocol/bus.ts";
import { SakuraError } from "../../../protocol/errors.ts";

/** What is being done, for messages: `setting the speed`, `writing 13 bytes to 0x4F`. */
export type Step = string;

export interface Wait {
  readonly step: Step;
  /** The clock's time at which the wait is over. */
  readonly until: number;
  readonly signal?: AbortSignal | undefined;
}

/** What a wait does with what happens. */
interface Act<T> {
  bytesCame(bytes: Uint8Array, succeed: (value: T) => void, fail: (error: SakuraError) => void): void;
  timeUp(): T | SakuraError;
}

interface Waiter {
  readonly step: Step;
  bytesCame(bytes: Uint8Array): void;
  fail(error: SakuraError): void;
}

/** Bits on a line of 8N1; the adapter's line runs at 115200 (§6). */
const BITS_PER_BYTE = 10;
const BITS_PER_MS = 115.2;

/** How long so many bytes take on the adapter's serial line, in ms. */
export function serialMs(bytes: number): number {
  return (bytes * BITS_PER_BYTE) / BITS_PER_MS;
}

export class BusPirateWire {
  readonly clock: Clock;
  /** For people: `the Bus Pirate at /dev/ttyUSB0`. */
  readonly name: string;
  readonly #duplex: ByteDuplex;
  #waiter: Waiter | undefined;
  #end: { readonly reason: SakuraError | undefined } | undefined;
  #strayed = false;

  constructor(duplex: ByteDuplex, clock: Clock) {
    this.clock = clock;
    this.name = `the Bus Pirate at ${duplex.name}`;
    this.#duplex = duplex;
    duplex.onBytes((bytes) => {
      if (this.#waiter) this.#waiter.bytesCame(bytes);
      else this.#strayed = true;
    });
    duplex.onClose((reason) => {
      this.#end = { reason };
      this.fail((step) => this.#endError(step, reason));
    });
  }

  /** Whether anything came since the last look that nobody waited for. */
  takeStrayed(): boolean {
    const strayed = this.#strayed;
    this.#strayed = false;
    return strayed;
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** Sends bytes whose answer nobody waits for. */
  write(bytes: Uint8Array): void {
    this.#duplex.write(bytes);
  }

  /**
   * Sends a command and gives its answer.
   *
   * @param length how many bytes answer it, 1 or more
   * @param alone a first byte behind which no other comes
   * @throws SakuraError NO_ANSWER when not all of them came in time (context.received says how many), PORT_FAILED when
   *   more came, ABORTED, PORT_LOST, CLOSED
   */
  ask(command: Uint8Array, length: number, wait: Wait, alone?: number): Promise<Uint8Array> {
    let expected = length;
    let received = 0;
    // A new one for each answer: what is left of one that failed must not begin the next.
    let parser: ByteLengthParser | undefined;
    const answer = this.#wait<Uint8Array>(wait, command, {
      bytesCame: (bytes, succeed, fail) => {
        if (received === 0) {
          if (bytes[0] === alone) expected = 1;
          if (parser?.length !== expected) parser = new ByteLengthParser({ length: expected });
          // The library gives Buffers, whose slices are not copies.
          parser.once("data", (whole: Uint8Array) => succeed(new Uint8Array(whole)));
        }
        received += bytes.length;
        if (received <= expected) parser?.write(bytes);
        else
          fail(this.error("PORT_FAILED", wait.step, `sent ${received} bytes where ${expected} answer`, { received }));
      },
      timeUp: () => {
        const came = received === 0 ? "did not answer" : `sent only ${received} of ${expected} bytes`;
        return this.error("NO_ANSWER", wait.step, `${came} in time: check its cable, or plug it in again`, {
          received,
        });
      },
    });
    // Making one takes a while, and now the command is on its way.
    parser ??= new ByteLengthParser({ length });
    return answer;
  }

  /**
   * Sends a command and looks at everything that comes, until `accept` says true or the time is over: then false.
   * @throws SakuraError ABORTED, PORT_LOST, CLOSED
   */
  watch(command: Uint8Array, wait: Wait, accept: (bytes: Uint8Array) => boolean): Promise<boolean> {
    return this.#wait<boolean>(wait, command, {
      bytesCame: (bytes, succeed) => {
        if (accept(bytes)) succeed(true);
      },
      timeUp: () => false,
    });
  }

  /** Rejects what is under way. */
  fail(reason: (step: Step) => SakuraError): void {
    const waiter = this.#waiter;
    waiter?.fail(reason(waiter.step));
  }

  error(
    code: "NO_ANSWER" | "PORT_FAILED",
    step: Step,
    says: string,
    facts: { readonly received?: number } = {},
  ): SakuraError {
    return new SakuraError(code, `${this.name}, ${step}: it ${says}`, {
      context: { port: this.#duplex.name, step, ...facts },
    });
  }

  closedError(step: Step): SakuraError {
    return new SakuraError("CLOSED", `${this.name} was closed, ${step}`, {
      context: { port: this.#duplex.name, step },
    });
  }

  abortedError(step: Step, signal: AbortSignal | undefined): SakuraError {
    return new SakuraError("ABORTED", `${this.name}, ${step}: given up`, {
      context: { port: this.#duplex.name, step },
      cause: signal?.reason,
    });
  }

  #wait<T>({ step, until, signal }: Wait, command: Uint8Array, act: Act<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#end) {
        reject(this.#endError(step, this.#end.reason));
        return;
      }
      if (signal?.aborted) {
        reject(this.abortedError(step, signal));
        return;
      }
      let over = false;
      const finish = (settle: () => void): void => {
        // A parser may give what it has a moment after the wait has failed, when the next one has begun.
        if (over) return;
        over = true;
        this.#waiter = undefined;
        cancel();
        signal?.removeEventListener("abort", onAbort);
        settle();
      };
      const fail = (error: SakuraError): void => finish(() => reject(error));
      const succeed = (value: T): void => finish(() => resolve(value));
      const onAbort = (): void => fail(this.abortedError(step, signal));
      const cancel = this.clock.after(Math.max(0, until - this.clock.now()), () => {
        const outcome = act.timeUp();
        if (outcome instanceof SakuraError) fail(outcome);
        else succeed(outcome);
      });
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiter = { step, bytesCame: (bytes) => act.bytesCame(bytes, succeed, fail), fail };
      // Last: a stream may answer within the call.
      if (command.length > 0) this.#duplex.write(command);
    });
  }

  #endError(step: Step, reason: SakuraError | undefined): SakuraError {
    if (!reason) return this.closedError(step);
    return new SakuraError(reason.code, `${this.name}, ${step}: ${reason.message}`, {
      context: { ...reason.context, port: this.#duplex.name, step },
      cause: reason,
    });
  }
}
