/** Frames over a UART (§3), on any byte stream that carries one: a serial port, a pseudo-terminal, TCP. */
import { type AtAnswerEvent, AtAnswerParser, atLineBytes, encodeCommandLine, LINE_END } from "../../protocol/at.ts";
import type { ByteDuplex, Clock } from "../../protocol/bus.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { FRAME_MAX } from "../../protocol/frame.ts";
import { systemClock } from "../clock.ts";
import { Deadline } from "../deadline.ts";
import {
  abortedError,
  closedError,
  type ExchangeOptions,
  type FrameEvent,
  type FrameExchange,
  type Leftover,
  type StrayEvent,
} from "./exchange.ts";
import { Pings } from "./pings.ts";
import { AnswerTurn } from "./uart-answer.ts";
import { Leftovers, type Resynced, ResyncTurn } from "./uart-resync.ts";
import type { Turn, UartLine } from "./uart-turn.ts";

export interface UartOptions {
  /** Hand an answer out with its last digit, before its `OK`. */
  readonly early?: boolean | undefined;
  /** For the time that bytes take; 115200 unless told. */
  readonly baudRate?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** The characters of the longest answer: `*CMD:`, the digits, CR LF, `OK`, CR LF. */
const ANSWER_CHARACTERS_MAX = 5 + 2 * FRAME_MAX + 2 + 4;
/** Eight bits, a start and a stop bit. */
const BITS_PER_BYTE = 10;

export class UartExchange implements FrameExchange {
  readonly name: string;
  readonly noisy = true;
  suspect = false;
  readonly #duplex: ByteDuplex;
  readonly #clock: Clock;
  readonly #parser: AtAnswerParser;
  readonly #deadline: Deadline;
  readonly #line: UartLine;
  readonly #pings: Pings;
  readonly #frameListeners = new Set<(frame: FrameEvent) => void>();
  readonly #strayListeners = new Set<(stray: StrayEvent) => void>();
  readonly #closeListeners = new Set<(reason: SakuraError | undefined) => void>();
  readonly #leftovers = new Leftovers();
  /** An answer has come, and the `OK` behind it has not. */
  #okIsDue = false;
  /** What of a line without its end has been told already. */
  #heldTold = "";
  #turn: Turn | undefined;
  #unwatch: (() => void) | undefined;
  #end: { readonly reason: SakuraError | undefined } | undefined;

  /**
   * Takes the stream over, ends what half a line the module may hold, and waits until nothing of an earlier program's
   * comes any more. Closes the stream when that fails.
   *
   * @throws SakuraError ABORTED by the signal, PORT_LOST
   */
  static async open(
    duplex: ByteDuplex,
    { signal, ...options }: UartOptions & { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<UartExchange> {
    const uart = new UartExchange(duplex, options);
    try {
      // Somebody else's late answer may come later still: where anything came, the first exchange asks for an echo.
      uart.suspect = (await uart.#resync(undefined, signal)).heard;
    } catch (error) {
      await duplex.close();
      throw error;
    }
    return uart;
  }

  private constructor(duplex: ByteDuplex, { early = false, baudRate = 115_200, clock = systemClock }: UartOptions) {
    this.name = duplex.name;
    this.#duplex = duplex;
    this.#clock = clock;
    this.#pings = new Pings(clock.now());
    this.#parser = new AtAnswerParser((event) => this.#eventCame(event), { early });
    this.#deadline = new Deadline(clock, () => this.#turn?.timeUp());
    this.#line = this.#lineFor(early, (BITS_PER_BYTE * 1000) / baudRate);
    duplex.onBytes((bytes) => {
      this.#turn?.bytesCame?.();
      this.#parser.push(bytes);
    });
    duplex.onClose((reason) => this.#ended(reason));
  }

  exchange(request: Uint8Array, { timeoutMs, signal }: ExchangeOptions): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const line = encodeCommandLine(request);
      const turn = new AnswerTurn(this.#line, timeoutMs, resolve, (error) => {
        this.suspect = true;
        reject(error);
      });
      const unable = this.#begin(turn, signal);
      if (unable) {
        reject(unable);
        return;
      }
      this.#deadline.set(timeoutMs + this.#line.wireMs(line.length + ANSWER_CHARACTERS_MAX));
      this.#leftovers.clear();
      this.#report("request", request);
      this.#duplex.write(line);
    });
  }

  async resync({ timeoutMs, signal }: ExchangeOptions): Promise<Leftover> {
    this.suspect = true;
    const resynced = await this.#resync(timeoutMs, signal);
    this.suspect = !resynced.inStep;
    this.#leftovers.clear();
    return resynced;
  }

