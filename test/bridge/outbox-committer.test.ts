/** What is written together, and what becomes of a batch of which nobody knows whether it was written. */
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../emulator/clock.ts";
import { Ages } from "../../host/bridge/outbox/age.ts";
import { outboxFailed } from "../../host/bridge/outbox/change.ts";
import { Committer } from "../../host/bridge/outbox/committer.ts";
import { blockKey, letterKey } from "../../host/bridge/outbox/keys.ts";
import type { LaneHost } from "../../host/bridge/outbox/lane.ts";
import type { StoreOperation } from "../../host/bridge/outbox/leveldb.ts";
import { LaneRegistry } from "../../host/bridge/outbox/registry.ts";
import { failsWith } from "../support/errors.ts";
import { message, rest } from "./outbox-support.ts";

/** A store that is a map. A write is over when the test says so, with or without an error; it is there in any case. */
class FakeStore {
  readonly records = new Map<string, Buffer>();
  readonly writes: { readonly operations: number; readonly sync: boolean }[] = [];
  readonly #waiting: ((error: Error | undefined) => void)[] = [];

  write(operations: readonly StoreOperation[], sync: boolean): Promise<void> {
    this.writes.push({ operations: operations.length, sync });
    for (const one of operations) {
      if (one.type === "put") this.records.set(one.key.toString("hex"), one.value);
      else this.records.delete(one.key.toString("hex"));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push((error) => (error ? reject(error) : resolve()));
    });
  }

  /** Ends the write that is under way, as soon as one is. */
  async end(error?: Error): Promise<void> {
    while (this.#waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
    this.#waiting.shift()?.(error);
  }

  has(key: Buffer): boolean {
    return this.records.has(key.toString("hex"));
  }
}

function begun() {
  const store = new FakeStore();
  const clock = new VirtualClock();
  const ages = new Ages(clock, () => clock.now());
  const host: LaneHost = {
    ages,
    bounds: { maxBytes: 1_000_000 },
    get tail() {
      return committer.tail;
    },
    aheadMax: 1_000_000,
    wall: () => clock.now(),
    reading: () => Promise.reject(new Error("nothing to read")),
    submit: (lane, change) => committer.submit(change, { lanes: [lane] }),
    progressed: (lane) => committer.progressed(lane),
    passed: (block) => committer.delete(block.number),
    load: () => undefined,
    report: () => undefined,
  };
  const registry = new LaneRegistry(host);
  const committer = new Committer({
    clock,
    ages,
    lanes: () => registry.all,
    write: (operations, sync) => store.write(operations, sync),
    wrote: () => undefined,
    orphaned: () => undefined,
    failed: () => outboxFailed("the disk is gone"),
  });
  committer.start(0);
  registry.adopt([], 1);
  const append = (text: string) => committer.append(message(text), registry.group(["a"]));
  return { store, clock, committer, lane: registry.lane("a"), append };
}

describe("writing in groups", () => {
  it("writes together what comes while it writes, each time with one fsync", async () => {
    const { store, append, lane } = begun();
    const first = [append("1"), append("2")];
    await store.end();
    await Promise.all(first);
    const second = append("3");
    while (store.writes.length < 2) await new Promise((resolve) => setImmediate(resolve));
    const third = ["4", "5", "6"].map(append);
    await store.end();
    await second;
    expect(rest(lane)).toEqual(["1", "2", "3"]);
    await store.end();
    await Promise.all(third);
    expect(store.writes).toEqual([
      { operations: 1, sync: true },
      { operations: 1, sync: true },
      { operations: 1, sync: true },
    ]);
    expect(rest(lane)).toEqual(["4", "5", "6"]);
  });

  it("writes progress alone, after a while and without an fsync", async () => {
    const { store, clock, append, lane } = begun();
    const one = append("1");
    await store.end();
    await one;
    const handed = lane.next();
    if (handed) lane.forget(handed);
    await clock.advance(199);
    expect(store.writes.length).toBe(1);
    await clock.advance(1);
    // The block that nobody needs any more, and the lane.
    expect(store.writes[1]).toEqual({ operations: 2, sync: false });
    expect(store.has(blockKey(0))).toBe(false);
    await store.end();
  });
});

describe("a batch that failed, and is there all the same", () => {
  it("is taken back: what was refused does not come up later", async () => {
    const { store, committer, append, lane } = begun();
    const refused = [append("1"), append("2")];
    const outcome = Promise.all(refused.map((one) => failsWith("REFUSED", one)));
    await store.end(new Error("no room"));
    await outcome;
    expect(store.has(blockKey(0))).toBe(true);
    expect([lane.messages, lane.bytes, lane.pending]).toEqual([0, 0, 0]);

    const resumed = committer.resume(async () => () => undefined);
    await store.end();
    await resumed;
    expect(store.has(blockKey(0))).toBe(false);
    const again = append("3");
    await store.end();
    await again;
    expect(rest(lane)).toEqual(["3"]);
    expect(store.has(blockKey(0))).toBe(true);
  });

  it("keeps what was set aside until it can be written, and tells the dead letter's fate at the end", async () => {
    const { store, committer, append, lane } = begun();
    const first = append("1");
    await store.end();
    await first;
    const handed = lane.next();
    const aside = handed && lane.setAside(handed, "the connection broke on it");
    await store.end(new Error("no room"));
    await committer.finish();
    expect(lane.deadLetters).toBe(0);
    const resumed = committer.resume(async () => () => undefined);
    await store.end();
    await Promise.all([resumed, aside]);
    expect([lane.messages, lane.deadLetters]).toEqual([0, 1]);
    expect(store.has(letterKey(lane.id, 0))).toBe(true);
  });

  it("rejects at the end who still waits for it", async () => {
    const { store, committer, append, lane } = begun();
    const first = append("1");
    await store.end();
    await first;
    const handed = lane.next();
    const aside = handed ? lane.setAside(handed, "the connection broke on it") : Promise.resolve();
    const outcome = failsWith("CLOSED", aside);
    await store.end(new Error("no room"));
    await committer.finish();
    committer.close();
    await outcome;
  });
});
