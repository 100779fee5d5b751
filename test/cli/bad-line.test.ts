/**
 * Every verb of `sakuraio module` on a bad line: it ends, it says what went wrong, and a value that is sent arrives
 * exactly once, or the verb says that it does not know. The seeds are fixed because a frame has one byte of parity: two
 * flips of the same bit pass every check that there is (§1), and on a line as bad as this one a changed value then counts
 * as sent now and then. Nothing can be read back of what was sent, so no host can do better.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, describe, expect, it } from "vitest";
import { filesInMemory } from "../../emulator/files.ts";
import { addModuleVerbs } from "../../host/cli/module/verb-list.ts";
import { subjectHelp } from "../../host/cli/verb-help.ts";
import { BadBench, type VerbEnd } from "../support/bad-bench.ts";

interface Case {
  readonly args: readonly string[];
  /** What the module is before. */
  readonly prepare?: (bench: BadBench) => void;
  /** What must hold however it ended. */
  readonly check?: (bench: BadBench, end: VerbEnd) => void;
  /** What stands on stdout when it went well. */
  readonly out: RegExp;
  /** How many of 12 bad lines it must get through well: 8 unless told. */
  readonly well?: number;
}

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i + 1);
const valuesOf = (count: number): readonly string[] => numbers(count).map((n) => `1:i=${n}`);

/** The rule for whoever puts `count` values in: none twice, and all of those that it says are there. */
function exactlyOnce(count: number, where: (bench: BadBench) => readonly unknown[]): NonNullable<Case["check"]> {
  return (bench, { code, error }) => {
    const there = where(bench);
    expect(new Set(there).size).toBe(there.length);
    if (code === 0 && !error) {
      expect(there).toEqual(numbers(count));
      return;
    }
    const put = Number(error?.context["put"] ?? 0);
    expect(there.slice(0, put)).toEqual(numbers(put));
    // What it does not know, it says: else nothing but what it names is there.
    if (error?.context["outcome"] !== "unknown" && error?.code !== "OUTCOME_UNKNOWN") expect(there).toHaveLength(put);
  };
}

const inModule = (bench: BadBench): readonly unknown[] => [...bench.arrived, ...bench.queued];

const FOLDER = mkdtempSync(join(tmpdir(), "sakuraio-bad-line-"));
afterAll(() => rmSync(FOLDER, { recursive: true }));
const DOWNLOADED = join(FOLDER, "file");
/** No part of it is like another. */
const FILE = Uint8Array.from({ length: 3000 }, (_, i) => (i * i + (i >> 8)) & 0xff);

function withFile({ emulated }: BadBench): void {
  emulated.state.files = filesInMemory({ 1: { data: FILE, timestamp: Date.UTC(2018, 5, 21, 1, 10, 57, 770) } });
}

