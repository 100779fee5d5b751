/** What `watch` knows of a module, read again and again; and whether what went wrong passes. */
import { isSakuraError, reasonOf, type SakuraError } from "../../../protocol/errors.ts";
import { pause, systemClock } from "../../clock.ts";
import type { SakuraModule } from "../../module.ts";
import type { ModuleStatus } from "../../module-status.ts";
import { isRefusal } from "../../outcome.ts";
import type { ReceivedValue } from "../../receive.ts";

/** What stays the same is read once. */
export type Changing = Pick<ModuleStatus, "connection" | "signal" | "time" | "queues">;

export interface Arrived {
  /** Unix ms: when it was taken. */
  readonly at: number;
  readonly value: ReceivedValue;
}

export interface WatchListener {
  onStatus(status: Changing): void;
  onValue(arrived: Arrived): void;
  /** The RX queue's oldest value, which is left there. */
  onOldest(value: ReceivedValue | undefined): void;
  /** Something that passes; nothing once all is well again. */
  onTrouble(trouble: SakuraError | undefined): void;
}

export interface WatchOptions {
  readonly intervalMs: number;
  /** Leaves the values in the RX queue. */
  readonly peek: boolean;
  readonly signal: AbortSignal;
}

/** How long a command under way may still take when the watch is ended: a value whose taking is given up may be lost. */
const LAST_COMMAND_MS = 1000;
/** Values taken between two looks at the rest. */
const VALUES_A_ROUND = 32;

/** Reads until the signal, whatever happens to the line. @throws SakuraError what does not pass */
export async function watchModule(
  module: SakuraModule,
  listener: WatchListener,
  { intervalMs, peek, signal }: WatchOptions,
): Promise<void> {
  const late = new AbortController();
  let cancel = (): void => undefined;
  const onAbort = (): void => {
    cancel = systemClock.after(LAST_COMMAND_MS, () => late.abort());
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    while (!signal.aborted) {
      try {
        // First, so that the queue's length says what is left in it.
        if (peek) listener.onOldest(await oldest(module, signal));
        else await takeValues(module, listener, signal, late.signal);
        listener.onStatus(await readChanging(module, signal));
        listener.onTrouble(undefined);
      } catch (error) {
        if (signal.aborted && isSakuraError(error, "ABORTED")) return;
        if (!isSakuraError(error) || !passes(error)) throw error;
        listener.onTrouble(error);
      }
      await pause(systemClock, intervalMs, signal);
    }
  } finally {
    cancel();
    signal.removeEventListener("abort", onAbort);
  }
}

async function readChanging(module: SakuraModule, signal: AbortSignal): Promise<Changing> {
  return {
    connection: await module.getConnectionStatus({ signal }),
    signal: await module.getSignalQuality({ signal }),
    time: await module.getDatetime({ signal }),
    queues: await module.queues({ signal }),
  };
}

async function takeValues(
  module: SakuraModule,
  listener: WatchListener,
  signal: AbortSignal,
  late: AbortSignal,
): Promise<void> {
  for (let i = 0; i < VALUES_A_ROUND && !signal.aborted; i++) {
    const value = await module.receive({ signal: late });
    if (!value) return;
    listener.onValue({ at: Date.now(), value });
  }
}

async function oldest(module: SakuraModule, signal: AbortSignal): Promise<ReceivedValue | undefined> {
  try {
    return await module.rxPeek({ signal });
  } catch (error) {
    if (isRefusal(error, "RUNTIME")) return undefined;
    throw error;
  }
}

function passes({ code }: SakuraError): boolean {
  return ["PORT_LOST", "NO_ANSWER", "DAMAGED_ANSWER", "OUTCOME_UNKNOWN", "INVALID_PAYLOAD", "MODULE_REFUSED"].includes(
    code,
  );
}

export function troubleText(error: SakuraError): string {
  return error.code === "OUTCOME_UNKNOWN" ? `a value may be lost: ${reasonOf(error)}` : reasonOf(error);
}
