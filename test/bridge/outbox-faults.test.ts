/** An outbox whose store fails a read or a write, and what it holds afterwards. */
import { afterEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../emulator/clock.ts";
import type { Outbox } from "../../host/bridge/index.ts";
import { Store } from "../../host/bridge/outbox/leveldb.ts";
import { failsWith } from "../support/errors.ts";
import { message, opened, rest, take } from "./outbox-support.ts";
import { temporaryDirectory } from "./support.ts";

const { read, write } = Store.prototype;
afterEach(() => {
  Store.prototype.read = read;
  Store.prototype.write = write;
});

/** The next write fails; it may be on the disk all the same. */
function failNextWrite(isThere: boolean): void {
  Store.prototype.write = async function (this: Store, ...args) {
    Store.prototype.write = write;
    if (isThere) await write.apply(this, args);
    throw new Error("EIO");
  };
}

async function isWell(outbox: Outbox, clock: VirtualClock): Promise<void> {
  while (outbox.state().state !== "ok") await clock.advance(500);
}

async function desk(...texts: string[]) {
  const clock = new VirtualClock();
  const { outbox } = await opened(temporaryDirectory(), { clock });
  for (const text of texts) await outbox.append(message(text), ["a"]);
  return { clock, outbox, lane: outbox.lane("a") };
}

describe.each([true, false])("a write that fails, and is there all the same: %s", (isThere) => {
  it("leaves a message that is set aside counted once", async () => {
    const { clock, outbox, lane } = await desk("1", "2");
    const [one] = await take(lane, 2);
    if (!one) throw new Error("nothing was handed out");
    failNextWrite(isThere);
    const kept = lane.setAside(one, "why");
    while (outbox.state().state !== "failed") await new Promise((resolve) => setImmediate(resolve));
    await isWell(outbox, clock);
    await kept;
    expect([lane.deadLetters, lane.messages, lane.bytes]).toEqual([1, 1, 258]);
    expect(await lane.listDeadLetters({ limit: 10 })).toHaveLength(1);
  });

  it("leaves a letter that is to be tried again where it is", async () => {
    const { clock, outbox, lane } = await desk("1");
    const [one] = await take(lane, 1);
    if (one) await lane.setAside(one, "why");
    failNextWrite(isThere);
    await failsWith("REFUSED", lane.retryDeadLetters("all"));
    await isWell(outbox, clock);
    expect([lane.deadLetters, lane.messages, lane.bytes]).toEqual([1, 0, 129]);
    expect(await lane.listDeadLetters({ limit: 10 })).toHaveLength(1);
    expect(await lane.deleteDeadLetters("all")).toBe(1);
    expect([lane.deadLetters, lane.bytes]).toEqual([0, 0]);
  });
});

it("a lane whose new name cannot be written keeps the old one, whoever asks for it meanwhile", async () => {
  const { clock, outbox, lane } = await desk("1");
  let fail = (): void => undefined;
  Store.prototype.write = () =>
    new Promise((_resolve, reject) => {
      fail = () => reject(new Error("EIO"));
    });
  const renamed = failsWith("REFUSED", outbox.rename("a", "b"));
  expect(outbox.lane("a")).toBe(lane);
  await new Promise((resolve) => setImmediate(resolve));
  fail();
  await renamed;
  Store.prototype.write = write;
  await isWell(outbox, clock);
  expect(outbox.lanes()).toEqual(["a"]);
  expect(outbox.lane("a")).toBe(lane);
  expect(lane.messages).toBe(1);
});

it("a read that fails is not tried again before the store is", async () => {
  const path = temporaryDirectory();
  const first = await opened(path);
  const filler = "x".repeat(10_000);
  for (let from = 0; from < 4_000; from += 500) {
    await Promise.all(
      Array.from({ length: 500 }, (_, i) => first.outbox.append(message(`${from + i} ${filler}`), ["a"])),
    );
  }
  await first.outbox.close();
  const clock = new VirtualClock();
  const { outbox } = await opened(path, { clock });
  const lane = outbox.lane("a");
  let reads = 0;
  Store.prototype.read = () => {
    reads++;
    return Promise.reject(new Error("EIO"));
  };
  let given = rest(lane).length;
  while (outbox.state().state !== "failed") await new Promise((resolve) => setImmediate(resolve));
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(reads).toBeLessThan(5);
  Store.prototype.read = read;
  await isWell(outbox, clock);
  given += (await take(lane, 4_000 - given)).length;
  expect(given).toBe(4_000);
});

it("what was forgotten while a failure was mended is written soon after it", async () => {
  const { clock, outbox, lane } = await desk("1", "2");
  const [one] = await take(lane, 2);
  failNextWrite(false);
  await failsWith("REFUSED", outbox.append(message("3"), ["a"]));
  // The write with which it goes on again is held until the time for the lane's progress has passed.
  let go = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  let isMending = false;
  let writes = 0;
  Store.prototype.write = async function (this: Store, ...args) {
    writes++;
    isMending = true;
    await held;
    return write.apply(this, args);
  };
  while (!isMending) await clock.advance(500);
  if (one) lane.forget(one);
  await clock.advance(1_000);
  go();
  // No other message comes, and it is written all the same.
  while (writes < 2) await clock.advance(200);
});

it.each(["", " ", "-1", "0x0", "1e0", "x"])("a dead letter has no id %j", async (id) => {
  const { lane } = await desk("1");
  const [one] = await take(lane, 1);
  if (one) await lane.setAside(one, "why");
  await failsWith("INVALID_ARGUMENT", lane.deleteDeadLetters([id]));
  expect(lane.deadLetters).toBe(1);
});
