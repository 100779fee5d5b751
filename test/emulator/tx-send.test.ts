/** How a TX_SEND goes, byte for byte (module-protocol §7). */
import { describe, expect, it } from "vitest";
import type { ModuleEvent } from "../../emulator/behaviour.ts";
import { desk, enqueueInts, valuesOf } from "../support/desk.ts";
import { HeldUplink, settled } from "../support/held-uplink.ts";

const OK = "01 00 01";
const BUSY = "07 00 07";
const TX_LENGTH = "22 00 22";
const TX_CLEAR = "23 00 23";
const TX_SEND = "24 00 24";
const TX_STAT = "25 00 25";
/** TX_STAT's answers: the queue's state, the immediate send's state. */
const DONE = "01 02 00 00 03";
const SENDING = "01 02 01 00 02";
const FAILED = "01 02 02 00 01";

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe("TX_SEND", () => {
  it("says 1 for 100 ms, then 0; the message goes up with the time at which it was taken", async () => {
    const { ask, clock, log } = desk({ id: "u0123456789a" });
    expect(ask(TX_STAT)).toBe(DONE);
    expect(ask("20 0A 01 69 19 00 00 00 00 00 00 00 5B")).toBe(OK);
    expect(ask(TX_STAT)).toBe(DONE);
    expect(ask(TX_SEND)).toBe(OK);
    expect(ask(TX_STAT)).toBe(SENDING);
    await clock.advance(99);
    expect(ask(TX_STAT)).toBe(SENDING);
    expect(ask(TX_LENGTH)).toBe("01 02 1F 01 1D");
    expect(log.messages).toEqual([]);
    await clock.advance(1);
    expect(ask(TX_STAT)).toBe(DONE);
    expect(ask(TX_LENGTH)).toBe("01 02 20 00 23");
    expect(log.messages).toEqual([
      {
        module: "u0123456789a",
        type: "channels",
        datetime: "2017-04-01T04:51:10.100Z",
        payload: { channels: [{ channel: 1, type: "i", value: 25, datetime: "2017-04-01T04:51:10.000Z" }] },
      },
    ]);
  });

  it.each([
    [1, [range(0, 1)]],
    [16, [range(0, 16)]],
    [17, [range(0, 16), range(16, 17)]],
    [40, [range(0, 16), range(16, 32), range(32, 40)]],
  ])("sends %i entries, 16 to a message, in order", async (count, expected) => {
    const at = desk({ txQueue: 255 });
    enqueueInts(at, count);
    at.ask(TX_SEND);
    await at.clock.advance(100);
    expect(valuesOf(at.log.messages)).toEqual(expected);
    expect(at.ask(TX_STAT)).toBe(DONE);
    expect(at.ask(TX_LENGTH)).toBe("01 02 FF 00 FC");
  });

  it("takes what is queued at that moment: what comes later stays for the next", async () => {
    const at = desk();
    enqueueInts(at, 3);
    at.ask(TX_SEND);
    enqueueInts(at, 2, 100);
    await at.clock.advance(100);
    expect(valuesOf(at.log.messages)).toEqual([[0, 1, 2]]);
    expect(at.ask(TX_STAT)).toBe(DONE);
    expect(at.ask(TX_LENGTH)).toBe("01 02 1E 02 1F");
    at.ask(TX_SEND);
    await at.clock.advance(100);
    expect(valuesOf(at.log.messages)).toEqual([
      [0, 1, 2],
      [100, 101],
    ]);
  });

  it("does not fill its last message up with later entries", async () => {
    const uplink = new HeldUplink();
    const at = desk({ uplink });
    enqueueInts(at, 17);
    at.ask(TX_SEND);
    await at.clock.advance(100);
    enqueueInts(at, 5, 100);
    await uplink.accept();
    await uplink.accept();
    expect(valuesOf(uplink.offered)).toEqual([range(0, 16), [16]]);
    expect(at.ask(TX_LENGTH)).toBe("01 02 1B 05 1D");
  });

  it("lets entries leave the queue message by message, as the uplink takes them", async () => {
    const uplink = new HeldUplink();
    const at = desk({ uplink });
    enqueueInts(at, 20);
    at.ask(TX_SEND);
    await at.clock.advance(100);
    expect(valuesOf(uplink.offered)).toEqual([range(0, 16)]);
    expect(at.ask(TX_LENGTH)).toBe("01 02 0C 14 1B");
    expect(at.ask(TX_STAT)).toBe(SENDING);
    await uplink.accept();
    expect(valuesOf(uplink.offered)).toEqual([range(0, 16), range(16, 20)]);
    expect(at.ask(TX_LENGTH)).toBe("01 02 1C 04 1B");
    expect(at.ask(TX_STAT)).toBe(SENDING);
    await uplink.accept();
    expect(at.ask(TX_LENGTH)).toBe("01 02 20 00 23");
    expect(at.ask(TX_STAT)).toBe(DONE);
    expect(at.clock.pending).toBe(0);
  });

  it("keeps what the uplink refused, ahead of newer entries, for the next one", async () => {
    const uplink = new HeldUplink();
    const at = desk({ uplink });
    const events: ModuleEvent[] = [];
    at.module.onEvent((event) => events.push(event));
    enqueueInts(at, 20);
    at.ask(TX_SEND);
    await at.clock.advance(100);
    await uplink.accept();
    await uplink.refuse();
    expect(at.ask(TX_STAT)).toBe(FAILED);
    expect(at.ask(TX_LENGTH)).toBe("01 02 1C 04 1B");
    expect(events).toMatchObject([{ kind: "uplink-refused", type: "channels", error: { code: "REFUSED" } }]);
    expect(at.module.online).toBe(true);

    enqueueInts(at, 2, 100);
    at.ask(TX_SEND);
    expect(at.ask(TX_STAT)).toBe(SENDING);
    await at.clock.advance(100);
    await uplink.accept();
    expect(valuesOf(uplink.offered)).toEqual([range(0, 16), range(16, 20), [...range(16, 20), 100, 101]]);
    expect(at.ask(TX_STAT)).toBe(DONE);
    expect(at.ask(TX_LENGTH)).toBe("01 02 20 00 23");
  });

  it("keeps everything when the first message is refused", async () => {
    const uplink = new HeldUplink();
    const at = desk({ uplink });
    enqueueInts(at, 20);
    at.ask(TX_SEND);
    await at.clock.advance(100);
    await uplink.refuse();
    expect(uplink.offered.length).toBe(1);
    expect(at.ask(TX_STAT)).toBe(FAILED);
    expect(at.ask(TX_LENGTH)).toBe("01 02 0C 14 1B");
  });

  it("takes an uplink that throws for one that refuses", async () => {
    const at = desk({
      uplink: {
        take() {
          throw new TypeError("a fault in the uplink");
        },
      },
    });
    const errors: unknown[] = [];
    at.module.onEvent((event) => event.kind === "uplink-refused" && errors.push(event.error));
    enqueueInts(at, 1);
    at.ask(TX_SEND);
    await at.clock.advance(100);
    expect(at.ask(TX_STAT)).toBe(FAILED);
    expect(errors).toEqual([new TypeError("a fault in the uplink")]);
  });

  it("answers 01 offline, then TX_STAT 2; the entries stay and go up when it is online again", async () => {
    const at = desk({ online: false });
    enqueueInts(at, 2);
    expect(at.ask(TX_SEND)).toBe(OK);
    expect(at.ask(TX_STAT)).toBe(FAILED);
    await at.clock.advance(1000);
    expect(at.ask(TX_STAT)).toBe(FAILED);
    expect(at.ask(TX_LENGTH)).toBe("01 02 1E 02 1F");
    at.module.setOnline(true);
    at.ask(TX_SEND);
    expect(at.ask(TX_STAT)).toBe(SENDING);
    await at.clock.advance(100);
    expect(at.ask(TX_STAT)).toBe(DONE);
    expect(valuesOf(at.log.messages)).toEqual([[0, 1]]);
  });

  it("answers TX_STAT 2 offline also with nothing queued: being offline is what the MCU should hear of", () => {
    const at = desk({ online: false });
    expect(at.ask(TX_SEND)).toBe(OK);
    expect(at.ask(TX_STAT)).toBe(FAILED);
  });

  it("fails when the network goes away while it is under way", async () => {
    const at = desk();
    enqueueInts(at, 2);
    at.ask(TX_SEND);
    await at.clock.advance(50);
    at.module.setOnline(false);
    expect(at.ask(TX_STAT)).toBe(SENDING);
    await at.clock.advance(50);
    expect(at.ask(TX_STAT)).toBe(FAILED);
    expect(valuesOf(at.log.messages)).toEqual([]);
    expect(at.ask(TX_LENGTH)).toBe("01 02 1E 02 1F");
  });

  it("fails when the network goes away between two messages, and keeps the second", async () => {
    const uplink = new HeldUplink();
    const at = desk({ uplink });
    enqueueInts(at, 17);
    at.ask(TX_SEND);
    await at.clock.advance(100);
    at.module.state.network = false;
    await uplink.accept();
    expect(uplink.offered.length).toBe(1);
    expect(at.ask(TX_STAT)).toBe(FAILED);
    expect(at.ask(TX_LENGTH)).toBe("01 02 1F 01 1D");
  });

  it("sends nothing from an empty queue", async () => {
    const at = desk();
    expect(at.ask(TX_SEND)).toBe(OK);
    expect(at.ask(TX_STAT)).toBe(DONE);
    await at.clock.advance(1000);
    expect(at.log.messages).toEqual([]);
    expect(at.ask(TX_STAT)).toBe(DONE);
  });

  it("is BUSY while one is under way; the queue and an immediate send still work", async () => {
    const at = desk();
    enqueueInts(at, 1);
    at.ask(TX_SEND);
    expect(at.ask(TX_SEND)).toBe(BUSY);
    enqueueInts(at, 1, 1);
    expect(at.ask("21 0A 01 69 63 00 00 00 00 00 00 00 20")).toBe(OK);
    expect(at.ask(TX_STAT)).toBe("01 02 01 01 03");
    expect(at.ask(TX_SEND)).toBe(BUSY);
    await at.clock.advance(100);
    expect(valuesOf(at.log.messages)).toEqual([[0], [99]]);
    expect(at.ask(TX_SEND)).toBe(OK);
  });

  it("sends nothing of a queue that was cleared before the message left", async () => {
    const at = desk();
    enqueueInts(at, 3);
    at.ask(TX_SEND);
    expect(at.ask(TX_CLEAR)).toBe(OK);
    enqueueInts(at, 1, 100);
    await at.clock.advance(100);
    expect(at.log.messages).toEqual([]);
    expect(at.ask(TX_STAT)).toBe(DONE);
    expect(at.ask(TX_LENGTH)).toBe("01 02 1F 01 1D");
  });

  it("cannot take back what the uplink holds when the queue is cleared, but stops after it", async () => {
    const uplink = new HeldUplink();
    const at = desk({ uplink });
    enqueueInts(at, 20);
    at.ask(TX_SEND);
    await at.clock.advance(100);
    expect(at.ask(TX_CLEAR)).toBe(OK);
    enqueueInts(at, 2, 100);
    await uplink.accept();
    expect(valuesOf(uplink.offered)).toEqual([range(0, 16)]);
    expect(at.ask(TX_STAT)).toBe(DONE);
    expect(at.ask(TX_LENGTH)).toBe("01 02 1E 02 1F");
    at.ask(TX_SEND);
    await at.clock.advance(100);
    await uplink.accept();
    expect(valuesOf(uplink.offered)).toEqual([range(0, 16), [100, 101]]);
  });

  it("does not bring cleared entries back when the uplink refuses what it held", async () => {
    const uplink = new HeldUplink();
    const at = desk({ uplink });
    enqueueInts(at, 20);
    at.ask(TX_SEND);
    await at.clock.advance(100);
    at.ask(TX_CLEAR);
    await uplink.refuse();
    expect(at.ask(TX_STAT)).toBe(FAILED);
    expect(at.ask(TX_LENGTH)).toBe("01 02 20 00 23");
  });

  it("takes as long as it is set to", async () => {
    const at = desk({ sendTimeMs: 5000 });
    enqueueInts(at, 1);
    at.ask(TX_SEND);
    await at.clock.advance(4999);
    expect(at.ask(TX_STAT)).toBe(SENDING);
    await at.clock.advance(1);
    expect(at.ask(TX_STAT)).toBe(DONE);
  });

  it("needs no time at all with a send time of 0", async () => {
    const at = desk({ sendTimeMs: 0 });
    enqueueInts(at, 17);
    at.ask(TX_SEND);
    await settled();
    expect(valuesOf(at.log.messages)).toEqual([range(0, 16), [16]]);
    expect(at.ask(TX_STAT)).toBe(DONE);
    expect(at.clock.pending).toBe(0);
  });
});
