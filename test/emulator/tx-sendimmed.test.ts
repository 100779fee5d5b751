/** How a TX_SENDIMMED goes, byte for byte (module-protocol §7). */
import { describe, expect, it } from "vitest";
import { channelsOf, desk, enqueueInts, framed, int32, valuesOf } from "../support/desk.ts";
import { HeldUplink } from "../support/held-uplink.ts";

const OK = "01 00 01";
const INVALID_SYNTAX = "04 00 04";
const BUSY = "07 00 07";
const TX_LENGTH = "22 00 22";
const TX_CLEAR = "23 00 23";
const TX_SEND = "24 00 24";
const TX_STAT = "25 00 25";
/** TX_STAT's answers: the queue's state, the immediate send's state. */
const DONE = "01 02 00 00 03";
const IMMEDIATE_SENDING = "01 02 00 01 02";
const IMMEDIATE_FAILED = "01 02 00 02 01";

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe("TX_SENDIMMED", () => {
  it.each([
    ["one value", "21 0A 01 69 19 00 00 00 00 00 00 00 5A", [25], "2017-04-01T04:51:10.000Z"],
    [
      "one value taken 4.321 s ago",
      "21 12 01 69 19 00 00 00 00 00 00 00 1F EF FF FF FF FF FF FF B2",
      [25],
      "2017-04-01T04:51:05.679Z",
    ],
    [
      "two values",
      "21 14 01 69 19 00 00 00 00 00 00 00 02 6C FF FF FF FF FF FF FF FF 2A",
      [25, -1n],
      "2017-04-01T04:51:10.000Z",
    ],
    [
      "two values before one offset",
      "21 1C 01 69 19 00 00 00 00 00 00 00 02 6C FF FF FF FF FF FF FF FF A0 15 FF FF FF FF FF FF 97",
      [25, -1n],
      "2017-04-01T04:50:10.000Z",
    ],
  ])("sends %s as a message of its own", async (_what, frame, values, datetime) => {
    const { ask, clock, log } = desk();
    expect(ask(frame)).toBe(OK);
    expect(ask(TX_STAT)).toBe(IMMEDIATE_SENDING);
    await clock.advance(99);
    expect(ask(TX_STAT)).toBe(IMMEDIATE_SENDING);
    expect(log.messages).toEqual([]);
    await clock.advance(1);
    expect(ask(TX_STAT)).toBe(DONE);
    expect(valuesOf(log.messages)).toEqual([values]);
    expect(
      channelsOf(log.messages)
        .flat()
        .map((channel) => channel.datetime),
    ).toEqual(values.map(() => datetime));
    expect(log.messages.map((message) => message.datetime)).toEqual(["2017-04-01T04:51:10.100Z"]);
  });

  it.each(range(1, 17))("takes %i values, with an offset and without", async (count) => {
    const { ask, clock, log } = desk();
    const values = range(0, count).flatMap((value) => int32(value, value));
    expect(ask(framed(0x21, ...values))).toBe(OK);
    await clock.advance(100);
    // -4321 ms
    expect(ask(framed(0x21, ...values, 0x1f, 0xef, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))).toBe(OK);
    await clock.advance(100);
    expect(valuesOf(log.messages)).toEqual([range(0, count), range(0, count)]);
    const [plain, offset] = channelsOf(log.messages);
    expect(plain?.map(({ channel }) => channel)).toEqual(range(0, count));
    expect(plain?.every(({ datetime }) => datetime === "2017-04-01T04:51:10.000Z")).toBe(true);
    expect(offset?.every(({ datetime }) => datetime === "2017-04-01T04:51:05.779Z")).toBe(true);
  });

  it("refuses every length that is not 10 n or 10 n + 8, n from 1 to 16", () => {
    const accepted: number[] = [];
    for (let length = 0; length <= 255; length++) {
      const { ask } = desk();
      const payload = Array.from({ length }, (_, i) => (i % 10 === 1 ? 0x69 : 0));
      const answer = ask(framed(0x21, ...payload));
      if (answer === OK) accepted.push(length);
      else expect(answer, `length ${length}`).toBe(INVALID_SYNTAX);
    }
    expect(accepted).toEqual(range(1, 17).flatMap((n) => [10 * n, 10 * n + 8]));
  });

  it("refuses all when one of sixteen is bad, and sends nothing", async () => {
    const { ask, clock, log } = desk();
    const good = range(0, 15).flatMap((value) => int32(value, value));
    expect(ask(framed(0x21, ...good, ...int32(128, 15)))).toBe(INVALID_SYNTAX);
    expect(ask(TX_STAT)).toBe(DONE);
    await clock.advance(1000);
    expect(log.messages).toEqual([]);
  });

  it("goes past a full queue, which stays as it is", async () => {
    const at = desk({ txQueue: 1 });
    enqueueInts(at, 1);
    expect(at.ask("21 0A 01 69 63 00 00 00 00 00 00 00 20")).toBe(OK);
    await at.clock.advance(100);
    expect(valuesOf(at.log.messages)).toEqual([[99]]);
    expect(at.ask(TX_LENGTH)).toBe("01 02 00 01 02");
  });

  it("is not taken back by TX_CLEAR", async () => {
    const at = desk();
    at.ask("21 0A 01 69 63 00 00 00 00 00 00 00 20");
    at.ask(TX_CLEAR);
    await at.clock.advance(100);
    expect(valuesOf(at.log.messages)).toEqual([[99]]);
  });

  it("is BUSY while one is under way; a TX_SEND is not", async () => {
    const at = desk();
    enqueueInts(at, 1);
    expect(at.ask("21 0A 01 69 63 00 00 00 00 00 00 00 20")).toBe(OK);
    expect(at.ask("21 0A 01 69 63 00 00 00 00 00 00 00 20")).toBe(BUSY);
    expect(at.ask(TX_SEND)).toBe(OK);
    await at.clock.advance(100);
    expect(valuesOf(at.log.messages)).toEqual([[99], [0]]);
    expect(at.ask("21 0A 01 69 63 00 00 00 00 00 00 00 20")).toBe(OK);
  });

  it("answers 01 offline, then says 2 in TX_STAT's second byte alone", async () => {
    const { ask, clock, log, module } = desk({ online: false });
    expect(ask("21 0A 01 69 63 00 00 00 00 00 00 00 20")).toBe(OK);
    expect(ask(TX_STAT)).toBe(IMMEDIATE_FAILED);
    module.setOnline(true);
    await clock.advance(1000);
    expect(valuesOf(log.messages)).toEqual([]);
    expect(ask(TX_STAT)).toBe(IMMEDIATE_FAILED);
  });

  it("says 2 when the network goes away during it, or the uplink refuses", async () => {
    const uplink = new HeldUplink();
    const { ask, clock, module } = desk({ uplink });
    ask("21 0A 01 69 63 00 00 00 00 00 00 00 20");
    module.state.network = false;
    await clock.advance(100);
    expect(ask(TX_STAT)).toBe(IMMEDIATE_FAILED);
    expect(uplink.offered).toEqual([]);
    module.state.network = true;
    ask("21 0A 01 69 63 00 00 00 00 00 00 00 20");
    expect(ask(TX_STAT)).toBe(IMMEDIATE_SENDING);
    await clock.advance(100);
    expect(ask(TX_STAT)).toBe(IMMEDIATE_SENDING);
    await uplink.refuse();
    expect(ask(TX_STAT)).toBe(IMMEDIATE_FAILED);
    expect(module.online).toBe(true);
  });
});
