import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../emulator/clock.ts";
import { maxRateOf } from "../../host/bridge/aws-iot/service.ts";
import { Backoff, endsWithin } from "../../host/bridge/backoff.ts";
import { RateLimit } from "../../host/bridge/rate-limit.ts";
import { ConnectPacer } from "../../host/bridge/service/connect-pacer.ts";

describe("back-off", () => {
  it("waits from 1 s to a bound that doubles from 2 s to 120 s", () => {
    const longest = new Backoff({ minMs: 1_000, maxMs: 120_000, random: () => 0.999_999 });
    expect(Array.from({ length: 8 }, () => Math.ceil(longest.fail() / 1_000))).toEqual([2, 4, 8, 16, 32, 64, 120, 120]);
    const shortest = new Backoff({ minMs: 1_000, maxMs: 120_000, random: () => 0 });
    expect(Array.from({ length: 8 }, () => shortest.fail())).toEqual(new Array(8).fill(1_000));
  });

  it("begins again after a reset", () => {
    const backoff = new Backoff({ minMs: 1_000, maxMs: 120_000, random: () => 0.5 });
    expect([backoff.fail(), backoff.fail(), backoff.fail()]).toEqual([1_500, 2_500, 4_500]);
    expect(backoff.failures).toBe(3);
    backoff.reset();
    expect(backoff.failures).toBe(0);
    expect(backoff.fail()).toBe(1_500);
  });

  it("does not overflow after a year of failures", () => {
    const backoff = new Backoff({ minMs: 1_000, maxMs: 120_000, random: () => 0.999_999 });
    for (let i = 0; i < 5_000; i++) backoff.fail();
    expect(Math.ceil(backoff.fail())).toBe(120_000);
  });
});

describe("a rate limit", () => {
  it("lets so many go in any one second", async () => {
    const clock = new VirtualClock();
    const limit = new RateLimit(3, clock);
    limit.count();
    await clock.advance(400);
    limit.count();
    limit.count();
    // 50 ms more than the second: what the network brings together is still no more than AWS takes.
    expect(limit.wait()).toBe(650);
    await clock.advance(650);
    expect(limit.wait()).toBe(0);
    limit.count();
    expect(limit.wait()).toBe(400);
  });

  it("is no more than AWS takes at one of its endpoints, whatever is asked for", () => {
    const hostname = "x-ats.iot.ap-northeast-1.amazonaws.com";
    expect(maxRateOf({ hostname })).toBe(100);
    expect(maxRateOf({ hostname: `${hostname}.` })).toBe(100);
    expect(maxRateOf({ hostname, max_publish_rate: 500 })).toBe(100);
    expect(maxRateOf({ hostname, max_publish_rate: 20 })).toBe(20);
    expect(maxRateOf({ hostname: "iot.cn-north-1.amazonaws.com.cn" })).toBe(100);
    expect(maxRateOf({ hostname: "localhost" })).toBeUndefined();
    expect(maxRateOf({ hostname: "localhost", max_publish_rate: 500 })).toBe(500);
  });

  it("is not upset by a clock that is set back", () => {
    let now = 1_000_000;
    const limit = new RateLimit(1, { now: () => now, after: () => () => undefined });
    limit.count();
    now = 0;
    expect(limit.wait()).toBe(1_050);
  });
});

describe("work with a limit of time", () => {
  it("ends in time, well or badly, or does not", async () => {
    const clock = new VirtualClock();
    expect(await endsWithin(clock, 10, Promise.resolve())).toBe(true);
    expect(await endsWithin(clock, 10, Promise.reject(new Error("no")))).toBe(true);
    const late = endsWithin(clock, 10, new Promise(() => undefined));
    await clock.advance(10);
    expect(await late).toBe(false);
    expect(clock.pending).toBe(0);
  });
});

describe("a pacer of CONNECTs", () => {
  const signal = new AbortController().signal;

  it("gives one turn a second to a client id at an endpoint, to whoever asks", async () => {
    const clock = new VirtualClock();
    const pacer = new ConnectPacer(clock);
    const turns: string[] = [];
    const take = (endpoint: string, clientId: string, name: string): void => {
      void pacer.turn(endpoint, clientId, signal).then(() => turns.push(name));
    };
    take("cloud:8883", "a", "first");
    take("cloud:8883", "a", "second");
    take("cloud:8883", "b", "another id");
    take("cloud:443", "a", "another endpoint");
    take("cloud:8883", "a", "third");
    await clock.advance(1_099);
    expect(turns).toEqual(["first", "another id", "another endpoint"]);
    await clock.advance(1);
    expect(turns.slice(3)).toEqual(["second"]);
    await clock.advance(1_100);
    expect(turns.slice(4)).toEqual(["third"]);
    await clock.advance(400);
    take("cloud:8883", "a", "fourth");
    await clock.advance(699);
    expect(turns).toHaveLength(5);
    await clock.advance(1);
    expect(turns.slice(5)).toEqual(["fourth"]);
  });

  it("lets go at once when that is told", async () => {
    const clock = new VirtualClock();
    const pacer = new ConnectPacer(clock);
    const stop = new AbortController();
    await pacer.turn("cloud:8883", "a", signal);
    const second = pacer.turn("cloud:8883", "a", stop.signal);
    stop.abort();
    await second;
    expect(clock.pending).toBe(0);
  });

  it("is not upset by a clock that is set back", async () => {
    let now = 10_000_000;
    const waits: number[] = [];
    const pacer = new ConnectPacer({
      now: () => now,
      after(ms, run) {
        waits.push(ms);
        queueMicrotask(run);
        return () => undefined;
      },
    });
    await pacer.turn("cloud:8883", "a", signal);
    now = 0;
    await pacer.turn("cloud:8883", "a", signal);
    expect(waits).toEqual([10_000]);
  });
});
