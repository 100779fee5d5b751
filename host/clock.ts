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
    // No timer is that fine: the next turn of the event loop, which lets everything else run first, comes nearest.
    if (ms < 1) {
      const turn = setImmediate(run);
      return () => clearImmediate(turn);
    }
    return longTimer(ms, run);
  },
};

/** The most that a timer of Node's counts, in ms: 24.8 days. A longer one is up at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Returns its cancellation. */
function longTimer(ms: number, run: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (left: number): void => {
    timer = left > TIMER_MS_MAX ? setTimeout(() => wait(left - TIMER_MS_MAX), TIMER_MS_MAX) : setTimeout(run, left);
  };
  wait(ms);
  return () => clearTimeout(timer);
}

/**
 * The wall's clock as it is now, not as it was at the start: a small machine learns the time from the network minutes
 * after the bridge has begun, and messages carry it. Its waits and its `monotonic` do not mind. A pending wait keeps the
 * process alive.
 */
export const wallClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    return longTimer(ms, run);
  },
};

/** Milliseconds for measuring a duration, which nobody can set. */
export function monotonicMs(clock: Clock): number {
  return clock.monotonic?.() ?? clock.now();
}

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

/** A timer may be up to 1 ms early, and 1 ms late: so near the end none is used. */
const NEAR_MS = 2;
const TURN_MS = 0.5;

/**
 * Resolves when at least `ms` have gone by, and hardly later: for what a device must be given time for. It costs a busy
 * processor for the last two ms, so it is for short waits. At once when the signal is or becomes aborted. Never rejects.
 */
export function waitAtLeast(clock: Clock, ms: number, signal?: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = clock.now() + ms;
    let cancel = (): void => undefined;
    const finish = (): void => {
      cancel();
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const look = (): void => {
      const left = end - clock.now();
      if (left <= 0 || signal?.aborted) finish();
      else cancel = clock.after(left >= NEAR_MS + 1 ? left - NEAR_MS : Math.min(left, TURN_MS), look);
    };
    signal?.addEventListener("abort", finish, { once: true });
    look();
  });
}
