/** A Bus Pirate in one of its modes, one call at a time; put back in step before a call when the one before failed. */
import { busPirateBytes, busPirateNames, encodePeripherals, OK_BYTE } from "../../../protocol/bus-pirate.ts";
import { isSakuraError, SakuraError } from "../../../protocol/errors.ts";
import { toHex } from "../../../protocol/hex.ts";
import { waitAtLeast } from "../../clock.ts";
import { enterBitbang, returnToBitbang } from "./enter.ts";
import type { BusPirateWire, Step, Wait } from "./wire.ts";

/** A command that sets something up, answered by 0x01. */
export interface SetupStep {
  readonly step: Step;
  readonly command: Uint8Array;
}

export interface SessionPlan {
  readonly mode: "i2c" | "spi";
  readonly setup: readonly SetupStep[];
  /** Whether the setup switches anything on. */
  readonly powers: boolean;
  /** For entering the mode and all of the setup, in ms. */
  readonly enterMs: number;
}

/** What a call may do. */
export interface SessionCall {
  /** Sends a command and gives its answer: see `BusPirateWire.ask`. */
  ask(command: Uint8Array, length: number, alone?: number): Promise<Uint8Array>;
  /**
   * Lets time go by, never less than this.
   * @throws SakuraError CLOSED, ABORTED
   */
  wait(ms: number): Promise<void>;
}

export interface CallLimits {
  /** For the whole call, in ms; getting back in step comes on top. */
  readonly ms: number;
  readonly signal?: AbortSignal | undefined;
}

/** For each answer on the way out; nobody wants to wait for an adapter that he has done with. */
const LEAVE_MS = 200;
/** For what ends an exchange: an adapter that is slow then has to be put back in step before the next. */
const INSIST_MS = 1000;
/** For the name of a mode, the slowest line's latency included. */
const CHOICE_MS = 1500;

export class BusPirateSession {
  readonly wire: BusPirateWire;
  readonly #plan: SessionPlan;
  /** In its mode and set up, and nothing of an earlier answer is to come. */
  #inStep = false;
  #call: Promise<unknown> | undefined;
  /** Ends a wait of the call's that is not for an answer. */
  #waiting: AbortController | undefined;
  #left: Promise<void> | undefined;

  constructor(wire: BusPirateWire, plan: SessionPlan) {
    this.wire = wire;
    this.#plan = plan;
  }

  /**
   * Enters the mode and sets everything up, from whatever state.
   * @throws SakuraError NO_ANSWER, PORT_FAILED, PORT_LOST, ABORTED, CLOSED; each names the step
   */
  async enter(signal: AbortSignal | undefined): Promise<void> {
    const { mode, setup, enterMs } = this.#plan;
    const until = this.wire.clock.now() + enterMs;
    this.#inStep = false;
    await enterBitbang(this.wire, { until, signal });
    const name = busPirateNames[mode];
    const choice = mode === "i2c" ? busPirateBytes.enterI2c : busPirateBytes.enterSpi;
    const choosing = { step: `choosing ${mode === "i2c" ? "I2C" : "SPI"}`, until, signal };
    await this.#choose(Uint8Array.of(choice), name, choosing);
    for (const { step, command } of setup) {
      const [result, ...rest] = await this.wire.ask(command, 1, { step, until, signal });
      if (result !== OK_BYTE) throw this.#wrong(step, [result ?? 0, ...rest]);
    }
    this.wire.takeStrayed();
    this.#inStep = true;
  }

