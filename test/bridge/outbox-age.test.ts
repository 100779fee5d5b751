/** How long an outbox keeps what nobody takes, whatever is done to the clock. */
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../emulator/clock.ts";
import { message, opened, rest } from "./outbox-support.ts";
import { temporaryDirectory } from "./support.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOON = Date.UTC(2026, 5, 1, 12);
/** What a gateway without a battery believes when it starts. */
const BOOT = Date.UTC(1970, 0, 1, 0, 1);
const bounds = { maxBytes: 1_000_000, maxAgeMs: HOUR };

/** One run of a gateway: its clock goes by itself, and its idea of the time of day can be set. */
class Run {
  readonly clock = new VirtualClock(0);
  #offset: number;

  constructor(wall: number) {
    this.#offset = wall;
  }

  readonly wall = (): number => this.clock.now() + this.#offset;

  set(wall: number): void {
    this.#offset = wall - this.clock.now();
  }

  open(path: string) {
    return opened(path, { bounds, clock: this.clock, wall: this.wall });
  }
}

describe("the age of what waits", () => {
  it("is that of the clock that only goes forward, whatever becomes of the other", async () => {
    const run = new Run(NOON);
    const { outbox } = await run.open(temporaryDirectory());
    const lane = outbox.lane("a");
    await outbox.append(message("1"), ["a"]);
    await run.clock.advance(40 * MINUTE);
    await outbox.append(message("2"), ["a"]);
    run.set(NOON + 1_000 * HOUR);
    await run.clock.advance(19 * MINUTE);
    expect([lane.messages, lane.dropped.expired]).toEqual([2, 0]);
    run.set(NOON - HOUR);
    await run.clock.advance(5 * MINUTE);
    expect([lane.messages, lane.dropped.expired]).toEqual([1, 1]);
    expect(rest(lane)).toEqual(["2"]);
    // What has been handed out is the service's; once it is to be handed out again it is too old.
    await run.clock.advance(2 * HOUR);
    expect([lane.messages, lane.dropped.expired]).toEqual([1, 1]);
    lane.rewind();
    expect(lane.next()).toBeUndefined();
    expect([lane.messages, lane.dropped.expired, lane.bytes]).toEqual([0, 2, 0]);
  });

  it("is asked for again before a message is tried again", async () => {
    const run = new Run(NOON);
    const { outbox } = await run.open(temporaryDirectory());
    const lane = outbox.lane("a");
    await outbox.append(message("1"), ["a"]);
    const given = lane.next();
    if (!given) throw new Error("nothing was handed out");
    await run.clock.advance(59 * MINUTE);
    expect(lane.dropExpired(given)).toBe(false);
    await run.clock.advance(2 * MINUTE);
    expect(lane.dropExpired(given)).toBe(true);
    expect([lane.messages, lane.dropped.expired, lane.bytes]).toEqual([0, 1, 0]);
    expect(lane.dropExpired({ module: "u1", payload: given.payload })).toBe(false);
  });

  it("goes on in the next run by the time of day", async () => {
    const path = temporaryDirectory();
    const first = new Run(NOON);
    const { outbox } = await first.open(path);
    await outbox.append(message("1"), ["a"]);
    await first.clock.advance(30 * MINUTE);
    await outbox.append(message("2"), ["a"]);
    await outbox.close();

    const second = new Run(NOON + 65 * MINUTE);
    const again = await second.open(path);
    expect(again.outbox.lane("a").dropped).toEqual({ full: 0, expired: 1, damaged: 0 });
    expect(rest(again.outbox.lane("a"))).toEqual(["2"]);
    again.outbox.lane("a").rewind();
    await second.clock.advance(26 * MINUTE);
    expect(again.outbox.lane("a").dropped.expired).toBe(2);
  });

  it("begins anew after a clock was set back over a restart, and does not last for ever", async () => {
    const path = temporaryDirectory();
    const first = new Run(NOON);
    const { outbox } = await first.open(path);
    await outbox.append(message("1"), ["a"]);
    await outbox.append(message("2"), ["a"]);
    await outbox.close();

    const second = new Run(NOON - HOUR);
    const lane = (await second.open(path)).outbox.lane("a");
    await second.clock.advance(58 * MINUTE);
    expect([lane.messages, lane.dropped.expired]).toEqual([2, 0]);
    await second.clock.advance(10 * MINUTE);
    expect([lane.messages, lane.dropped.expired]).toEqual([0, 2]);
  });

  it("is not believed from a clock that starts in 1970, and right once that knows the time", async () => {
    const path = temporaryDirectory();
    const first = new Run(BOOT);
    const { outbox } = await first.open(path);
    await outbox.append(message("1"), ["a"]);
    expect(outbox.lane("a").oldestAt).toBe(BOOT);
    await first.clock.advance(5 * MINUTE);
    first.set(NOON);
    await first.clock.advance(10 * MINUTE);
    expect(outbox.lane("a").messages).toBe(1);
    expect(outbox.lane("a").oldestAt).toBe(NOON - 5 * MINUTE);
    await outbox.close();

    // Taken in 1970 by its stamp: in the next run nobody knows how old it is, and it counts as new.
    const second = new Run(NOON + 24 * HOUR);
    const lane = (await second.open(path)).outbox.lane("a");
    await second.clock.advance(58 * MINUTE);
    expect(lane.messages).toBe(1);
    await second.clock.advance(10 * MINUTE);
    expect([lane.messages, lane.dropped.expired]).toEqual([0, 1]);
  });

  it("of earlier messages is not told by a clock that does not know the time yet", async () => {
    const path = temporaryDirectory();
    const first = new Run(NOON);
    const { outbox } = await first.open(path);
    await outbox.append(message("1"), ["a"]);
    await outbox.close();

    const second = new Run(BOOT);
    const lane = (await second.open(path)).outbox.lane("a");
    await second.clock.advance(MINUTE);
    second.set(NOON + 24 * HOUR);
    await second.clock.advance(57 * MINUTE);
    expect(lane.messages).toBe(1);
    await second.clock.advance(10 * MINUTE);
    expect(lane.messages).toBe(0);
  });

  it("does not change the order: a clock set back an hour loses nothing", async () => {
    const path = temporaryDirectory();
    const run = new Run(NOON);
    const { outbox } = await run.open(path);
    await outbox.append(message("1"), ["a"]);
    run.set(NOON - HOUR);
    await outbox.append(message("2"), ["a"]);
    await outbox.close();
    const next = new Run(NOON - 2 * HOUR);
    const again = await next.open(path);
    await again.outbox.append(message("3"), ["a"]);
    expect(rest(again.outbox.lane("a"))).toEqual(["1", "2", "3"]);
  });
});