  onFrame(listener: (frame: FrameEvent) => void): () => void {
    this.#frameListeners.add(listener);
    return () => this.#frameListeners.delete(listener);
  }

  onStray(listener: (stray: StrayEvent) => void): () => void {
    this.#strayListeners.add(listener);
    return () => this.#strayListeners.delete(listener);
  }

  onClose(listener: (reason: SakuraError | undefined) => void): () => void {
    if (this.#end) listener(this.#end.reason);
    else this.#closeListeners.add(listener);
    return () => this.#closeListeners.delete(listener);
  }

  close(): Promise<void> {
    return this.#duplex.close();
  }

  #resync(timeoutMs: number | undefined, signal: AbortSignal | undefined): Promise<Resynced> {
    return new Promise((resolve, reject) => {
      const turn = new ResyncTurn(this.#line, this.#leftovers, timeoutMs, resolve, reject);
      const unable = this.#begin(turn, signal);
      if (unable) reject(unable);
      else turn.begin();
    });
  }

  /** Why it cannot begin, if so. */
  #begin(turn: Turn, signal: AbortSignal | undefined): SakuraError | undefined {
    if (this.#end) return this.#end.reason ?? closedError(this.name);
    if (signal?.aborted) return abortedError(this.name, signal);
    if (this.#turn) return new SakuraError("INVALID_ARGUMENT", `${this.name} is in use: one exchange at a time`);
    this.#turn = turn;
    if (signal) {
      const onAbort = (): void => turn.fail(abortedError(this.name, signal));
      signal.addEventListener("abort", onAbort, { once: true });
      this.#unwatch = () => signal.removeEventListener("abort", onAbort);
    }
    return undefined;
  }

  #lineFor(early: boolean, msPerByte: number): UartLine {
    return {
      name: this.name,
      early,
      now: () => this.#clock.now(),
      wireMs: (bytes) => bytes * msPerByte,
      sendLineEnd: () => this.#duplex.write(LINE_END),
      sendPing: () => {
        const frame = this.#pings.next();
        this.#report("request", frame);
        this.#duplex.write(encodeCommandLine(frame));
      },
      lastPing: () => this.#pings.sent,
      silent: () => {
        this.#reportHeld();
        this.#reportStray({ kind: "silence", time: this.#clock.now() });
      },
      forgetHalfLine: () => {
        this.#reportHeld();
        this.#parser.reset();
        this.#heldTold = "";
      },
      limit: (ms) => this.#deadline.set(ms),
      done: () => {
        this.#turn = undefined;
        this.#deadline.clear();
        this.#unwatch?.();
        this.#unwatch = undefined;
      },
    };
  }

  #eventCame(event: AtAnswerEvent): void {
    this.#reportLine(event);
    if (event.kind === "answer") {
      this.#report("answer", event.frame);
      const ping = this.#pings.numberOf(event.frame);
      if (ping !== undefined) {
        // One that is not waited for any more must not be taken for an answer.
        this.#turn?.echoCame?.(ping);
        return;
      }
    }
    // Between two turns: behind what has just ended one.
    if (this.#turn) this.#turn.eventCame(event);
    else this.#leftovers.add(event);
  }

  /** Each line but a frame's, and the `OK` behind that. */
  #reportLine(event: AtAnswerEvent): void {
    const okWasDue = this.#okIsDue;
    this.#okIsDue = event.kind === "answer";
    this.#heldTold = "";
    const bytes = event.kind === "ok" && okWasDue ? undefined : atLineBytes(event);
    if (bytes) this.#reportStray({ kind: "noise", time: this.#clock.now(), bytes });
  }

  #reportHeld(): void {
    const { held } = this.#parser;
    if (held === this.#heldTold || this.#okIsDue) return;
    this.#heldTold = held;
    this.#reportStray({
      kind: "noise",
      time: this.#clock.now(),
      bytes: Uint8Array.from(held, (character) => character.charCodeAt(0)),
    });
  }

  #reportStray(stray: StrayEvent): void {
    for (const listener of this.#strayListeners) listener(stray);
  }

  #report(direction: FrameEvent["direction"], bytes: Uint8Array): void {
    if (this.#frameListeners.size === 0) return;
    const frame = { direction, time: this.#clock.now(), bytes };
    for (const listener of this.#frameListeners) listener(frame);
  }

  #ended(reason: SakuraError | undefined): void {
    this.#end = { reason };
    this.#deadline.stop();
    this.#turn?.fail(reason ?? closedError(this.name));
    for (const listener of [...this.#closeListeners]) listener(reason);
    this.#closeListeners.clear();
  }
}
