/** Sending, and waiting until it has ended well or badly (§7). */
import type { Clock } from "../protocol/bus.ts";
import type { RequestOf } from "../protocol/commands.ts";
import { isSakuraError, SakuraError } from "../protocol/errors.ts";
import { pause } from "./clock.ts";
import type { ModuleMethods } from "./module-methods.ts";
import { isRefusal } from "./outcome.ts";

export interface SendOptions {
  /** Stops waiting; what the module has begun to send it goes on to send. */
  readonly signal?: AbortSignal | undefined;
  /** For the whole of it, in ms; 60000 unless told. */
  readonly timeoutMs?: number | undefined;
  /** Between two looks at TX_STAT, in ms; 50 unless told. */
  readonly pollMs?: number | undefined;
}

type Sender = Pick<ModuleMethods, "txSend" | "txSendimmed" | "txStat">;
type Which = "queue" | "immediate";

/** A TX_SEND whose fate is unknown is given so many chances more. */
const FLUSH_TRIES = 4;

/** See `SakuraModule.flush`. */
export async function flush(module: Sender, clock: Clock, options: SendOptions): Promise<void> {
  const watch = new SendWatch(module, clock, "queue", options);
  for (let tries = 1; ; tries++) {
    const started = await watch.start(async () => {
      try {
        await module.txSend({ signal: options.signal });
        return true;
      } catch (error) {
        // Here a second time does no harm: what the first one took is gone from the queue, and an empty queue is fine.
        // But behind a port that went away, the module may have lost its power, and an empty queue says nothing.
        const again = isSakuraError(error, "OUTCOME_UNKNOWN") && !isSakuraError(error.cause, "PORT_LOST");
        if (again && tries < FLUSH_TRIES) return false;
        throw error;
      }
    });
    const { state } = await watch.ended();
    if (started) return check("TX_SEND", state, "the values stay in the queue");
  }
}

/** See `SakuraModule.sendImmediately`. */
export async function sendImmediately(
  module: Sender,
  clock: Clock,
  request: RequestOf<"TX_SENDIMMED">,
  options: SendOptions,
): Promise<void> {
  const watch = new SendWatch(module, clock, "immediate", options);
  for (;;) {
    let unknown: SakuraError | undefined;
    const started = await watch.start(async () => {
      try {
        await module.txSendimmed(request, { signal: options.signal });
      } catch (error) {
        if (!isSakuraError(error, "OUTCOME_UNKNOWN")) throw error;
        unknown = error;
      }
      return true;
    });
    const { state, seen } = await watch.ended(unknown);
    // Seen sending, or failed: that tells. Done may be from the time before.
    if (unknown && state === "done" && !seen) throw unknown;
    if (started) return check("TX_SENDIMMED", state, "the values were not sent");
  }
}

class SendWatch {
  readonly #module: Sender;
  readonly #clock: Clock;
  readonly #which: Which;
  readonly #signal: AbortSignal | undefined;
  readonly #timeoutMs: number;
  readonly #pollMs: number;
  readonly #end: number;

  constructor(module: Sender, clock: Clock, which: Which, { signal, timeoutMs = 60_000, pollMs = 50 }: SendOptions) {
    this.#module = module;
    this.#clock = clock;
    this.#which = which;
    this.#signal = signal;
    this.#timeoutMs = timeoutMs;
    this.#pollMs = pollMs;
    this.#end = clock.now() + timeoutMs;
  }

  /** Whether it began; not while another send is under way, which then is to end first. */
  async start(begin: () => Promise<boolean>): Promise<boolean> {
    try {
      return await begin();
    } catch (error) {
      if (!isRefusal(error, "BUSY")) throw error;
      this.#checkTime();
      return false;
    }
  }

  /**
   * How the send under way ended, and whether it was seen under way.
   * @param unless what is thrown where that cannot be asked
   */
  async ended(unless?: SakuraError): Promise<{ readonly state: string; readonly seen: boolean }> {
    for (let seen = false; ; seen = true) {
      const { [this.#which]: state } = await this.#module.txStat({ signal: this.#signal }).catch((error: unknown) => {
        throw unless ?? mayBeSent(error);
      });
      if (state !== "sending") return { state, seen };
      this.#checkTime();
      await pause(this.#clock, this.#pollMs, this.#signal);
    }
  }

  #checkTime(): void {
    if (this.#clock.now() < this.#end) return;
    throw new SakuraError("TIMEOUT", `the module is still sending after ${this.#timeoutMs} ms: ask it again later`, {
      context: { timeoutMs: this.#timeoutMs },
    });
  }
}

/** Not to be told how it ends is not to know whether the values went. */
function mayBeSent(error: unknown): unknown {
  if (!isSakuraError(error)) return error;
  return new SakuraError(
    error.code,
    `${error.message}; the module had been told to send, so the values may or may not have been sent`,
    { context: { ...error.context, outcome: "unknown" }, cause: error.cause ?? error },
  );
}

function check(command: string, state: string, consequence: string): void {
  if (state === "done") return;
  throw new SakuraError(
    "MODULE_REFUSED",
    `the module could not send: ${consequence}; check that it is online, then send again`,
    { context: { command, status: state } },
  );
}
