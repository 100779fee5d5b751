/** The doctor at a module that answers: what each of its states is called, and what is proposed; the verb's output. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { refuse } from "../../../emulator/behaviour.ts";
import { listenTcp, type TcpEndpoint } from "../../../emulator/bus/tcp.ts";
import { attachUart } from "../../../emulator/bus/uart.ts";
import { parseFaults } from "../../../emulator/faults.ts";
import { EmulatedModule } from "../../../emulator/module.ts";
import type { EmulatedModuleOptions } from "../../../emulator/state.ts";
import { MessageLog } from "../../../emulator/uplink.ts";
import { type DoctorVerbOptions, doctorVerb } from "../../../host/cli/doctor.ts";
import { diagnose, type Finding, ok, problem, skipped, warning } from "../../../host/doctor/finding.ts";
import type { ChannelEntry } from "../../../protocol/channel.ts";
import { commandByCode } from "../../../protocol/commands.ts";
import { examined, findingOf } from "../../support/doctor.ts";
import { FakeIo } from "../../support/fake-io.ts";

const NOW = Date.UTC(2018, 5, 21, 1, 10, 57, 770);
const value: ChannelEntry = { channel: 127, type: "i", value: 0 };

let log: MessageLog;
let module: EmulatedModule;
let endpoint: TcpEndpoint;

/** Puts a module on the port. */
function place(options: EmulatedModuleOptions = {}): void {
  log = new MessageLog();
  module = new EmulatedModule({ uplink: log, sendTimeMs: 0, ...options });
}

beforeEach(async () => {
  place();
  endpoint = await listenTcp({ host: "127.0.0.1", port: 0 });
  endpoint.onConnection((duplex) => attachUart(module, duplex));
});
afterEach(() => endpoint.close());

const look = (options = {}): Promise<Finding[]> => examined(endpoint.uri, { echoes: 3, ...options });
const say = (): string => `sakuraio module --port ${endpoint.uri}`;

