import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../emulator/clock.ts";
import { pause, systemClock } from "../../host/clock.ts";
import { Deadline } from "../../host/deadline.ts";

function bench() {
  const clock = new VirtualClock();
  const start = clock.now();
  const reached: number[] = [];
  const deadline = new Deadline(clock, () => reached.push(clock.now() - start));
  return { clock, deadline, reached };
}

describe("a deadline", () => {
  it("is reached once, at its time", async () => {
    const { clock, deadline, reached } = bench();
    deadline.set(100);
    await clock.advance(1000);
    expect(reached).toEqual([100]);
    expect(clock.pending).toBe(0);
  });

  it("moves later and earlier, with one timer at a time", async () => {
    const { clock, deadline, reached } = bench();
    deadline.set(100);
    await clock.advance(50);
    deadline.set(100);
    expect(clock.pending).toBe(1);
    await clock.advance(99);
    expect(reached).toEqual([]);
    await clock.advance(1);
    expect(reached).toEqual([150]);
    deadline.set(1000);
    deadline.set(10);
    expect(clock.pending).toBe(1);
    await clock.advance(2000);
    expect(reached).toEqual([150, 160]);
  });

  it("that is cleared is not reached, and the next one is", async () => {
    const { clock, deadline, reached } = bench();
    deadline.set(100);
    deadline.clear();
    await clock.advance(90);
    deadline.set(20);
    await clock.advance(1000);
    expect(reached).toEqual([110]);
  });

  it("that is stopped keeps nothing waiting", async () => {
    const { clock, deadline, reached } = bench();
    deadline.set(100);
    deadline.stop();
    expect(clock.pending).toBe(0);
    deadline.set(10);
    await clock.advance(1000);
    expect(reached).toEqual([10]);
  });
});

describe("pause", () => {
  it("ends with its time", async () => {
    const clock = new VirtualClock();
    const end = pause(clock, 100, undefined);
    await clock.advance(100);
    await end;
  });

  it("ends with any of its signals, and keeps nothing waiting", async () => {
    const clock = new VirtualClock();
    const abort = new AbortController();
    const end = pause(clock, 100, undefined, new AbortController().signal, abort.signal);
    abort.abort();
    await end;
    await pause(clock, 100, abort.signal);
    expect(clock.pending).toBe(0);
  });
});

describe("the system's clock", () => {
  it("tells the wall's time and never goes back", () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(60_000);
    let before = systemClock.now();
    for (let i = 0; i < 1000; i++) {
      const now = systemClock.now();
      expect(now).toBeGreaterThanOrEqual(before);
      before = now;
    }
  });

  it("waits, and can be told not to", async () => {
    let ran = false;
    const cancel = systemClock.after(0, () => {
      ran = true;
    });
    cancel();
    cancel();
    await new Promise<void>((resolve) => void systemClock.after(1, resolve));
    expect(ran).toBe(false);
  });
});
