/** `sakuraio module firmware`, `raw` and `reset`, as the command line runs them. */
import { describe, expect, it } from "vitest";
import type { UpdatePlan } from "../../emulator/state.ts";
import { BadBench } from "../support/bad-bench.ts";

const quiet = (update: Partial<UpdatePlan> = {}, firmware?: string): BadBench =>
  new BadBench("", { firmware, update: { durationMs: 30_000, ...update } });

describe("firmware", () => {
  it("shows the version and what it lacks", async () => {
    expect((await quiet().run(["firmware"])).out).toBe("firmware  v1.4.4-000000-0000000\n");
    const old = quiet({}, "v1.1.2-170223-7e6ce64");
    expect((await old.run(["firmware"])).out).toBe(
      "firmware  v1.1.2-170223-7e6ce64; it lacks power-save, which came with 1.4.0\n",
    );
    expect((await old.run(["firmware", "--json"])).out).toBe(
      '{"event":"firmware","version":"v1.1.2-170223-7e6ce64","lacks":["power-save"]}\n',
    );
  });

  it("update without a terminal wants --yes, before it opens the port", async () => {
    const bench = quiet();
    const { code, err } = await bench.run(["firmware", "update"]);
    expect(code).toBe(2);
    expect(err).toMatch(/^sakuraio: .*say --yes\n$/);
    expect(bench.emulated.state.update.inProgress).toBe(false);
  });

  it.each([
    ["y", /^updated: v1\.4\.4-000000-0000000 -> v1\.4\.5-000000-0000000 \(\d+ s\)\n$/, "v1.4.5-000000-0000000"],
    ["", /^nothing was done\n$/, "v1.4.4-000000-0000000"],
  ])("update asks, and takes %j for what it is", async (answer, out, version) => {
    const bench = quiet({ outcome: "ok" });
    const asked: string[] = [];
    const end = await bench.run(["firmware", "update"], {
      ask: (question) => {
        asked.push(question);
        return Promise.resolve(answer);
      },
    });
    expect(end.code).toBe(0);
    expect(end.out).toMatch(out);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatch(/now v1\.4\.4-000000-0000000\?\n.*\[y\/N\] $/);
    expect(bench.emulated.state.firmware).toBe(version);
  });

  it.each([
    ["ok", 0, /^updated: /],
    ["already-up-to-date", 0, /^already up to date; it has v1\.4\.4-000000-0000000 \(30 s\)\n$/],
    ["version-check-failed", 1, /^the update failed: .*online/],
    ["download-failed", 1, /^the update failed in its download/],
    ["verification-failed", 1, /^the update failed: .*damaged/],
  ] as const)("update that ends with %s exits %s", async (outcome, code, out) => {
    const end = await quiet({ outcome }).run(["firmware", "update", "--yes"]);
    expect(end.code).toBe(code);
    expect(end.out).toMatch(out);
    expect(end.err).toMatch(/^starting the update\nupdating; do not take its power away\n/);
  });

  it("update that is said to be fine, and shows no other version, is a failure", async () => {
    const same = quiet({ outcome: "ok", version: "v1.4.4-000000-0000000" });
    const end = await same.run(["firmware", "update", "--yes"]);
    expect(end.code).toBe(1);
    expect(end.out).toMatch(/^the module reports no failure, but .*; it has v1\.4\.4-000000-0000000 \(/);
  });

  it("update tells programs each phase and the result", async () => {
    const end = await quiet({ outcome: "already-up-to-date" }).run(["firmware", "update", "--yes", "--json"]);
    const lines = end.out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ phase }) => phase)).toEqual(["starting", "updating", undefined]);
    expect(lines[2]).toMatchObject({
      event: "firmware-updated",
      result: "already-up-to-date",
      before: "v1.4.4-000000-0000000",
      after: "v1.4.4-000000-0000000",
    });
    expect(end.err).toBe("");
  });

  it("update stopped with Ctrl+C exits 0 and says that the module goes on", async () => {
    const bench = quiet({ outcome: "ok" });
    const end = await bench.run(["firmware", "update", "--yes"], { stopAt: 12 });
    expect(end.code).toBe(0);
    expect(end.err).toMatch(/the module goes on updating by itself\. Leave it powered/);
    expect(bench.emulated.state.update.inProgress).toBe(true);
  });
});

describe("raw", () => {
  it.each([
    [["A1"], "-> A1 00 A1  GET_UNIQUE_ID\n<- 01 0A 31 36 42 30 31 30 30 32 36 30 7B  OK  16B0100260\n", 0],
    [["get_signal_quality"], "-> 02 00 02  GET_SIGNAL_QUALITY\n<- 01 01 05 05  OK  5\n", 0],
    [["0x22"], "-> 22 00 22  TX_LENGTH\n<- 01 02 20 00 23  OK  available 32, queued 0\n", 0],
    [["0F", "0f1e", "2d"], "-> 0F 03 0F 1E 2D 30  ECHO_BACK\n<- 01 03 0F 1E 2D 3E  OK  0F1E2D\n", 0],
    [["AF"], "-> AF 00 AF  SOFTWARE_RESET\n<- 06 00 06  LOCKED: needs UNLOCK first\n", 1],
    [
      ["EE"],
      "-> EE 00 EE  a command that is in no table\n<- 03 00 03  MISSING: this firmware has no such command\n",
      1,
    ],
    [["A8", "53 6B 72 61"], "-> A8 04 53 6B 72 61 87  UNLOCK\n<- 01 00 01  OK\n", 0],
  ] as const)("%j shows the bytes both ways", async (args, out, code) => {
    const end = await quiet().run(["raw", ...args]);
    expect(end.out).toBe(out);
    expect(end.code).toBe(code);
  });

  it("is one object for programs", async () => {
    expect((await quiet().run(["raw", "03", "--json"])).out).toMatch(
      /^\{"event":"raw","code":3,"name":"GET_DATETIME","request":"030003","answer":"0108\w{18}","status":1,"status_name":"OK","payload":"\w{16}","value":\d{13}\}\n$/,
    );
    expect(JSON.parse((await quiet().run(["raw", "ee", "--json"])).out)).toEqual({
      event: "raw",
      code: 238,
      request: "EE00EE",
      answer: "030003",
      status: 3,
      status_name: "MISSING",
      payload: "",
    });
  });

  it.each([[["GET_NOTHING"]], [["100"]], [["A1", "0"]], [["A1", "xx"]]])("%j is wrong usage", async (args) => {
    expect((await quiet().run(["raw", ...args])).code).toBe(2);
  });
});

describe("reset", () => {
  it("waits until the module is online again", async () => {
    const bench = quiet();
    const end = await bench.run(["reset"]);
    expect(end.out).toMatch(/^the module has restarted and is online again, after 2\.\d s; its queues are empty\n$/);
    expect(bench.emulated.online).toBe(true);
  });

  it("fails when it does not come online", async () => {
    const bench = quiet();
    bench.emulated.setOnline(false);
    const end = await bench.run(["reset"]);
    expect(end.code).toBe(1);
    expect(end.err).toMatch(
      /^sakuraio: the module was restarted and is not back after 60 s: it answers, but it is not online/,
    );
  });
});
