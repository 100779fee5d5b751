/** The outbox on a real file system that is really full, or read-only. Needs root, to mount it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { VirtualClock } from "../../../emulator/clock.ts";
import type { Outbox, OutboxState } from "../../../host/bridge/index.ts";
import { message, opened, take, textOf } from "../../bridge/outbox-support.ts";
import { failsWith } from "../../support/errors.ts";

/** A file system of this size, gone after the test. */
function mounted(mebibytes: number): string {
  const path = mkdtempSync(join(tmpdir(), "sakuraio-full-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", path]);
  onTestFinished(() => {
    execFileSync("umount", ["--lazy", path]);
    rmSync(path, { recursive: true });
  });
  return path;
}

const remount = (path: string, how: string): void => void execFileSync("mount", ["-o", `remount,${how}`, path]);

async function becomes(outbox: Outbox, state: OutboxState["state"], clock: VirtualClock): Promise<void> {
  while (outbox.state().state !== state) await clock.advance(500);
}

const numberOf = (one: Parameters<typeof textOf>[0]): number => Number.parseInt(textOf(one), 10);

/** Appends numbers from `from` on until one is refused; returns how many were accepted, and the error. */
async function fillUp(outbox: Outbox, from: number, bytes: number) {
  const filler = "x".repeat(bytes);
  for (let number = from; ; number++) {
    const refused: unknown = await outbox.append(message(`${number} ${filler}`), ["a", "b"]).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (refused !== undefined) return { end: number, error: await failsWith("REFUSED", Promise.reject(refused)) };
  }
}

describe("an outbox on a disk that is full", () => {
  it("refuses, hands out meanwhile, and goes on by itself with all that it accepted", async () => {
    const path = mounted(16);
    const clock = new VirtualClock();
    const limits = { clock, lowSpaceBytes: 0, minFreeBytes: 0 };
    const { outbox, notes } = await opened(path, limits);
    const states: string[] = [];
    outbox.onState(({ state }) => states.push(state));
    const { end, error } = await fillUp(outbox, 0, 2_000);
    expect(end).toBeGreaterThan(1_000);
    expect(error.context).toEqual({ reason: "outbox-failed" });
    expect(error.message).toMatch(/is full \(\d+ [KM]iB left\).*delete what is not needed there, or set outbox\.path/);
    expect(states).toEqual(["failed"]);
    await failsWith("REFUSED", outbox.append(message("x"), ["a"]));

    // What was accepted is handed out, forgotten and set aside while nothing can be written.
    const lane = outbox.lane("a");
    const came = await take(lane, end);
    expect(came.map(numberOf)).toEqual(Array.from({ length: end }, (_, number) => number));
    for (const one of came.slice(0, 700)) lane.forget(one);
    const aside = came[700] && lane.setAside(came[700], "the connection broke on it");
    await clock.advance(20_000);
    expect(outbox.state().state).toBe("failed");

    remount(path, "size=64m");
    await becomes(outbox, "ok", clock);
    await aside;
    await outbox.append(message(`${end} again`), ["a", "b"]);
    expect(states).toEqual(["failed", "ok"]);
    expect([lane.messages, lane.deadLetters, outbox.lane("b").messages]).toEqual([end - 700, 1, end + 1]);
    await outbox.close();

    const again = await opened(path, { lowSpaceBytes: 0, minFreeBytes: 0 });
    const numbers = (name: string, count: number) =>
      take(again.outbox.lane(name), count).then((messages) => messages.map(numberOf));
    expect(await numbers("a", end - 700)).toEqual(Array.from({ length: end - 700 }, (_, index) => 701 + index));
    expect(await numbers("b", end + 1)).toEqual(Array.from({ length: end + 1 }, (_, number) => number));
    expect([notes, again.notes]).toEqual([[], []]);
  });

  it("says that the room is running out, then takes no more, and empties itself", async () => {
    const path = mounted(64);
    const clock = new VirtualClock();
    const { outbox } = await opened(path, { clock, lowSpaceBytes: 40 * 1024 ** 2, minFreeBytes: 24 * 1024 ** 2 });
    const states: string[] = [];
    outbox.onState(({ state }) => states.push(state));
    const filler = join(path, "something else");
    writeFileSync(filler, Buffer.alloc(30 * 1024 ** 2));
    await becomes(outbox, "low-space", clock);
    const { end } = await fillUp(outbox, 0, 20_000);
    expect(states).toEqual(["low-space", "failed"]);
    for (const name of ["a", "b"]) {
      const lane = outbox.lane(name);
      for (let left = end; left > 0; left -= 10) {
        for (const one of await take(lane, Math.min(10, left))) lane.forget(one);
      }
      expect(lane.messages).toBe(0);
    }
    rmSync(filler);
    await becomes(outbox, "ok", clock);
    await outbox.append(message("more"), ["a"]);
    await outbox.close();
    const left = readdirSync(join(path, "store")).map((name) => statSync(join(path, "store", name)).size);
    expect(left.reduce((sum, size) => sum + size, 0)).toBeLessThan(20 * 1024 ** 2);
  });

  it("keeps what it accepted when it is closed while the disk is full", async () => {
    const path = mounted(16);
    const { outbox } = await opened(path, { lowSpaceBytes: 0, minFreeBytes: 0 });
    const { end } = await fillUp(outbox, 0, 3_000);
    await outbox.close();
    // It cannot be opened without room either: no end, and no loss.
    const clock = new VirtualClock();
    const second = await opened(path, { clock, lowSpaceBytes: 0, minFreeBytes: 0 });
    expect(second.outbox.state().state).toBe("failed");
    remount(path, "size=64m");
    await becomes(second.outbox, "ok", clock);
    const lane = second.outbox.lane("b");
    const numbers = (await take(lane, end)).map(numberOf);
    expect(numbers).toEqual(Array.from({ length: end }, (_, number) => number));
    expect(second.notes).toEqual([]);
  });
});

describe("an outbox on a disk that became read-only", () => {
  it("is in state failed, and opens when it can be written to", async () => {
    const path = mounted(64);
    const first = await opened(path, { lowSpaceBytes: 0 });
    await first.outbox.append(message("1"), ["a"]);
    await first.outbox.close();
    remount(path, "ro");
    const clock = new VirtualClock();
    const { outbox } = await opened(path, { clock, lowSpaceBytes: 0 });
    const error = await failsWith("REFUSED", outbox.append(message("2"), ["a"]));
    expect(error.message).toMatch(/cannot be used.*read-only/i);
    remount(path, "rw");
    await becomes(outbox, "ok", clock);
    await outbox.append(message("2"), ["a"]);
    expect((await take(outbox.lane("a"), 2)).map(textOf)).toEqual(["1", "2"]);
  });
});
