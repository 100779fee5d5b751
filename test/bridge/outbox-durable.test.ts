/** What an outbox on disk keeps beyond the life of its process. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../emulator/clock.ts";
import type { Outbox, OutboxLane, OutboxMessage } from "../../host/bridge/index.ts";
import { failsWith } from "../support/errors.ts";
import { message, opened, rest, take, textOf } from "./outbox-support.ts";
import { temporaryDirectory } from "./support.ts";

/** Messages `from` to before `to`, as fast as they are taken. */
async function fill(outbox: Outbox, from: number, to: number, services: readonly string[]): Promise<void> {
  const appends: Promise<void>[] = [];
  for (let number = from; number < to; number++) appends.push(outbox.append(message(String(number)), services));
  await Promise.all(appends);
}

function next(lane: OutboxLane): OutboxMessage {
  const found = lane.next();
  if (!found) throw new Error("nothing came");
  return found;
}

const sizeOf = (directory: string): number =>
  readdirSync(directory).reduce((sum, name) => {
    // LevelDB deletes its files while they are listed.
    return sum + (statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0);
  }, 0);

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

describe("an outbox on disk", () => {
  it("hands out after the next opening what was not forgotten, in order and once", async () => {
    const path = temporaryDirectory();
    const first = await opened(path);
    await fill(first.outbox, 0, 50, ["a", "b"]);
    await fill(first.outbox, 50, 60, ["b"]);
    const lane = first.outbox.lane("a");
    const handed = numbers(0, 50).map(() => next(lane));
    // Most of the first block, and one in the middle of what is left.
    for (const one of [...handed.slice(0, 20), ...handed.slice(33, 34)]) lane.forget(one);
    await first.outbox.close();

    const { outbox, notes } = await opened(path);
    expect([...outbox.lanes()].sort()).toEqual(["a", "b"]);
    expect([outbox.lane("a").messages, outbox.lane("b").messages]).toEqual([29, 60]);
    expect(rest(outbox.lane("a"))).toEqual([...numbers(20, 33), ...numbers(34, 50)]);
    expect(rest(outbox.lane("b"))).toEqual(numbers(0, 60));
    expect(outbox.lane("a").bytes).toBe(29 * 130);
    expect(notes).toEqual([]);
  });

  it("keeps on where it was, over many openings", async () => {
    const path = temporaryDirectory();
    const seen: string[] = [];
    for (let run = 0; run < 6; run++) {
      const { outbox, notes } = await opened(path);
      await fill(outbox, run * 10, run * 10 + 10, ["a"]);
      const lane = outbox.lane("a");
      for (let i = 0; i < 7; i++) {
        const one = next(lane);
        seen.push(textOf(one));
        lane.forget(one);
      }
      expect(lane.messages).toBe(3 * (run + 1));
      expect(notes).toEqual([]);
      await outbox.close();
    }
    expect(seen).toEqual(numbers(0, 42));
  });

  it("brings a backlog from the disk that memory is not to hold, while more comes", async () => {
    const path = temporaryDirectory();
    const { outbox } = await opened(path);
    const large = "x".repeat(20_000);
    const text = (number: number): string => `${number} ${large}`;
    // 24 MB, of which a lane has 8 MiB at most in memory ahead of its service.
    for (let number = 0; number < 1_200; number += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, i) => outbox.append(message(text(number + i)), ["a", "b"])));
    }
    const lane = outbox.lane("a");
    expect(rest(lane).length).toBeLessThan(600);
    lane.rewind();
    const came: number[] = [];
    for (let number = 1_200; came.length < 1_300; number++) {
      await outbox.append(message(text(number)), ["a", "b"]);
      for (const one of await take(lane, 13)) {
        came.push(Number.parseInt(textOf(one), 10));
        lane.forget(one);
      }
    }
    expect(came).toEqual(Array.from({ length: 1_300 }, (_, index) => index));
    expect([lane.messages, lane.bytes, outbox.lane("b").messages]).toEqual([0, 0, 1_300]);
  });

  it("gives the disk back what has been handed over", async () => {
    const path = temporaryDirectory();
    const clock = new VirtualClock();
    const { outbox } = await opened(path, { clock });
    const lane = outbox.lane("a");
    const large = "x".repeat(20_000);
    for (let number = 0; number < 1_500; number += 50) {
      await Promise.all(Array.from({ length: 50 }, () => outbox.append(message(large), ["a"])));
    }
    expect(sizeOf(join(path, "store"))).toBeGreaterThan(25_000_000);
    for (let left = 1_500; left > 0; left -= 50) for (const one of await take(lane, 50)) lane.forget(one);
    while (sizeOf(join(path, "store")) > 8_000_000) await clock.advance(1_000);
    await outbox.append(message("more"), ["a"]);
    expect(rest(lane)).toEqual(["more"]);
  });

  it("is for its user alone", async () => {
    const path = join(temporaryDirectory(), "deep", "outbox");
    await opened(path);
    expect(statSync(join(path, "store")).mode & 0o777).toBe(0o700);
  });

  it("keeps renamed lanes and forgets removed ones", async () => {
    const path = temporaryDirectory();
    const first = await opened(path);
    await fill(first.outbox, 0, 3, ["old", "gone", "stays"]);
    const aside = next(first.outbox.lane("gone"));
    await first.outbox.lane("gone").setAside(aside, "the connection broke on it");
    await first.outbox.rename("old", "new");
    await first.outbox.remove("gone");
    expect([...first.outbox.lanes()].sort()).toEqual(["new", "stays"]);
    await first.outbox.close();

    const { outbox, notes } = await opened(path);
    expect([...outbox.lanes()].sort()).toEqual(["new", "stays"]);
    expect(rest(outbox.lane("new"))).toEqual(["0", "1", "2"]);
    expect([outbox.lane("gone").messages, outbox.lane("gone").deadLetters]).toEqual([0, 0]);
    expect(notes).toEqual([]);
  });

  it("keeps dead letters, and each message in the lane or among them and never in both", async () => {
    const path = temporaryDirectory();
    const first = await opened(path);
    await fill(first.outbox, 0, 5, ["a"]);
    const lane = first.outbox.lane("a");
    for (const reason of ["too large", "topic not allowed"]) await lane.setAside(next(lane), reason);
    await first.outbox.close();

    const second = await opened(path);
    const kept = second.outbox.lane("a");
    expect([kept.messages, kept.deadLetters, kept.bytes]).toEqual([3, 2, 5 * 129]);
    expect((await kept.listDeadLetters({ limit: 10 })).map((one) => [one.module, textOf(one), one.reason])).toEqual([
      ["u1", "0", "too large"],
      ["u1", "1", "topic not allowed"],
    ]);
    expect(await kept.retryDeadLetters("all")).toBe(2);
    await second.outbox.close();

    const { outbox } = await opened(path);
    expect([outbox.lane("a").messages, outbox.lane("a").deadLetters]).toEqual([5, 0]);
    expect(rest(outbox.lane("a"))).toEqual(["2", "3", "4", "0", "1"]);
  });

  it("gives each dead letter an id of its own for good", async () => {
    const path = temporaryDirectory();
    const ids: string[] = [];
    for (let run = 0; run < 3; run++) {
      const { outbox } = await opened(path);
      await outbox.append(message(String(run)), ["a"]);
      const lane = outbox.lane("a");
      await lane.setAside(next(lane), "broken");
      ids.push(...(await lane.listDeadLetters({ limit: 10 })).map(({ id }) => id));
      await lane.deleteDeadLetters("all");
      await outbox.close();
    }
    expect(new Set(ids).size).toBe(3);
    const { outbox } = await opened(path);
    await failsWith("INVALID_ARGUMENT", outbox.lane("a").listDeadLetters({ after: "x", limit: 1 }));
  });

  it("drops the oldest that has not been handed out, and counts it", async () => {
    const path = temporaryDirectory();
    const bounds = { maxBytes: 5 * 129, whenFull: "drop-oldest" } as const;
    const { outbox } = await opened(path, { bounds });
    await fill(outbox, 0, 5, ["a"]);
    const lane = outbox.lane("a");
    next(lane);
    await fill(outbox, 5, 8, ["a"]);
    expect([lane.messages, lane.dropped.full]).toEqual([5, 3]);
    lane.rewind();
    expect(rest(lane)).toEqual(["0", "4", "5", "6", "7"]);
    // All are handed out: there is nothing that may be dropped.
    const error = await failsWith("REFUSED", outbox.append(message("8"), ["a"]));
    expect(error.context).toEqual({ reason: "outbox-full", service: "a" });
    await outbox.close();

    const again = await opened(path, { bounds });
    expect(rest(again.outbox.lane("a"))).toEqual(["0", "4", "5", "6", "7"]);
  });

  it("drops the oldest also where that lies on the disk", async () => {
    const { outbox } = await opened(temporaryDirectory(), {
      bounds: { maxBytes: 12_000_000, whenFull: "drop-oldest" },
    });
    const large = "x".repeat(20_000);
    for (let number = 0; number < 1_000; number++) await outbox.append(message(`${number} ${large}`), ["a"]);
    const lane = outbox.lane("a");
    const left = lane.messages;
    const came = (await take(lane, left)).map((one) => Number.parseInt(textOf(one), 10));
    expect(lane.dropped.full).toBe(1_000 - left);
    expect(came).toEqual(Array.from({ length: left }, (_, index) => 1_000 - left + index));
    expect(lane.bytes).toBeLessThanOrEqual(12_000_000);
    expect(left).toBeGreaterThan(500);
  });

  it("says that another program holds it, and where", async () => {
    const path = temporaryDirectory();
    await opened(path);
    const error = await failsWith("PORT_BUSY", opened(path));
    expect(error.context).toEqual({ reason: "outbox-locked", path: join(path, "store") });
    expect(error.message).toContain(join(path, "store"));
  });

  it("writes what it has taken before it closes, and takes nothing afterwards", async () => {
    const path = temporaryDirectory();
    const first = await opened(path);
    const appends = numbers(0, 500).map((text) => first.outbox.append(message(text), ["a"]));
    await Promise.all([first.outbox.close(), ...appends]);
    await failsWith("CLOSED", first.outbox.append(message("late"), ["a"]));
    await failsWith("CLOSED", first.outbox.rename("a", "b"));
    const { outbox } = await opened(path);
    expect(rest(outbox.lane("a"))).toEqual(numbers(0, 500));
  });
});
