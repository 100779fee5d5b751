/** What the TX queue takes, and the time that each value keeps (module-protocol §7). */
import { describe, expect, it } from "vitest";
import { channelsOf, desk, enqueueInts, valuesOf } from "../support/desk.ts";
import { bytes } from "../vectors/bytes.ts";

const OK = "01 00 01";
const INVALID_SYNTAX = "04 00 04";
const RUNTIME = "05 00 05";
const TX_LENGTH = "22 00 22";
const TX_CLEAR = "23 00 23";
const TX_SEND = "24 00 24";

describe("TX_ENQUEUE", () => {
  it.each([
    ["i", "20 0A 05 69 FE FF FF FF 00 00 00 00 47", -2],
    ["I", "20 0A 05 49 FF FF FF FF 00 00 00 00 66", 4_294_967_295],
    ["l", "20 0A 05 6C 00 00 00 00 00 00 00 80 C3", -9_223_372_036_854_775_808n],
    ["L", "20 0A 05 4C FF FF FF FF FF FF FF FF 63", 18_446_744_073_709_551_615n],
    ["f", "20 0A 05 66 00 00 00 3F 00 00 00 00 76", 0.5],
    ["d", "20 0A 05 64 9A 99 99 99 99 99 B9 BF 4E", -0.1],
    ["b", "20 0A 05 62 00 01 7F 80 FE FF 0D 0A B5", bytes("00 01 7F 80 FE FF 0D 0A")],
  ])("takes type %s, whose value is sent up as it came", async (type, frame, value) => {
    const { ask, clock, log } = desk();
    expect(ask(frame)).toBe(OK);
    expect(ask(TX_SEND)).toBe(OK);
    await clock.advance(100);
    expect(channelsOf(log.messages)).toEqual([[{ channel: 5, type, value, datetime: "2017-04-01T04:51:10.000Z" }]]);
  });

  it.each([
    ["i", "20 0A 00 69 FE FF FF FF 12 34 56 78 4A", -2],
    ["I", "20 0A 00 49 07 00 00 00 FF FF FF FF 64", 7],
    ["f", "20 0A 00 66 00 00 00 3F 00 00 00 01 72", 0.5],
  ])("ignores padding of type %s that is not zero (§2)", async (_type, frame, value) => {
    const { ask, clock, log } = desk();
    expect(ask(frame)).toBe(OK);
    ask(TX_SEND);
    await clock.advance(100);
    expect(valuesOf(log.messages)).toEqual([[value]]);
  });

  it.each([
    ["channel 128", "20 0A 80 69 19 00 00 00 00 00 00 00 DA"],
    ["channel 255", "20 0A FF 69 19 00 00 00 00 00 00 00 A5"],
    ["channel 128 with an offset", "20 12 80 69 19 00 00 00 00 00 00 00 FF FF FF FF FF FF FF FF C2"],
    ["type x", "20 0A 05 78 19 00 00 00 00 00 00 00 4E"],
    ["type 0", "20 0A 05 00 19 00 00 00 00 00 00 00 36"],
    ["type B", "20 0A 05 42 19 00 00 00 00 00 00 00 74"],
    ["no payload", "20 00 20"],
    ["9 bytes", "20 09 05 69 19 00 00 00 00 00 00 5C"],
    ["11 bytes", "20 0B 05 69 19 00 00 00 00 00 00 00 00 5E"],
    ["17 bytes", "20 11 05 69 19 00 00 00 00 00 00 00 00 00 00 00 00 00 00 44"],
    ["19 bytes", "20 13 05 69 19 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 46"],
    ["two entries", "20 14 05 69 19 00 00 00 00 00 00 00 06 69 19 00 00 00 00 00 00 00 37"],
  ])("refuses %s as INVALID_SYNTAX and queues nothing", (_what, frame) => {
    const { ask } = desk();
    expect(ask(frame)).toBe(INVALID_SYNTAX);
    expect(ask(TX_LENGTH)).toBe("01 02 20 00 23");
  });

  it("takes channel 127", () => {
    const { ask } = desk();
    expect(ask("20 0A 7F 69 19 00 00 00 00 00 00 00 25")).toBe(OK);
    expect(ask(TX_LENGTH)).toBe("01 02 1F 01 1D");
  });

  it.each([
    ["1", 1, "01 02 01 00 02", "01 02 00 01 02"],
    ["32, the default", undefined, "01 02 20 00 23", "01 02 00 20 23"],
    ["255", 255, "01 02 FF 00 FC", "01 02 00 FF FC"],
  ])("fills a queue of %s, then answers RUNTIME", (_depth, txQueue, empty, full) => {
    const at = desk({ txQueue });
    expect(at.ask(TX_LENGTH)).toBe(empty);
    enqueueInts(at, txQueue ?? 32);
    expect(at.ask(TX_LENGTH)).toBe(full);
    expect(at.ask("20 0A 05 69 19 00 00 00 00 00 00 00 5F")).toBe(RUNTIME);
    expect(at.ask(TX_LENGTH)).toBe(full);
    expect(at.ask(TX_CLEAR)).toBe(OK);
    expect(at.ask(TX_LENGTH)).toBe(empty);
  });

  it("leaves the RX queue's depth alone", () => {
    const { ask } = desk({ txQueue: 1 });
    expect(ask("32 00 32")).toBe("01 02 20 00 23");
  });
});

describe("a channel's datetime", () => {
  it("is when it was enqueued plus its offset, however long it waits; the message's is when it was taken", async () => {
    const { ask, clock, log } = desk();
    ask("20 12 01 69 19 00 00 00 00 00 00 00 1F EF FF FF FF FF FF FF B3");
    await clock.advance(1500);
    ask("20 12 02 69 19 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 40");
    ask("20 12 03 69 19 00 00 00 00 00 00 00 D0 07 00 00 00 00 00 00 96");
    await clock.advance(3_600_000);
    ask(TX_SEND);
    await clock.advance(100);
    expect(channelsOf(log.messages)[0]?.map(({ datetime }) => datetime)).toEqual([
      "2017-04-01T04:51:05.679Z",
      "2017-04-01T04:51:11.500Z",
      "2017-04-01T04:51:13.500Z",
    ]);
    expect(log.messages[0]?.datetime).toBe("2017-04-01T05:51:11.600Z");
  });

  it("stays when the first send fails and a later one succeeds", async () => {
    const { ask, clock, log, module } = desk({ online: false });
    ask("20 0A 01 69 19 00 00 00 00 00 00 00 5B");
    ask(TX_SEND);
    await clock.advance(60_000);
    module.setOnline(true);
    ask(TX_SEND);
    await clock.advance(100);
    expect(log.messages.at(-1)).toMatchObject({
      datetime: "2017-04-01T04:52:10.100Z",
      payload: { channels: [{ datetime: "2017-04-01T04:51:10.000Z" }] },
    });
  });

  it.each([
    ["2^63 − 1", "20 12 01 69 19 00 00 00 00 00 00 00 FF FF FF FF FF FF FF 7F C3", "9999-12-31T23:59:59.999Z"],
    ["−2^63", "20 12 01 69 19 00 00 00 00 00 00 00 00 00 00 00 00 00 00 80 C3", "0000-01-01T00:00:00.000Z"],
  ])("bears an absurd offset of %s", async (_what, frame, datetime) => {
    const { ask, clock, log } = desk();
    expect(ask(frame)).toBe(OK);
    expect(ask(TX_SEND)).toBe(OK);
    await clock.advance(100);
    expect(channelsOf(log.messages)).toMatchObject([[{ value: 25, datetime }]]);
  });
});
