/** What holds for any outbox, wherever it keeps its messages. */
import { describe, expect, it, onTestFinished } from "vitest";
import { MemoryOutbox, type Outbox, openOutbox } from "../../host/bridge/index.ts";
import { systemClock } from "../../host/clock.ts";
import { failsWith } from "../support/errors.ts";
import { message, rest, textOf } from "./outbox-support.ts";
import { temporaryDirectory } from "./support.ts";

/** And how many messages go through it one by one: on disk each waits for an fsync. */
const outboxes: readonly [string, number, (maxBytes: number) => Promise<Outbox>][] = [
  ["in memory", 10_000, async (maxBytes) => new MemoryOutbox(maxBytes)],
  [
    "on disk",
    600,
    async (maxBytes) => {
      const outbox = await openOutbox({
        path: temporaryDirectory(),
        bounds: { maxBytes },
        clock: systemClock,
        report: () => undefined,
      });
      onTestFinished(() => outbox.close());
      return outbox;
    },
  ],
];

describe.each(outboxes)("an outbox %s", (_where, many, open) => {
  it("gives each lane what was appended to it, in order, once", async () => {
    const outbox = await open(100_000);
    await outbox.append(message("1"), ["a", "b"]);
    await outbox.append(message("2"), ["b"]);
    await outbox.append(message("3"), ["a", "b"]);
    await outbox.append(message("4"), []);
    expect(rest(outbox.lane("a"))).toEqual(["1", "3"]);
    expect(rest(outbox.lane("b"))).toEqual(["1", "2", "3"]);
    expect(rest(outbox.lane("b"))).toEqual([]);
  });

  it("hands out again, in the old order, what was not forgotten", async () => {
    const outbox = await open(100_000);
    for (const text of ["1", "2", "3", "4"]) await outbox.append(message(text), ["a"]);
    const lane = outbox.lane("a");
    const [first, , third] = [lane.next(), lane.next(), lane.next()];
    if (first) lane.forget(first);
    if (third) lane.forget(third);
    lane.rewind();
    expect(rest(lane)).toEqual(["2", "4"]);
    expect(lane.messages).toBe(2);
  });

  it("counts each message once, however often it is forgotten", async () => {
    const outbox = await open(100_000);
    await outbox.append(message("1"), ["a"]);
    await outbox.append(message("2"), ["a"]);
    const lane = outbox.lane("a");
    const first = lane.next();
    if (!first) throw new Error("nothing came");
    lane.forget(first);
    lane.forget(first);
    expect(lane.messages).toBe(1);
    expect(lane.bytes).toBe(129);
  });

  it("keeps a message for every service or for none", async () => {
    // Room for two messages of one byte: 1 + 128 for each.
    const outbox = await open(258);
    await outbox.append(message("1"), ["full"]);
    await outbox.append(message("2"), ["full"]);
    const error = await failsWith("REFUSED", outbox.append(message("3"), ["empty", "full"]));
    expect(error.context).toEqual({ reason: "outbox-full", service: "full" });
    expect(rest(outbox.lane("empty"))).toEqual([]);
    expect(rest(outbox.lane("full"))).toEqual(["1", "2"]);
  });

  it("has room again for what was forgotten", async () => {
    const outbox = await open(258);
    const lane = outbox.lane("a");
    for (let i = 0; i < many; i++) {
      await outbox.append(message("x"), ["a"]);
      const next = lane.next();
      if (!next) throw new Error(`nothing came at ${i}`);
      lane.forget(next);
    }
    await outbox.append(message("1"), ["a"]);
    await outbox.append(message("2"), ["a"]);
    await failsWith("REFUSED", outbox.append(message("3"), ["a"]));
    expect(rest(lane)).toEqual(["1", "2"]);
  });

  it("tells that something came, and takes nothing after its end", async () => {
    const outbox = await open(258);
    let came = 0;
    const stop = outbox.lane("a").onReady(() => came++);
    await outbox.append(message("1"), ["a"]);
    await outbox.append(message("1"), ["b"]);
    stop();
    await outbox.append(message("2"), ["a"]);
    expect(came).toBe(1);
    await outbox.close();
    await failsWith("CLOSED", outbox.append(message("3"), ["b"]));
  });

  it("keeps a lane's messages under its new name, and no name twice", async () => {
    const outbox = await open(100_000);
    const lane = outbox.lane("old");
    await outbox.append(message("1"), ["old"]);
    await outbox.append(message("2"), ["other"]);
    await failsWith("INVALID_ARGUMENT", outbox.rename("old", "other"));
    await outbox.rename("old", "new");
    await outbox.append(message("3"), ["new"]);
    expect(outbox.lane("new")).toBe(lane);
    expect([...outbox.lanes()].sort()).toEqual(["new", "other"]);
    expect(rest(lane)).toEqual(["1", "3"]);
  });

  it("forgets a lane with all that it holds, and no other", async () => {
    const outbox = await open(100_000);
    await outbox.append(message("1"), ["gone", "stays"]);
    await outbox.remove("gone");
    expect(outbox.lanes()).toEqual(["stays"]);
    expect(rest(outbox.lane("gone"))).toEqual([]);
    expect(outbox.lane("gone").messages).toBe(0);
    expect(rest(outbox.lane("stays"))).toEqual(["1"]);
  });

  it("sets messages aside, lists them by the page, and lets them be tried again or deleted", async () => {
    const outbox = await open(100_000);
    const lane = outbox.lane("a");
    for (const text of ["1", "2", "3", "4"]) await outbox.append(message(text), ["a"]);
    for (const reason of ["first", "second", "third"]) {
      const next = lane.next();
      if (next) await lane.setAside(next, reason);
    }
    expect([lane.messages, lane.deadLetters, lane.bytes]).toEqual([1, 3, 4 * 129]);
    const [first, second] = await lane.listDeadLetters({ limit: 2 });
    expect([first?.reason, second?.reason]).toEqual(["first", "second"]);
    expect([first, second].map((letter) => letter && textOf(letter))).toEqual(["1", "2"]);
    const behind = await lane.listDeadLetters({ after: second?.id, limit: 2 });
    expect(behind.map(({ reason }) => reason)).toEqual(["third"]);

    expect(await lane.retryDeadLetters([first?.id ?? "", "12345"])).toBe(1);
    expect(await lane.deleteDeadLetters([second?.id ?? ""])).toBe(1);
    expect([lane.messages, lane.deadLetters, lane.bytes]).toEqual([2, 1, 3 * 129]);
    expect(await lane.retryDeadLetters("all")).toBe(1);
    expect(rest(lane)).toEqual(["4", "1", "3"]);
    expect(await lane.deleteDeadLetters("all")).toBe(0);
    expect([lane.messages, lane.deadLetters]).toEqual([3, 0]);
  });

  it("counts dead letters to what the lane may take", async () => {
    const outbox = await open(258);
    await outbox.append(message("1"), ["a"]);
    await outbox.append(message("2"), ["a"]);
    const lane = outbox.lane("a");
    const next = lane.next();
    if (next) await lane.setAside(next, "the connection broke on it");
    await failsWith("REFUSED", outbox.append(message("3"), ["a"]));
    await lane.deleteDeadLetters("all");
    await outbox.append(message("3"), ["a"]);
  });

  it("says when the oldest came that is not forgotten", async () => {
    const outbox = await open(100_000);
    const lane = outbox.lane("a");
    expect(lane.oldestAt).toBeUndefined();
    const before = Date.now();
    await outbox.append(message("1"), ["a"]);
    expect(lane.oldestAt).toBeGreaterThanOrEqual(before - 1);
    expect(lane.oldestAt).toBeLessThanOrEqual(Date.now() + 1);
    const next = lane.next();
    if (next) lane.forget(next);
    expect(lane.oldestAt).toBeUndefined();
  });
});
