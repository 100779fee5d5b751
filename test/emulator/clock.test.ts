/** Time for tests, and uplinks for tests. */
import { describe, expect, it, vi } from "vitest";
import { realClock, VirtualClock } from "../../emulator/clock.ts";
import { MessageLog, uplinkTo } from "../../emulator/uplink.ts";
import { encodeMessage, type UplinkMessage } from "../../protocol/message.ts";
import { failsWith } from "../support/errors.ts";

const message: UplinkMessage = { module: "u0123456789a", type: "connection", payload: { is_online: true } };

describe("VirtualClock", () => {
  it("stands still until it is told to go on", async () => {
    const clock = new VirtualClock(1000);
    expect(clock.now()).toBe(1000);
    await clock.advance(500);
    expect(clock.now()).toBe(1500);
    expect(new VirtualClock().now()).toBe(Date.UTC(2017, 3, 1, 4, 51, 10));
  });

  it("has a wall's time that can be set, which no wait notices", async () => {
    const clock = new VirtualClock(10_000);
    const ran: number[] = [];
    clock.after(500, () => ran.push(clock.now()));
    clock.setWall(-9_000);
    expect([clock.now(), clock.monotonic()]).toEqual([1_000, 10_000]);
    await clock.advance(500);
    expect(ran).toEqual([1_500]);
    clock.advanceTo(2_000);
    expect([clock.now(), clock.monotonic()]).toEqual([2_000, 11_000]);
  });

  it("runs what falls due in order, each at its own time, equals in the order of their asking", async () => {
    const clock = new VirtualClock(0);
    const ran: [string, number][] = [];
    const note = (name: string) => () => void ran.push([name, clock.now()]);
    clock.after(30, note("c"));
    clock.after(10, note("a"));
    clock.after(30, note("d"));
    clock.after(20, note("b"));
    clock.after(31, note("late"));
    clock.after(-5, note("overdue"));
    expect(clock.pending).toBe(6);
    await clock.advance(30);
    expect(ran).toEqual([
      ["overdue", 0],
      ["a", 10],
      ["b", 20],
      ["c", 30],
      ["d", 30],
    ]);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    expect(ran.at(-1)).toEqual(["late", 31]);
  });

  it("runs what a wait asks for, and carries along code that awaits between its waits", async () => {
    const clock = new VirtualClock(0);
    const times: number[] = [];
    const wait = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
    const work = (async () => {
      for (let round = 0; round < 3; round++) {
        await wait(10);
        times.push(clock.now());
      }
    })();
    await clock.advance(30);
    await work;
    expect(times).toEqual([10, 20, 30]);
  });

  it("does not run what was cancelled, however often", async () => {
    const clock = new VirtualClock(0);
    const run = vi.fn();
    const cancel = clock.after(10, run);
    clock.after(10, () => undefined);
    cancel();
    cancel();
    expect(clock.pending).toBe(1);
    await clock.advance(100);
    expect(run).not.toHaveBeenCalled();
  });

  it("goes to a time at once, and never back", () => {
    const clock = new VirtualClock(0);
    const ran: number[] = [];
    clock.after(10, () => {
      ran.push(clock.now());
      clock.after(5, () => ran.push(clock.now()));
    });
    clock.advanceTo(20);
    expect(ran).toEqual([10, 15]);
    expect(clock.now()).toBe(20);
    clock.advanceTo(5);
    expect(clock.now()).toBe(20);
  });
});

describe("realClock", () => {
  it("is the wall's, and its waits can be cancelled", () => {
    vi.useFakeTimers({ now: 5000 });
    try {
      const run = vi.fn();
      expect(realClock.now()).toBe(5000);
      realClock.after(10, run);
      const cancel = realClock.after(10, run);
      cancel();
      cancel();
      vi.advanceTimersByTime(9);
      expect(run).not.toHaveBeenCalled();
      vi.advanceTimersByTime(1);
      expect(run).toHaveBeenCalledTimes(1);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("uplinkTo", () => {
  it("hands each message on, stamped with the time at which it was taken", async () => {
    const clock = new VirtualClock(Date.UTC(2020, 0, 2, 3, 4, 5, 6));
    const lines: string[] = [];
    await uplinkTo((taken) => lines.push(encodeMessage(taken)), clock).take(message);
    expect(lines).toEqual([
      '{"module":"u0123456789a","type":"connection","datetime":"2020-01-02T03:04:05.006Z","payload":{"is_online":true}}',
    ]);
  });

  it("refuses what the function throws at, rather than throwing itself", async () => {
    const fault = new TypeError("a fault in the function");
    const taking = uplinkTo(() => {
      throw fault;
    }).take(message);
    await expect(taking).rejects.toBe(fault);
  });
});

describe("MessageLog", () => {
  it("gives each message once, in order, those that were there and those that come", async () => {
    const log = new MessageLog(new VirtualClock(0));
    await log.take(message);
    await log.take({ ...message, payload: { is_online: false } });
    expect(await log.next()).toEqual({ ...message, datetime: "1970-01-01T00:00:00.000Z" });
    expect(await log.next()).toMatchObject({ payload: { is_online: false } });
    const coming = log.next();
    const afterThat = log.next();
    await log.take({ ...message, module: "third" });
    await log.take({ ...message, module: "fourth" });
    expect((await coming).module).toBe("third");
    expect((await afterThat).module).toBe("fourth");
    expect(log.messages.length).toBe(4);
  });

  it("gives up when none comes, and a later one is not lost", async () => {
    const log = new MessageLog();
    await failsWith("TIMEOUT", log.next({ timeoutMs: 1 }));
    await log.take(message);
    expect((await log.next()).module).toBe("u0123456789a");
  });
});
