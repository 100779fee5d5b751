/** A recorded session as a module: what it answers to a driver that does not ask just what was recorded. */
import { describe, expect, it } from "vitest";
import { attachI2c } from "../../emulator/bus/i2c.ts";
import { attachUart } from "../../emulator/bus/uart.ts";
import { VirtualClock } from "../../emulator/clock.ts";
import { type ReplayEvent, type ReplayOptions, replayRecording } from "../../emulator/replay/module.ts";
import { toHex } from "../../protocol/hex.ts";
import { linePair } from "../support/scripted-module.ts";
import { bytes } from "../vectors/bytes.ts";
import { NOISY, SENDING, TROUBLED } from "../vectors/recordings.ts";

const SIGNAL = "02 00 02";
const ENQUEUE = "20 0A 01 69 19 00 00 00 00 00 00 00 5B";
const SEND = "24 00 24";
const STAT = "25 00 25";
const OK = "01 00 01";
const SENDING_STATE = "01 02 01 00 02";
const DONE_STATE = "01 02 00 00 03";
const MISSING = "03 00 03";

function replayed(recording: string, options?: ReplayOptions) {
  const module = replayRecording(recording, options);
  const events: ReplayEvent[] = [];
  module.onEvent((event) => events.push(event));
  const ask = (request: string): string[] =>
    module.answersTo(bytes(request)).map((answer) => toHex("frame" in answer ? answer.frame : answer.noise, " "));
  return { module, events, ask };
}

describe("a replayed module", () => {
  it("answers as recorded, and tells the end", () => {
    const { ask, events, module } = replayed(SENDING);
    const asked = [SIGNAL, ENQUEUE, SEND, "0F 02 AB CD 6B", STAT, STAT, SIGNAL].map(ask);
    expect(asked).toEqual([
      ["01 01 05 05"],
      [OK],
      [OK],
      ["01 02 AB CD 65"],
      [SENDING_STATE],
      [DONE_STATE],
      ["01 01 04 04"],
    ]);
    expect(events).toEqual([{ kind: "end" }]);
    expect(module.progress).toEqual({ exchanges: 7, played: 7 });
  });

  it("answers a question that is asked more often as it did last, and does not leave out an order for it", () => {
    const { ask, events } = replayed(SENDING);
    // Signal 4 comes after the sending, so that it must not be given yet.
    expect([SIGNAL, SIGNAL, SIGNAL, ENQUEUE, SEND, STAT, STAT, STAT, STAT, SIGNAL, SIGNAL].map(ask)).toEqual([
      ["01 01 05 05"],
      ["01 01 05 05"],
      ["01 01 05 05"],
      [OK],
      [OK],
      [SENDING_STATE],
      [DONE_STATE],
      [DONE_STATE],
      [DONE_STATE],
      ["01 01 04 04"],
      ["01 01 04 04"],
    ]);
    expect(events).toEqual([{ kind: "end" }]);
  });

  it("lets a question be left out, and tells it", () => {
    const { ask, events } = replayed(SENDING);
    expect([ENQUEUE, SEND, STAT, SIGNAL].map(ask)).toEqual([[OK], [OK], [SENDING_STATE], ["01 01 04 04"]]);
    expect(events).toEqual([
      { kind: "skipped", requests: [bytes(SIGNAL)], orders: 0 },
      { kind: "skipped", requests: [bytes(STAT)], orders: 0 },
      { kind: "end" },
    ]);
  });

  it("tells of orders that were left out", () => {
    const { ask, events } = replayed(SENDING);
    expect(ask(STAT)).toEqual([SENDING_STATE]);
    const requests = [SIGNAL, ENQUEUE, SEND].map(bytes);
    expect(events).toEqual([{ kind: "skipped", requests, orders: 2 }]);
  });

  it("answers another value as the recorded one, and tells both", () => {
    const { ask, events } = replayed(SENDING);
    ask(SIGNAL);
    const other = "20 0A 01 69 1A 00 00 00 00 00 00 00 58";
    expect(ask(other)).toEqual([OK]);
    expect(events).toEqual([{ kind: "mismatch", request: bytes(other), expected: bytes(ENQUEUE), answer: bytes(OK) }]);
    expect(ask(SEND)).toEqual([OK]);
  });

  it("answers what was never recorded with MISSING, and tells what was due", () => {
    const { ask, events } = replayed(SENDING);
    expect(ask("A0 00 A0")).toEqual([MISSING]);
    expect(events).toEqual([
      { kind: "mismatch", request: bytes("A0 00 A0"), expected: bytes(SIGNAL), answer: bytes(MISSING) },
    ]);
    // As a module answers a damaged request.
    expect(ask("02 00 03")).toEqual(["02 00 02"]);
    expect(ask(SIGNAL)).toEqual(["01 01 05 05"]);
  });

  it("after its end answers questions alone", () => {
    const { ask, events } = replayed(SENDING);
    for (const request of [SIGNAL, ENQUEUE, SEND, STAT, STAT, SIGNAL]) ask(request);
    events.length = 0;
    expect([SIGNAL, STAT, SEND].map(ask)).toEqual([["01 01 04 04"], [DONE_STATE], [MISSING]]);
    expect(events).toEqual([{ kind: "mismatch", request: bytes(SEND), expected: undefined, answer: bytes(MISSING) }]);
  });

  it("echoes whatever nobody recorded, and takes one as long for the recorded one", () => {
    const { ask, events } = replayed(SENDING);
    expect(ask("0F 03 01 02 03 0C")).toEqual(["01 03 01 02 03 02"]);
    for (const request of [SIGNAL, ENQUEUE, SEND]) ask(request);
    expect(ask("0F 02 11 22 3E")).toEqual(["01 02 11 22 30"]);
    expect(ask(STAT)).toEqual([SENDING_STATE]);
    expect(events).toEqual([]);
  });

  it("keeps silences, damage and late answers", () => {
    const { ask, events } = replayed(TROUBLED);
    expect(["A0 00 A0", SIGNAL, "22 00 22"].map(ask)).toEqual([[], ["01 01 05 FF"], ["01 01 05 05", "01 02 20 00 23"]]);
    expect(events).toEqual([]);
  });

  it("keeps what was no frame, byte for byte", () => {
    const { module, events } = replayed(NOISY, { fast: true });
    const said = [SIGNAL, SIGNAL, SEND].map((request) => module.answersTo(bytes(request)));
    expect(said).toEqual([
      [{ noise: bytes("45 52 52 4F 52 0D 0A"), afterMs: 0 }],
      [
        { frame: bytes("01 01 05 05"), afterMs: 0, withoutOk: true },
        { noise: bytes("4F 4C 0D 0A"), afterMs: 0 },
      ],
      // The ERROR behind it was for a damaged request.
      [{ frame: bytes(OK), afterMs: 0 }],
    ]);
    expect(events).toEqual([]);
  });

  it("damages the echo of other bytes as the recorded one, late ones too", () => {
    const { ask } = replayed(NOISY);
    for (const request of [SIGNAL, SIGNAL, SEND]) ask(request);
    // 11 22 33 44 in the place of AA BB CC DD, whose echo came back as AB.
    expect(ask("0F 04 11 22 33 44 4F")).toEqual(["01 04 10 22 33 44 41"]);
    expect(ask("0F 04 11 22 33 45 4E")).toEqual(["01 04 11 22 33 44 41", "01 04 11 22 33 45 40"]);
  });

  it("gives a value out once", () => {
    const { ask, events } = replayed(TROUBLED);
    expect(ask("30 00 30")).toEqual(["01 12 01 69 19 00 00 00 00 00 00 00 00 FF FF FF FF FF FF FF 9D"]);
    expect(ask("30 00 30")).toEqual(["05 00 05"]);
    expect(events.filter(({ kind }) => kind === "mismatch")).toEqual([]);
  });
});