describe("parity", () => {
  it("counts what a bad line spoils", async () => {
    module.setFaults(parseFaults("flip=0.003,seed=7"));
    const findings = await examined(endpoint.uri, { echoes: 60, timeoutMs: 200 });
    const { verdict, seen, facts, advice } = findingOf(findings, "parity");
    expect(verdict).toBe("problem");
    expect(seen).toMatch(/^\d+ of 60 echoes failed \(\d+\.\d %\): /);
    expect(Number(facts["errors"])).toBe(Number(facts["silent"]) + Number(facts["damaged"]) + Number(facts["refused"]));
    expect(advice[0]).toContain("shorten the wires");
  });

  it("is a warning where the retries make up for it", async () => {
    let answers = 0;
    module.override("ECHO_BACK", (_request, next) => (++answers === 20 ? Uint8Array.of(1) : next()));
    expect(findingOf(await examined(endpoint.uri, { echoes: 40 }), "parity")).toMatchObject({
      verdict: "warning",
      facts: { echoes: 40, errors: 1, damaged: 1, errorRate: 0.025 },
    });
  });

  it.each(["PARITY", "INVALID_SYNTAX"] as const)("counts what arrives damaged at the module: %s", async (status) => {
    let asked = 0;
    module.override("ECHO_BACK", (_request, next) => (++asked % 3 === 0 ? refuse(status) : next()));
    const parity = findingOf(await examined(endpoint.uri, { echoes: 40 }), "parity");
    // Three askings for two echoes: every second echo is asked for twice.
    expect(parity).toMatchObject({ verdict: "problem", facts: { echoes: 40, errors: 20, refused: 20, damaged: 0 } });
    expect(parity.seen).toContain("20 arrived damaged at the module");
  });

  it("takes a module that is busy at times for no bad line", async () => {
    let asked = 0;
    module.override("ECHO_BACK", (_request, next) => (++asked % 5 === 0 ? refuse("BUSY") : next()));
    const parity = findingOf(await examined(endpoint.uri, { echoes: 16 }), "parity");
    expect(parity).toMatchObject({ verdict: "ok", facts: { echoes: 16, errors: 0, busy: 4 } });
    expect(parity.seen).toContain("the module was busy 4 times");
  });

  it("makes fewer where the line is slow, and says so", async () => {
    const findings = await look({ echoes: 200, echoLimitMs: 0 });
    expect(findingOf(findings, "parity").seen).toContain("only 0 of 200 were made in 0 s");
  });

  it("asks for echoes of growing length, the same each time", async () => {
    const lengths: number[] = [];
    module.override("ECHO_BACK", (request, next) => {
      lengths.push(request.length);
      return next();
    });
    await look({ echoes: 200 });
    expect(lengths.slice(-200)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
  });
});

describe("what the module is", () => {
  it("has a name", async () => {
    expect(findingOf(await look(), "product")).toMatchObject({
      verdict: "ok",
      seen: "SCM-LTE-01, unique id 16B0100260",
      facts: { productId: 2, uniqueId: "16B0100260" },
    });
  });

  it("may be unknown", async () => {
    place({ product: 9 });
    expect(findingOf(await look(), "product").verdict).toBe("warning");
  });

  it("may have an old firmware, which lacks power-save", async () => {
    place({ firmware: "v1.1.2-170223-7e6ce64" });
    const findings = await look();
    expect(findingOf(findings, "firmware")).toMatchObject({
      verdict: "warning",
      seen: "v1.1.2-170223-7e6ce64 is older than 1.4.0, and has no power-save modes",
    });
    expect(findingOf(findings, "power-save").verdict).toBe("skipped");
  });
});

describe("time", () => {
  const at = (ms: number) => ({ now: () => ms, after: () => () => undefined });

  it.each([
    [0, "ok", "the module's clock and this machine's agree"],
    [-90_000, "warning", "the module's clock is 90 s behind this machine's"],
    [3 * 86_400_000, "warning", "the module's clock is 3 days ahead of this machine's"],
    [-NOW, "warning", "the module's clock is not set: it says 1970-01-01T00:00:00.000Z"],
  ])("off by %s ms is %s", async (offMs, verdict, seen) => {
    place({ clock: at(NOW + offMs) });
    // Only the looks at the clock are held: waits are the system's.
    const clock = { now: () => NOW, monotonic: () => performance.now(), after: systemAfter };
    const finding = findingOf(await look({ clock }), "time");
    expect(finding.verdict).toBe(verdict);
    expect(finding.seen).toContain(seen);
  });
});

function systemAfter(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

describe("signal and connection", () => {
  it.each([
    ["none", "no error so far", "wait"],
    ["out-of-service-area", "it finds no network", "antenna"],
    ["connection-error", "connecting failed", "control panel"],
    ["unexpected-disconnect", "the connection broke off", "power supply"],
  ] as const)("offline by %s", async (lastError, seen, todo) => {
    module.setOnline(false, lastError);
    const findings = await look();
    const finding = findingOf(findings, "connection");
    expect(finding).toMatchObject({ verdict: "problem", facts: { online: false, lastError } });
    expect(finding.seen).toContain(seen);
    expect(finding.advice[0]).toContain(todo);
    expect(diagnose(findings).text).toBe(`It stops at "connection". Do this first: ${finding.advice[0]}`);
  });

  it("offline because its radio is off", async () => {
    module.state.powerSave = "rf-off";
    module.setSignal(0);
    const findings = await look();
    expect(findingOf(findings, "signal").verdict).toBe("skipped");
    expect(findingOf(findings, "connection")).toMatchObject({
      verdict: "problem",
      seen: "offline, because its radio is off: power-save mode rf-off",
      advice: [`turn it on: \`${say()} power-save disabled\``],
    });
    expect(findingOf(findings, "power-save").verdict).toBe("warning");
  });

  it.each([
    [5, "ok", "very good (5 of 5)"],
    [1, "warning", "very weak (1 of 5)"],
    [0, "warning", "none: out of service (0 of 5)"],
  ])("a signal of %s", async (signal, verdict, seen) => {
    module.setSignal(signal);
    expect(findingOf(await look(), "signal")).toMatchObject({ verdict, seen });
  });
});

describe("queues and sends", () => {
  it("says what full ones mean", async () => {
    place({ txQueue: 1, rxQueue: 1 });
    module.deliver({ type: "channels", module: module.id, payload: { channels: [value] } });
    module.state.txQueue.push({ entry: value, datetime: "2018-06-21T01:10:57.770Z", number: 1 });
    const { verdict, seen, advice } = findingOf(await look(), "queues");
    expect([verdict, seen]).toEqual(["warning", "both queues are full: TX 1 waiting, 0 free; RX 1 waiting, 0 free"]);
    expect(advice[0]).toContain(`\`${say()} flush\``);
    expect(advice[1]).toContain(`\`${say()} receive\``);
  });

  it("tells of a send that failed", async () => {
    module.state.txState = "failed";
    expect(findingOf(await look(), "last-send")).toMatchObject({
      verdict: "warning",
      facts: { queue: "failed", immediate: "done" },
    });
  });
});

describe("a module that refuses a question", () => {
  it("has that as a problem, and the others examined", async () => {
    module.override("GET_SIGNAL_QUALITY", () => refuse("RUNTIME"));
    const findings = await look();
    expect(findingOf(findings, "signal")).toMatchObject({ verdict: "problem", facts: { code: "MODULE_REFUSED" } });
    expect(findingOf(findings, "connection").verdict).toBe("ok");
  });
});

describe("writing", () => {
  const WRITING =
    /^(TX_(ENQUEUE|SENDIMMED|CLEAR|SEND)|RX_(DEQUEUE|CLEAR)|START_|CANCEL_|GET_FILE_DATA|UN|UPD|SOFT|SET_)/;
  const watch = (): string[] => {
    const names: string[] = [];
    module.onFrame((request) => names.push(commandByCode(request[0] ?? 0) ?? "unknown"));
    return names;
  };

  it("does not happen without --send", async () => {
    const names = watch();
    await look({ echoes: 200 });
    expect(names).toContain("GET_POWER_SAVE_MODE");
    expect(names.filter((name) => WRITING.test(name) || name === "unknown")).toEqual([]);
    expect(log.messages).toEqual([]);
  });

  it("is one value with it, followed until it is done", async () => {
    place({ sendTimeMs: 5 });
    const names = watch();
    const finding = findingOf(await look({ send: value }), "send");
    expect(finding).toMatchObject({ verdict: "ok", facts: { channel: 127, type: "i" } });
    expect(names.filter((name) => WRITING.test(name))).toEqual(["TX_SENDIMMED"]);
    expect(names.at(-1)).toBe("TX_STAT");
    expect(log.messages).toMatchObject([{ payload: { channels: [value] } }]);
  });

  it("is left out while the module is offline", async () => {
    module.setOnline(false);
    expect(findingOf(await look({ send: value }), "send").verdict).toBe("skipped");
  });

  it("that fails is a problem", async () => {
    module.override("TX_STAT", (_request, next) => ({ ...next(), immediate: "failed" }));
    expect(findingOf(await look({ send: value }), "send").verdict).toBe("problem");
  });
});

describe("the verdict", () => {
  it.each([
    [[ok("port", "there")], "well", "All is well."],
    [[warning("time", "wrong"), warning("signal", "weak")], "works-but", "It works, but wrong (also look at: signal)"],
    [
      [warning("time", "wrong"), problem("answer", "silence", { advice: ["swap"] })],
      "stops",
      'It stops at "answer". Do this first: swap',
    ],
    [
      [problem("file", "a.yaml is not there: check the path")],
      "stops",
      'It stops at "file": a.yaml is not there: check the path',
    ],
    [
      [warning("root", "old"), skipped("connect", "no id", {}, ["make one"]), skipped("publish", "no id")],
      "unknown",
      'Not known yet whether it works: "connect" was not checked. Do this first: make one',
    ],
  ])("%#", (findings, outcome, text) => {
    expect(diagnose(findings)).toMatchObject({ outcome, text });
  });
});

describe("the verb", () => {
  const run = async (options: Partial<DoctorVerbOptions> = {}) => {
    const io = new FakeIo();
    const code = await doctorVerb({ port: endpoint.uri, json: false, ...options }, io);
    return { code, out: io.out, err: io.err };
  };

  it("prints a line for each check, and the verdict", async () => {
    const { code, out, err } = await run({ send: "127:i=0" });
    expect([code, err]).toEqual([0, ""]);
    expect(out.replaceAll(/\d+\.\d|0 ms|\d ms/g, "N")).toContain("\nok  send           a value on channel 127 is sent");
    expect(out).toMatch(/^ok {2}port {11}tcp:127\.0\.0\.1:\d+ takes the connection\n/);
    expect(out.endsWith("\n\nAll is well.\n")).toBe(true);
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("exits 0 with a warning, 1 with a problem, and names what was not checked once", async () => {
    module.setSignal(1);
    expect(await run()).toMatchObject({
      code: 0,
      out: expect.stringContaining("\nIt works, but very weak (1 of 5)\n"),
    });
    await endpoint.close();
    const { code, out } = await run();
    expect(code).toBe(1);
    expect(out.match(/^--/gm)).toHaveLength(1);
    expect(out).toContain('--  not checked    not before "open" is well: answer, parity, product,');
  });

  it("with --json is an object a line", async () => {
    module.setOnline(false, "connection-error");
    const { code, out } = await run({ json: true });
    const lines = out
      .trimEnd()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(code).toBe(1);
    expect(lines).toContainEqual({
      event: "finding",
      check: "product",
      verdict: "ok",
      seen: "SCM-LTE-01, unique id 16B0100260",
      advice: [],
      facts: { product: "SCM-LTE-01", productId: 2, uniqueId: "16B0100260" },
    });
    expect(lines.at(-1)).toMatchObject({ event: "verdict", ok: false, outcome: "stops", check: "connection" });
  });
});
