/** Restarting a module, and waiting until it is back. */
import { isSakuraError, SakuraError } from "../protocol/errors.ts";
import type { CommandOptions } from "./job.ts";
import type { ModuleMethods } from "./module-methods.ts";
import { isRefusal } from "./outcome.ts";
import { Patience, type PatienceOptions } from "./patience.ts";

export interface RestartOptions {
  /** Stops waiting; a module that has begun to restart does so all the same. */
  readonly signal?: AbortSignal | undefined;
  /** Until it is online again, in ms; 60000 unless told. */
  readonly timeoutMs?: number | undefined;
  /** Between two looks, in ms; 500 unless told. */
  readonly pollMs?: number | undefined;
  /** Told at each look. */
  readonly onProgress?: ((progress: RestartProgress) => void) | undefined;
}

export interface RestartProgress {
  /** `silent`: no answer yet; `offline`: it answers, and is not connected yet. */
  readonly phase: "silent" | "offline";
  readonly elapsedMs: number;
}

/** A locked module or a lost answer is given so many chances more; restarting twice is no worse than once. */
const TRIES = 3;

/** UNLOCK and SOFTWARE_RESET. @throws SakuraError as those */
export async function reset(module: ModuleMethods, options?: CommandOptions): Promise<void> {
  await module.unlock(options);
  await module.softwareReset(options);
}

/** See `SakuraModule.restart`. */
export async function restart(
  module: ModuleMethods,
  { onProgress, ...limits }: RestartOptions & Omit<PatienceOptions, "timeoutMs" | "pollMs">,
): Promise<{ readonly elapsedMs: number }> {
  const { timeoutMs = 60_000, pollMs = 500, signal } = limits;
  const patience = new Patience({ ...limits, timeoutMs, pollMs });
  for (let tries = 1; ; tries++) {
    try {
      await reset(module, { signal });
      break;
    } catch (error) {
      const again = isSakuraError(error, "OUTCOME_UNKNOWN") || isRefusal(error, "LOCKED");
      if (!again || tries >= TRIES) throw error;
    }
  }
  let last = "";
  for (;;) {
    await patience.pause();
    const status = await patience.ask(() => module.getConnectionStatus(patience.command));
    const { elapsedMs } = patience;
    if (status?.online) return { elapsedMs };
    const phase = status ? "offline" : "silent";
    last = status ? `it answers, but it is not online (${status.lastError})` : "it does not answer";
    onProgress?.({ phase, elapsedMs });
    if (patience.over) {
      throw new SakuraError(
        "TIMEOUT",
        `the module was restarted and is not back after ${Math.round(elapsedMs / 1000)} s: ${last}; ask it again later`,
        { context: { timeoutMs, answers: status !== undefined } },
      );
    }
  }
}