describe("on a UART", () => {
  async function answersIn(options: ReplayOptions, ms: number): Promise<string> {
    const clock = new VirtualClock();
    const { host, module: end } = linePair();
    let said = "";
    host.onBytes((chunk) => (said += Buffer.from(chunk).toString("latin1")));
    attachUart(replayRecording(SENDING, { clock, ...options }), end);
    host.write(Buffer.from("AT*CMD=020002\n"));
    await clock.advance(ms);
    return said;
  }

  it("noise is what the line says, and an OK that was damaged is not said", async () => {
    const { host, module: end } = linePair();
    const clock = new VirtualClock();
    let said = "";
    host.onBytes((chunk) => (said += Buffer.from(chunk).toString("latin1")));
    attachUart(replayRecording(NOISY, { clock }), end);
    host.write(Buffer.from("AT*CMD=020002\nAT*CMD=020002\n"));
    await clock.advance(10);
    expect(said).toBe("ERROR\r\n*CMD:01010505\r\nOL\r\n");
  });

  it("an answer comes after the recorded time, or at once", async () => {
    expect(await answersIn({}, 2.74)).toBe("");
    expect(await answersIn({}, 2.75)).toBe("*CMD:01010505\r\nOK\r\n");
    expect(await answersIn({ fast: true }, 0)).toBe("*CMD:01010505\r\nOK\r\n");
  });
});

describe("on I2C", () => {
  it("noise is silence", () => {
    const target = attachI2c(replayRecording(NOISY, { clock: new VirtualClock() }));
    target.start("write");
    for (const byte of bytes(SIGNAL)) target.write(byte);
    target.start("read");
    expect(target.read()).toBe(0x00);
  });

  it("an answer is ready when the master reads it", () => {
    const target = attachI2c(replayRecording(SENDING, { clock: new VirtualClock() }));
    target.start("write");
    for (const byte of bytes(SIGNAL)) target.write(byte);
    target.start("read");
    expect([1, 2, 3, 4].map(() => target.read())).toEqual([0x01, 0x01, 0x05, 0x05]);
  });
});
