/** An outbox on disk whose process is killed, and one that may not write any more. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { opened, take, textOf } from "./outbox-support.ts";
import { temporaryDirectory } from "./support.ts";

const CHILD = fileURLToPath(new URL("../support/outbox-child.mjs", import.meta.url));
/** Numbers of one run are apart from those of the others. */
const RUN = 1_000_000;

interface Told {
  readonly kept: number[];
  readonly done: Set<number>;
  readonly other: string[];
}

/** Runs until it ends, and takes what it tells. Each line is given to `look`, which may end it. */
async function run(child: ChildProcess, told: Told, look: (lines: number) => void): Promise<void> {
  onTestFinished(() => void child.kill("SIGKILL"));
  if (!child.stdout) throw new Error("no output");
  let lines = 0;
  const ended = once(child, "close");
  for await (const line of createInterface({ input: child.stdout })) {
    const [, what, number] = /^(kept|done) (\d+)$/.exec(line) ?? [];
    if (what === "kept") told.kept.push(Number(number));
    else if (what === "done") told.done.add(Number(number));
    else told.other.push(line);
    look(++lines);
  }
  await ended;
}

/** What is there afterwards, and in which order. */
async function leftIn(path: string, lane: string): Promise<number[]> {
  const { outbox } = await opened(path);
  const { messages } = outbox.lane(lane);
  return (await take(outbox.lane(lane), messages)).map((one) => Number.parseInt(textOf(one), 10));
}

const isAscending = (numbers: readonly number[]): boolean =>
  numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0));

describe("an outbox on disk", () => {
  it("has everything that it accepted, in order, however often it is killed", { timeout: 120_000 }, async () => {
    const path = temporaryDirectory();
    const told: Told = { kept: [], done: new Set(), other: [] };
    let seed = 20_170_401;
    for (let round = 0; round < 15; round++) {
      seed = (seed * 1_664_525 + 1_013_904_223) >>> 0;
      // While it opens, or after up to a few hundred messages.
      const lines = round % 5 === 4 ? 1 : 1 + (seed % 600);
      const child = spawn(process.execPath, [CHILD, path, String((round + 1) * RUN)]);
      await run(child, told, (count) => count === lines && child.kill("SIGKILL"));
    }
    expect(told.other.filter((line) => line !== "open")).toEqual([]);
    expect(told.kept.length).toBeGreaterThan(1_000);

    const all = await leftIn(path, "b");
    const has = new Set(all);
    expect(isAscending(all)).toBe(true);
    expect(told.kept.filter((number) => !has.has(number))).toEqual([]);
  });

  it("forgets nothing that was not handed out, and repeats only what was, when it is killed", async () => {
    const path = temporaryDirectory();
    const told: Told = { kept: [], done: new Set(), other: [] };
    for (let round = 0; round < 4; round++) {
      const child = spawn(process.execPath, [CHILD, path, String((round + 1) * RUN)]);
      await run(child, told, (count) => count === 800 + round * 37 && child.kill("SIGKILL"));
    }
    const left = await leftIn(path, "a");
    const has = new Set(left);
    expect(isAscending(left)).toBe(true);
    expect(told.kept.filter((number) => !has.has(number) && !told.done.has(number))).toEqual([]);
    expect(told.done.size).toBeGreaterThan(100);
  });

  it("refuses what it cannot write, and has what it accepted before", { timeout: 60_000 }, async () => {
    const path = temporaryDirectory();
    const told: Told = { kept: [], done: new Set(), other: [] };
    // No file may be larger than 2 MiB (in blocks of 512 or 1024 bytes): LevelDB's log is, at 4 MiB.
    const child = spawn("sh", ["-c", `ulimit -f 2048; exec "$0" "$@"`, process.execPath, CHILD, path, "1", "3000"]);
    await run(child, told, () => undefined);
    expect(child.exitCode).toBe(0);
    expect(told.other[0]).toBe("open");
    expect(told.other[1]).toMatch(/^refused outbox-failed the outbox .*store cannot be used .*File too large/);
    expect(told.other.slice(2)).toEqual(["state failed", "closed"]);

    const all = await leftIn(path, "b");
    // Neither less than was accepted, nor anything that was refused.
    expect(all).toEqual(told.kept);
  });
});
