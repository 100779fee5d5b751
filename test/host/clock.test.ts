/** The host's waits, on a clock of the test's and on the system's. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { VirtualClock } from "../../emulator/clock.ts";
import { systemClock, waitAtLeast, wallClock } from "../../host/clock.ts";
import type { Clock } from "../../protocol/bus.ts";

/** Whether it has resolved, without waiting for it. */
function watched(wait: Promise<void>): { readonly over: boolean } {
  const state = { over: false };
  void wait.then(() => {
    state.over = true;
  });
  return state;
}

describe.each([
  ["systemClock", systemClock],
  ["wallClock", wallClock],
])("%s", (_, clock) => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("waits longer than a timer can", () => {
    vi.useFakeTimers();
    const days = 24 * 3600 * 1000;
    let runs = 0;
    clock.after(60 * days, () => runs++);
    const cancel = clock.after(60 * days, () => (runs += 10));
    vi.advanceTimersByTime(60 * days - 1);
    expect(runs).toBe(0);
    cancel();
    vi.advanceTimersByTime(1);
    expect(runs).toBe(1);
  });
});

describe("waitAtLeast", () => {
  it.each([0.25, 1, 2, 2.5, 3, 10, 1234.5])("ends after %d ms and not before", async (ms) => {
    const clock = new VirtualClock();
    const wait = watched(waitAtLeast(clock, ms));
    await clock.advance(ms - 0.01);
    expect(wait.over).toBe(false);
    await clock.advance(0.01);
    expect(wait.over).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it.each([0, -1])("of %d ms ends at once", async (ms) => {
    const clock = new VirtualClock();
    await waitAtLeast(clock, ms);
    expect(clock.pending).toBe(0);
  });

  it("asks again where a timer was early", async () => {
    const clock = new VirtualClock();
    // As Node's timers, which count whole ms from the beginning of their turn.
    const early: Clock = { now: () => clock.now(), after: (ms, run) => clock.after(ms < 1 ? ms : ms - 0.9, run) };
    const wait = watched(waitAtLeast(early, 10));
    await clock.advance(9.99);
    expect(wait.over).toBe(false);
  });

  it("ends when it is aborted, and leaves no timer and no listener behind", async () => {
    const clock = new VirtualClock();
    const stop = new AbortController();
    const wait = watched(waitAtLeast(clock, 10, stop.signal));
    await clock.advance(5);
    stop.abort();
    await clock.advance(0);
    expect(wait.over).toBe(true);
    expect(clock.pending).toBe(0);
    await waitAtLeast(clock, 10, stop.signal);
    expect(clock.pending).toBe(0);
  });

  it("is never short on the system's clock", async () => {
    for (let run = 0; run < 20; run++) {
      const start = systemClock.now();
      await waitAtLeast(systemClock, 3);
      expect(systemClock.now() - start).toBeGreaterThanOrEqual(3);
    }
  });
});

describe("the system's clock", () => {
  it("takes back a wait of less than 1 ms as it does a longer one", async () => {
    const ran: string[] = [];
    const cancels = [systemClock.after(0, () => ran.push("short")), systemClock.after(1, () => ran.push("long"))];
    for (const cancel of cancels) cancel();
    await new Promise<void>((resolve) => systemClock.after(2, resolve));
    expect(ran).toEqual([]);
  });
});