/** One for each verb, or several: a verb without one fails below. */
const cases: Readonly<Record<string, readonly Case[]>> = {
  status: [{ args: [], out: /^connection {2}online\n.*unique id {3}16B0100260\n/s }],
  echo: [{ args: ["00112233445566778899AABBCCDDEEFF"], out: /^00 11 22 .* EE FF {2}16 bytes/ }],
  queue: [{ args: [], out: /^TX queue {2}0 queued, 32 free/ }],
  send: [
    { args: valuesOf(40), check: exactlyOnce(40, inModule), out: /^sent 40 values\n$/ },
    {
      args: ["--immediate", ...valuesOf(8)],
      check: exactlyOnce(8, (bench) => bench.arrived),
      out: /^sent 8 values\n$/,
      well: 5,
    },
  ],
  enqueue: [{ args: valuesOf(30), check: exactlyOnce(30, (b) => b.queued), out: /^enqueued 30 values; 30 in the TX/ }],
  flush: [
    {
      args: [],
      prepare: ({ emulated, clock }) => {
        for (const value of numbers(20)) {
          const datetime = new Date(clock.now()).toISOString();
          const number = ++emulated.state.enqueued;
          emulated.state.txQueue.push({ entry: { channel: 1, type: "i", value }, datetime, number });
        }
      },
      check: (bench, { code, error }) => {
        expect(inModule(bench)).toEqual(numbers(20));
        if (code === 0 && !error) expect(bench.queued).toEqual([]);
      },
      out: /^sent 20 values\n$/,
    },
  ],
  receive: [
    {
      args: [],
      prepare: ({ emulated }) => {
        const channels = numbers(10).map((value) => ({ channel: 2, type: "i", value }) as const);
        emulated.deliver({ type: "channels", module: emulated.id, payload: { channels } });
      },
      check: ({ emulated }, { out, error }) => {
        const shown = [...out.matchAll(/^ch +2 +i +(\d+)/gm)].map(([, value]) => Number(value));
        const left = emulated.state.rxQueue.map(({ entry }) => entry.value);
        const all = [...shown, ...left];
        // At most the one whose answer was lost, and that is said.
        const missing = numbers(10).filter((value) => !all.includes(value));
        expect(all).toHaveLength(10 - missing.length);
        expect(missing.length).toBeLessThanOrEqual(error?.message.includes("may or may not") ? 1 : 0);
      },
      out: /^(ch {3}2 {2}i {2}\d+ {2}.* s ago\n){10}$/,
      // Each value is taken by a command that must not be repeated: the first lost answer ends it.
      well: 1,
    },
  ],
  clear: [{ args: ["tx"], out: /^the TX queue is empty\n$/ }],
  reset: [
    { args: [], out: /online again, after \d+\.\d s/ },
    { args: ["--no-wait"], out: /^the module restarts/ },
  ],
  "power-save": [{ args: ["auto-sleep"], out: /^power save {2}auto-sleep\n$/ }],
  firmware: [
    { args: [], out: /^firmware {2}v1\.4\.4-000000-0000000\n$/ },
    {
      args: ["update", "--yes"],
      prepare: ({ emulated }) => {
        emulated.state.updatePlan = { ...emulated.state.updatePlan, outcome: "ok", silent: true, durationMs: 90_000 };
      },
      check: ({ emulated }, { code, error }) => {
        // Never begun a second time.
        expect(emulated.state.boots).toBeLessThanOrEqual(1);
        if (code === 0 && !error) expect(emulated.state.firmware).toBe("v1.4.5-000000-0000000");
      },
      out: /^updated: v1\.4\.4-000000-0000000 -> v1\.4\.5-000000-0000000 \(\d+ s\)\n$/,
    },
  ],
  file: [
    {
      args: ["get", "1", "-o", DOWNLOADED, "--force"],
      prepare: withFile,
      check: (_bench, { code, error }) => {
        // Whole or not at all.
        if (code === 0 && !error) expect(Buffer.from(FILE).equals(readFileSync(DOWNLOADED))).toBe(true);
        else expect(existsSync(DOWNLOADED)).toBe(false);
        rmSync(DOWNLOADED, { force: true });
      },
      out: /: 3000 bytes of .*, CRC-32 [0-9a-f]{8} is right/,
      well: 12,
    },
    {
      args: ["info", "1"],
      prepare: withFile,
      out: /^size {4}3000 bytes\ntime {4}2018-06-21T01:10:57.770Z\nCRC-32 {2}/,
    },
  ],
  raw: [{ args: ["A1"], out: /^-> A1 00 A1 {2}GET_UNIQUE_ID\n<- 01 0A .* {2}OK {2}16B0100260\n$/ }],
};

const program = new Command("module");
addModuleVerbs(program, subjectHelp("module").verb, () => Promise.resolve());
/** Those that go on until they are stopped: watch.test.ts has a bad line of its own. */
const interactive: readonly string[] = ["watch"];
const verbs = program.commands.map((verb) => verb.name()).filter((name) => !interactive.includes(name));

it("there is a case for every verb", () => {
  expect(verbs.filter((name) => !cases[name])).toEqual([]);
});

const runs = Object.entries(cases).flatMap(([verb, list]) =>
  list.map((one) => ({ ...one, verb, args: [verb, ...one.args], title: [verb, ...one.args].slice(0, 3).join(" ") })),
);

describe.each(runs)("$title", ({ args, prepare, check, out, well: least = 8 }) => {
  it("on a line with flipped and dropped bytes, a busy module and 50 ms of delay", async () => {
    let well = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const bench = new BadBench(`flip=0.005,drop=0.002,busy=0.05,delay=50,seed=${seed}`);
      prepare?.(bench);
      const end = await bench.run(args);
      check?.(bench, end);
      expect(end.error === undefined || end.err.startsWith("sakuraio: ")).toBe(true);
      if (end.code === 0) expect(end.out).toMatch(out);
      if (end.code === 0) well++;
    }
    // A line as bad as this one still gets most of it through.
    expect(well).toBeGreaterThanOrEqual(least);
  });

  it("when the cable is pulled, early or late", async () => {
    for (let frame = 1; frame <= 9; frame++) {
      const bench = new BadBench("");
      prepare?.(bench);
      const end = await bench.run(args, { unplugAt: frame });
      check?.(bench, end);
      expect(end.code).toBe(end.error ? 1 : 0);
      if (end.error) expect(["PORT_LOST", "OUTCOME_UNKNOWN"]).toContain(end.error.code);
    }
  });

  it("when it is stopped, early or late, which is no failure", async () => {
    for (let frame = 1; frame <= 9; frame++) {
      const bench = new BadBench("delay=20");
      prepare?.(bench);
      const end = await bench.run(args, { stopAt: frame });
      check?.(bench, end);
      expect(end.code).toBe(0);
    }
  });
});
