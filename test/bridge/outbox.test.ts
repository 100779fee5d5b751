import { describe, expect, it } from "vitest";
import { MemoryOutbox, type OutboxLane, type OutboxMessage } from "../../host/bridge/index.ts";
import { failsWith } from "../support/errors.ts";

const message = (text: string): OutboxMessage => ({ module: "u1", payload: Buffer.from(text) });

function rest(lane: OutboxLane): string[] {
  const texts: string[] = [];
  for (let next = lane.next(); next; next = lane.next()) texts.push(Buffer.from(next.payload).toString());
  return texts;
}

describe("an outbox in memory", () => {
  it("gives each lane what was appended to it, in order, once", async () => {
    const outbox = new MemoryOutbox(100_000);
    await outbox.append(message("1"), ["a", "b"]);
    await outbox.append(message("2"), ["b"]);
    await outbox.append(message("3"), ["a", "b"]);
    await outbox.append(message("4"), []);
    expect(rest(outbox.lane("a"))).toEqual(["1", "3"]);
    expect(rest(outbox.lane("b"))).toEqual(["1", "2", "3"]);
    expect(rest(outbox.lane("b"))).toEqual([]);
  });

  it("hands out again, in the old order, what was not forgotten", async () => {
    const outbox = new MemoryOutbox(100_000);
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
    const outbox = new MemoryOutbox(100_000);
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
    const outbox = new MemoryOutbox(258);
    await outbox.append(message("1"), ["full"]);
    await outbox.append(message("2"), ["full"]);
    const error = await failsWith("REFUSED", outbox.append(message("3"), ["empty", "full"]));
    expect(error.context).toEqual({ reason: "outbox-full", service: "full" });
    expect(rest(outbox.lane("empty"))).toEqual([]);
    expect(rest(outbox.lane("full"))).toEqual(["1", "2"]);
  });

  it("has room again for what was forgotten", async () => {
    const outbox = new MemoryOutbox(258);
    const lane = outbox.lane("a");
    for (let i = 0; i < 10_000; i++) {
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
    const outbox = new MemoryOutbox(258);
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
});
