/** Time for the host's waits. */
import { performance } from "node:perf_hooks";
import type { Clock } from "../protocol/bus.ts";

/**
 * The system's clock: starts at the wall's time and then only goes forward, so that setting the wall's clock neither
 * ends a wait early nor makes it last for ever. A pending wait keeps the process alive.
 */
export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`, or at once when a signal is or becomes aborted. Never rejects. */
export function pause(clock: Clock, ms: number, ...signals: readonly (AbortSignal | undefined)[]): Promise<void> {
  return new Promise((resolve) => {
    if (signals.some((signal) => signal?.aborted)) {
      resolve();
      return;
    }
    const finish = (): void => {
      cancel();
      for (const signal of signals) signal?.removeEventListener("abort", finish);
      resolve();
    };
    const cancel = clock.after(ms, finish);
    for (const signal of signals) signal?.addEventListener("abort", finish, { once: true });
  });
}
