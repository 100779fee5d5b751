/** Taking values out of the RX queue, once or for as long as they come. */
import type { Clock } from "../protocol/bus.ts";
import type { ResponseOf } from "../protocol/commands.ts";
import { isSakuraError, type SakuraError } from "../protocol/errors.ts";
import { pause } from "./clock.ts";
import type { Connection } from "./connection.ts";
import type { CommandOptions } from "./job.ts";
import type { ModuleMethods } from "./module-methods.ts";
import { isRefusal } from "./outcome.ts";

/** A value that came down, and its offset: how long ago the module received it, in ms, negative. */
export type ReceivedValue = ResponseOf<"RX_DEQUEUE">;

export interface ReceiveOptions {
  /** Ends the iteration, once the command under way has ended: no value is lost by it. */
  readonly signal?: AbortSignal | undefined;
  /** How long an empty queue is left alone, in ms; 200 unless told. */
  readonly pollMs?: number | undefined;
  /**
   * Told of what passes (a port that is being opened again, a module that does not answer, a value that may be lost:
   * OUTCOME_UNKNOWN); the iteration then goes on. Without it such an error ends the iteration.
   */
  readonly onTrouble?: ((error: SakuraError) => void) | undefined;
}

type Receiver = Pick<ModuleMethods, "rxDequeue">;

/** How long a command under way may still take when the iteration is ended. */
const LAST_COMMAND_MS = 1000;

/** See `SakuraModule.receive`. */
export async function receive(module: Receiver, options?: CommandOptions): Promise<ReceivedValue | undefined> {
  try {
    return await module.rxDequeue(options);
  } catch (error) {
    if (isRefusal(error, "RUNTIME")) return undefined;
    throw error;
  }
}

/** See `SakuraModule.received`. */
export async function* received(
  module: Receiver,
  connection: Connection,
  clock: Clock,
  { signal, pollMs = 200, onTrouble }: ReceiveOptions,
): AsyncGenerator<ReceivedValue, void> {
  const late = new AbortController();
  let cancel = (): void => undefined;
  const onAbort = (): void => {
    cancel = clock.after(LAST_COMMAND_MS, () => late.abort());
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    while (!signal?.aborted) {
      try {
        const value = await receive(module, { signal: late.signal });
        if (value) yield value;
        else await pause(clock, pollMs, signal);
      } catch (error) {
        if (late.signal.aborted && isSakuraError(error, "ABORTED")) return;
        if (!onTrouble || !isSakuraError(error) || !passes(error, connection)) throw error;
        onTrouble(error);
        await pause(clock, pollMs, signal);
        if (!(await isOpenAgain(connection, signal))) return;
      }
    }
  } finally {
    cancel();
    signal?.removeEventListener("abort", onAbort);
  }
}

function passes({ code }: SakuraError, connection: Connection): boolean {
  switch (code) {
    case "PORT_LOST":
      return connection.reopens;
    case "NO_ANSWER":
    case "DAMAGED_ANSWER":
    case "OUTCOME_UNKNOWN":
    case "INVALID_PAYLOAD":
    case "MODULE_REFUSED":
      return true;
    default:
      return false;
  }
}

/** Waits for a lost port, for as long as it takes. @throws SakuraError PORT_LOST, CLOSED */
async function isOpenAgain(connection: Connection, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await connection.whenOpen({ signal });
    return true;
  } catch (error) {
    if (isSakuraError(error, "ABORTED")) return false;
    throw error;
  }
}
