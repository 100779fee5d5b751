import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../emulator/clock.ts";
import type { BridgeEvent } from "../../host/bridge/index.ts";
import { BridgeLog } from "../../host/cli/bridge-log.ts";
import { type LogFormat, type LogLevel, openLog } from "../../host/cli/log.ts";

const T0 = Date.UTC(2026, 0, 2, 3, 4, 5);

async function logged(format: LogFormat, level: LogLevel = "info") {
  const stream = new PassThrough();
  const clock = new VirtualClock(T0);
  const log = new BridgeLog(await openLog(stream, { format, level }), clock);
  return {
    clock,
    log,
    /** What has been written since the last call, without its time. */
    lines: (): string[] => {
      const text = String(stream.read() ?? "");
      if (text === "") return [];
      expect(text.endsWith("\n")).toBe(true);
      return text.slice(0, -1).split("\n").map(withoutTime);
    },
  };
}

function withoutTime(line: string): string {
  const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;
  const found = new RegExp(`^${time} |,"time":"${time}"`);
  expect(line).toMatch(found);
  return line.replace(found, "");
}

const message: BridgeEvent = {
  type: "message",
  services: ["plant-a"],
  nonFinite: 0,
  message: {
    module: "u1",
    type: "channels",
    datetime: "2018-06-21T01:10:57.770Z",
    payload: { channels: [{ channel: 0, type: "l", value: 1n, datetime: "2018-06-21T01:10:57Z" }] },
  },
};
const failed: BridgeEvent = {
  type: "service",
  service: "plant-a",
  state: {
    state: "error",
    since: T0,
    failure: "no-connack",
    reason: "closed without a word",
    attempts: 3,
    nextAttempt: T0 + 4_001,
  },
};
const up: BridgeEvent = {
  type: "link",
  module: "u1",
  kind: "tap",
  state: { state: "up", since: T0, endpoint: "/dev/pts/3" },
};
const full = (module: string): BridgeEvent => ({
  type: "message-refused",
  module,
  reason: "outbox-full",
  message: "the outbox is full",
});

describe("the bridge's log", () => {
  it("for people is a line for each event", async () => {
    const { log, lines } = await logged("text");
    for (const event of [failed, up, full("u1")]) log.event(event);
    expect(lines()).toEqual([
      "service plant-a: error: closed without a word; next try in 5 s",
      "link u1 (tap): up at /dev/pts/3",
      "message u1: refused (outbox-full): the outbox is full",
    ]);
  });

  it("for programs is one JSON object for each, with fields", async () => {
    const { log, lines } = await logged("json");
    for (const event of [failed, up, full("u1")]) log.event(event);
    expect(lines()).toEqual([
      '{"level":"warn","event":"service","service":"plant-a","state":"error","reason":"closed without a word","attempts":3,"failure":"no-connack","nextAttempt":"2026-01-02T03:04:09.001Z","msg":"service plant-a: error: closed without a word; next try in 5 s"}',
      '{"level":"info","event":"link","module":"u1","link":"tap","state":"up","endpoint":"/dev/pts/3","msg":"link u1 (tap): up at /dev/pts/3"}',
      '{"level":"warn","event":"message-refused","module":"u1","reason":"outbox-full","detail":"the outbox is full","msg":"message u1: refused (outbox-full): the outbox is full"}',
    ]);
  });

  it.each<LogFormat>(["text", "json"])("has a line for each message at debug alone (%s)", async (format) => {
    const usual = await logged(format);
    usual.log.event(message);
    expect(usual.lines()).toEqual([]);
    const chatty = await logged(format, "debug");
    chatty.log.event(message);
    expect(chatty.lines()).toEqual([expect.stringContaining("message u1: 1 channels, for plant-a")]);
    const quiet = await logged(format, "error");
    quiet.log.event(failed);
    quiet.log.event({ type: "outbox", state: { state: "failed", reason: "the disk is full" } });
    expect(quiet.lines()).toEqual([expect.stringContaining("outbox: failed: the disk is full")]);
  });

  it.each<LogFormat>(["text", "json"])("stays one line, and moves no cursor, whatever comes (%s)", async (format) => {
    const { log, lines } = await logged(format);
    const hostile = 'a\r\nb\u001b[2J\u0000"\u009b\u2028\ud800end';
    log.event({ type: "dead-letter", service: hostile, module: hostile, reason: hostile });
    log.event(up);
    const [line = "", ...rest] = lines();
    expect(rest).toEqual([expect.stringContaining("link u1 (tap): up")]);
    if (format === "json") expect(JSON.parse(line)).toMatchObject({ service: hostile, reason: hostile });
    else {
      expect(line).toContain('a b\\x1b[2J\\x00"\\x9b');
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028]/);
    }
  });
});

it("tells what the outbox has to say, though its state is the same", async () => {
  const { log, lines } = await logged("json");
  log.event({ type: "outbox", state: { state: "ok" }, note: "3 messages were damaged" });
  expect(lines()).toEqual([
    '{"level":"warn","event":"outbox","state":"ok","note":"3 messages were damaged","msg":"outbox: 3 messages were damaged"}',
  ]);
});

describe("what repeats", () => {
  it("is written once, and then counted", async () => {
    const { log, lines, clock } = await logged("text");
    for (let i = 0; i < 1_000; i++) log.event(full(`u${i}`));
    expect(lines()).toEqual(["message u0: refused (outbox-full): the outbox is full"]);
    await clock.advance(10_000);
    expect(lines()).toEqual(["999 more messages were refused (outbox-full)"]);
    log.event(full("u1"));
    expect(lines()).toEqual([]);
    await clock.advance(10_000);
    expect(lines()).toEqual(["1 more messages were refused (outbox-full)"]);
    // Quiet for a while: the next one is news again.
    await clock.advance(10_000);
    expect(clock.pending).toBe(0);
    log.event(full("u2"));
    expect(lines()).toEqual(["message u2: refused (outbox-full): the outbox is full"]);
  });

  it("is counted by its kind, and what is counted is said at the end", async () => {
    const { log, lines, clock } = await logged("json");
    const refused = (reason: string): BridgeEvent => ({
      type: "downlink",
      service: "plant-a",
      accepted: false,
      module: "u1",
      reason,
      message: "no",
    });
    const dropped: BridgeEvent = { type: "dropped", service: "plant-a", messages: 100, why: "full" };
    for (const event of [refused("offline"), refused("link-busy"), refused("offline"), dropped, dropped, dropped]) {
      log.event(event);
    }
    expect(lines()).toHaveLength(3);
    log.close();
    expect(lines()).toEqual([
      '{"level":"warn","event":"downlink","reason":"offline","more":1,"service":"plant-a","msg":"1 more downlinks were refused (offline)"}',
      '{"level":"warn","event":"dropped","service":"plant-a","messages":200,"why":"full","msg":"service plant-a: 200 messages were dropped (full)"}',
    ]);
    expect(clock.pending).toBe(0);
  });
});
