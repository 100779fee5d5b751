/** An outbox that cannot be opened or must not fill its disk. */
import { rmSync, statfsSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../emulator/clock.ts";
import type { Outbox, OutboxState } from "../../host/bridge/index.ts";
import { failsWith } from "../support/errors.ts";
import { message, opened, rest, take, textOf } from "./outbox-support.ts";
import { temporaryDirectory } from "./support.ts";

/** Goes on with the clock until the outbox is in this state: what it does in between takes real time. */
async function becomes(outbox: Outbox, state: OutboxState["state"], clock: VirtualClock): Promise<OutboxState> {
  while (outbox.state().state !== state) await clock.advance(500);
  return outbox.state();
}

describe("an outbox that cannot be opened", () => {
  it("refuses and says why, and opens by itself when it can", async () => {
    const path = join(temporaryDirectory(), "outbox");
    writeFileSync(path, "a file where the directory should be");
    const clock = new VirtualClock();
    const { outbox, notes } = await opened(path, { clock });
    const lane = outbox.lane("a");
    const came: string[] = [];
    lane.onReady(() => came.push(...rest(lane)));
    const state = outbox.state();
    expect(state.state).toBe("failed");
    const error = await failsWith("REFUSED", outbox.append(message("1"), ["a"]));
    expect(error.context).toEqual({ reason: "outbox-failed" });
    expect(error.message).toContain(join(path, "store"));
    expect(error.message).toContain("ENOTDIR");
    expect([lane.messages, lane.next(), outbox.lanes()]).toEqual([0, undefined, ["a"]]);
    await failsWith("REFUSED", outbox.rename("a", "b"));
    expect(outbox.lanes()).toEqual(["a"]);
    await failsWith("REFUSED", lane.listDeadLetters({ limit: 1 }));

    await clock.advance(5_000);
    expect(outbox.state().state).toBe("failed");
    rmSync(path);
    await becomes(outbox, "ok", clock);
    await outbox.append(message("2"), ["a"]);
    expect(came).toEqual(["2"]);
    expect(outbox.lane("a")).toBe(lane);
    expect(notes).toEqual([]);
  });

  it("hands out what it holds once it can be read, to those who asked for the lane before", async () => {
    const path = temporaryDirectory();
    const first = await opened(path);
    await first.outbox.append(message("1"), ["a"]);
    const clock = new VirtualClock();
    const blocked = join(temporaryDirectory(), "outbox");
    writeFileSync(blocked, "");
    const { outbox } = await opened(blocked, { clock });
    const lane = outbox.lane("a");
    await first.outbox.close();
    rmSync(blocked);
    symlinkSync(path, blocked);
    await becomes(outbox, "ok", clock);
    expect((await take(lane, 1)).map(textOf)).toEqual(["1"]);
  });

  it("closes while it fails, and rejects who waits", async () => {
    const path = join(temporaryDirectory(), "outbox");
    writeFileSync(path, "");
    const clock = new VirtualClock();
    const { outbox } = await opened(path, { clock });
    await outbox.close();
    await failsWith("CLOSED", outbox.append(message("1"), ["a"]));
    expect(clock.pending).toBe(0);
  });
});

describe("an outbox on a disk with little room", () => {
  const free = (path: string): number => {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  };

  it("says so while it still takes messages", async () => {
    const path = temporaryDirectory();
    const { outbox } = await opened(path, { lowSpaceBytes: free(path) * 2 });
    const state = outbox.state();
    expect(state.state).toBe("low-space");
    expect(state.state === "low-space" && state.reason).toMatch(/nearly full \(\d+ MiB left\).*outbox\.path/);
    await outbox.append(message("1"), ["a"]);
    expect(rest(outbox.lane("a"))).toEqual(["1"]);
  });

  it("takes none before the disk is full, and can still be emptied", async () => {
    const path = temporaryDirectory();
    const first = await opened(path);
    for (const text of ["1", "2", "3"]) await first.outbox.append(message(text), ["a"]);
    await first.outbox.close();
    const { outbox } = await opened(path, { minFreeBytes: free(path) * 2 });
    const lane = outbox.lane("a");
    const error = await failsWith("REFUSED", outbox.append(message("4"), ["a"]));
    expect(error.context).toEqual({ reason: "outbox-failed" });
    expect(error.message).toMatch(/is full \(\d+ MiB left\).*delete what is not needed there/);
    const [one, two] = await take(lane, 2);
    if (one) lane.forget(one);
    if (two) await lane.setAside(two, "the connection broke on it");
    expect(await lane.deleteDeadLetters("all")).toBe(1);
    await outbox.close();
    const again = await opened(path);
    expect(rest(again.outbox.lane("a"))).toEqual(["3"]);
  });
});