  /**
   * @throws SakuraError INVALID_ARGUMENT while another call is under way; CLOSED; what {@link enter} and the work throw
   */
  call<T>(step: Step, limits: CallLimits, work: (call: SessionCall) => Promise<T>): Promise<T> {
    if (this.#closing) return Promise.reject(this.wire.closedError(step));
    if (this.#call !== undefined) {
      const says = `${this.wire.name} is in use: one call at a time`;
      return Promise.reject(new SakuraError("INVALID_ARGUMENT", says));
    }
    const running = this.#run(step, limits, work).finally(() => {
      this.#call = undefined;
    });
    this.#call = running.catch(() => undefined);
    return running;
  }

  /**
   * For what must be said whatever happened before. Waits for the answer where there will be one, and does not fail.
   */
  async insist(step: Step, command: Uint8Array): Promise<void> {
    if (!this.#inStep) {
      this.wire.write(command);
      return;
    }
    this.#inStep = false;
    const until = this.wire.clock.now() + INSIST_MS;
    const answer = await this.wire.ask(command, 1, { step, until }).catch(() => undefined);
    this.#inStep = answer?.[0] === OK_BYTE;
  }

  /** It answered something else than is its to answer: the next call begins anew. */
  wrongAnswer(step: Step, answer: ArrayLike<number>): SakuraError {
    this.#inStep = false;
    return this.#wrong(step, answer);
  }

  /** Ends what is under way with CLOSED, switches off, leaves binary mode. Bounded in time; does not fail. */
  leave(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  get #closing(): boolean {
    return this.#left !== undefined;
  }

  async #run<T>(step: Step, { ms, signal }: CallLimits, work: (call: SessionCall) => Promise<T>): Promise<T> {
    if (signal?.aborted) throw this.wire.abortedError(step, signal);
    // Bytes that nobody asked for: it was reset, or something else is on the line.
    if (this.wire.takeStrayed() || !this.#inStep) await this.#enterAgain(signal);
    const until = this.wire.clock.now() + ms;
    return work({
      ask: async (command, length, alone) => {
        if (this.#closing) throw this.wire.closedError(step);
        this.#inStep = false;
        const answer = await this.wire.ask(command, length, { step, until, signal }, alone);
        this.#inStep = true;
        return answer;
      },
      wait: (waitMs) => this.#wait(step, waitMs, signal),
    });
  }

  /** Answers to the 0x00s before, which a slow line may still hold, come before the name; behind it nothing is left. */
  async #choose(command: Uint8Array, name: Uint8Array, { step, until, signal }: Wait): Promise<void> {
    const limit = Math.min(until, this.wire.clock.now() + CHOICE_MS);
    let tail: number[] = [];
    const chosen = await this.wire.watch(command, { step, until: limit, signal }, (bytes) => {
      tail = [...tail, ...bytes].slice(-name.length);
      return tail.length === name.length && name.every((byte, at) => byte === tail[at]);
    });
    if (chosen) return;
    if (tail.length > 0) throw this.#wrong(step, tail);
    const says = "did not answer in time: check its cable, or plug it in again";
    throw this.wire.error("NO_ANSWER", step, says, { received: 0 });
  }

  /** What a failure says then is about the adapter alone: nothing of the call has been sent. */
  async #enterAgain(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.enter(signal);
    } catch (error) {
      if (!isSakuraError(error, "NO_ANSWER") && !isSakuraError(error, "PORT_FAILED")) throw error;
      throw new SakuraError("PORT_FAILED", error.message, {
        context: { ...error.context, reached: false },
        cause: error,
      });
    }
  }

  async #wait(step: Step, ms: number, signal: AbortSignal | undefined): Promise<void> {
    const waiting = new AbortController();
    const onAbort = (): void => waiting.abort();
    signal?.addEventListener("abort", onAbort, { once: true });
    if (this.#closing || signal?.aborted) waiting.abort();
    this.#waiting = waiting;
    await waitAtLeast(this.wire.clock, ms, waiting.signal);
    this.#waiting = undefined;
    signal?.removeEventListener("abort", onAbort);
    if (this.#closing) throw this.wire.closedError(step);
    if (signal?.aborted) throw this.wire.abortedError(step, signal);
  }

  async #leave(): Promise<void> {
    this.wire.fail((step) => this.wire.closedError(step));
    this.#waiting?.abort();
    await this.#call;
    if (this.wire.ended) return;
    try {
      if (this.#inStep && this.#plan.powers) await this.wire.ask(ALL_OFF, 1, this.#soon("switching off"));
      if (!(await returnToBitbang(this.wire, this.#soon("leaving its mode")))) return;
      // It prints its greeting behind the 0x01, which is nobody's to read any more.
      await this.wire.watch(LEAVE, this.#soon("leaving binary mode"), () => true);
    } catch {
      // Whoever closes has no use for an adapter that does not answer, and the next one to open it finds its way.
    }
  }

  #soon(step: Step): Wait {
    return { step, until: this.wire.clock.now() + LEAVE_MS };
  }

  #wrong(step: Step, answer: ArrayLike<number>): SakuraError {
    const said = toHex(Uint8Array.from(answer), " ");
    return this.wire.error("PORT_FAILED", step, `answered ${said}, which a Bus Pirate does not`);
  }
}

const ALL_OFF = encodePeripherals({ power: false, pullUps: false, aux: false, chipSelect: false });
const LEAVE = Uint8Array.of(busPirateBytes.leave);
