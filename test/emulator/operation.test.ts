/** Lock, firmware update, reset and power saving (module-protocol §2, §7). */
import { describe, expect, it } from "vitest";
import type { UpdateResult } from "../../protocol/status.ts";
import { desk, enqueueInts, valuesOf } from "../support/desk.ts";
import { HeldUplink } from "../support/held-uplink.ts";

const OK = "01 00 01";
const MISSING = "03 00 03";
const INVALID_SYNTAX = "04 00 04";
const LOCKED = "06 00 06";
const BUSY = "07 00 07";
const STATUS = "01 00 01";
const ONLINE = "01 01 80 80";
const UNLOCK = "A8 04 53 6B 72 61 87";
const UPDATE = "A9 00 A9";
const UPDATE_STATUS = "AA 00 AA";
const RESET = "AF 00 AF";

describe("UNLOCK", () => {
  it("is what UPDATE_FIRMWARE and SOFTWARE_RESET need", () => {
    const { ask } = desk();
    expect(ask(UPDATE)).toBe(LOCKED);
    expect(ask(RESET)).toBe(LOCKED);
    expect(ask(UNLOCK)).toBe(OK);
    expect(ask(RESET)).toBe(OK);
  });

  it.each([
    ["a wrong last byte", "A8 04 53 6B 72 62 84"],
    ["the key backwards", "A8 04 61 72 6B 53 87"],
    ["no key", "A8 00 A8"],
    ["three bytes", "A8 03 53 6B 72 E1"],
    ["five bytes", "A8 05 53 6B 72 61 00 86"],
  ])("with %s is INVALID_SYNTAX and unlocks nothing", (_what, frame) => {
    const { ask } = desk();
    expect(ask(frame)).toBe(INVALID_SYNTAX);
    expect(ask(RESET)).toBe(LOCKED);
  });

  it("with a wrong key does not lock again", () => {
    const { ask } = desk();
    ask(UNLOCK);
    ask("A8 04 00 00 00 00 AC");
    expect(ask(RESET)).toBe(OK);
  });

  it("holds for 10 s", async () => {
    const { ask, clock } = desk();
    ask(UNLOCK);
    await clock.advance(10_000);
    expect(ask(RESET)).toBe(LOCKED);
    ask(UNLOCK);
    await clock.advance(9_999);
    expect(ask(RESET)).toBe(OK);
  });

  it("counts its 10 s from the last one", async () => {
    const { ask, clock } = desk();
    ask(UNLOCK);
    await clock.advance(9_000);
    ask(UNLOCK);
    await clock.advance(9_000);
    expect(ask(UPDATE)).toBe(OK);
  });

  it("is not used up by other commands", () => {
    const { ask } = desk();
    ask(UNLOCK);
    ask(STATUS);
    ask("24 00 24");
    expect(ask(RESET)).toBe(OK);
  });

  it.each([
    ["SOFTWARE_RESET", RESET],
    ["UPDATE_FIRMWARE", UPDATE],
  ])("is used up by %s", (_name, frame) => {
    const { ask } = desk();
    ask(UNLOCK);
    expect(ask(frame)).toBe(OK);
    expect(ask(RESET)).toBe(LOCKED);
    expect(ask(UPDATE)).toBe(LOCKED);
  });
});

describe("SOFTWARE_RESET", () => {
  it("answers 01, empties both queues, goes offline, and is online again after 2 s", async () => {
    const at = desk({ id: "u0123456789a" });
    enqueueInts(at, 3);
    at.module.deliver({
      type: "channels",
      module: "u0123456789a",
      payload: { channels: [{ channel: 1, type: "i", value: 1 }] },
    });
    at.ask(UNLOCK);
    expect(at.ask(RESET)).toBe(OK);
    expect(at.ask("22 00 22")).toBe("01 02 20 00 23");
    expect(at.ask("32 00 32")).toBe("01 02 20 00 23");
    expect(at.ask(STATUS)).toBe("01 01 00 00");
    await at.clock.advance(1999);
    expect(at.ask(STATUS)).toBe("01 01 00 00");
    await at.clock.advance(1);
    expect(at.ask(STATUS)).toBe(ONLINE);
    expect(at.log.messages).toMatchObject([
      { type: "connection", datetime: "2017-04-01T04:51:10.000Z", payload: { is_online: false } },
      { type: "connection", datetime: "2017-04-01T04:51:12.000Z", payload: { is_online: true } },
    ]);
  });

  it("takes as long as it is set to", async () => {
    const { clock, ask, module } = desk({ bootTimeMs: 60_000 });
    module.restart();
    await clock.advance(59_999);
    expect(ask(STATUS)).toBe("01 01 00 00");
    await clock.advance(1);
    expect(ask(STATUS)).toBe(ONLINE);
  });

  it("counts the boot time from the last of several", async () => {
    const { clock, ask, module, log } = desk();
    module.restart();
    await clock.advance(1500);
    module.restart();
    await clock.advance(1999);
    expect(ask(STATUS)).toBe("01 01 00 00");
    await clock.advance(1);
    expect(ask(STATUS)).toBe(ONLINE);
    expect(log.messages.length).toBe(2);
  });

  it("does not bring a network that is not there", async () => {
    const { clock, ask, module, log } = desk({ online: false });
    module.restart();
    await clock.advance(2000);
    expect(ask(STATUS)).toBe("01 01 01 01");
    expect(log.messages).toEqual([]);
    module.setOnline(true);
    expect(ask(STATUS)).toBe(ONLINE);
  });

  it("keeps a network that comes while it boots for when it has booted", async () => {
    const { clock, ask, module } = desk({ online: false });
    module.restart();
    module.setOnline(true);
    expect(ask(STATUS)).toBe("01 01 00 00");
    await clock.advance(2000);
    expect(ask(STATUS)).toBe(ONLINE);
  });

  it("forgets a send that was under way, and what becomes of it afterwards", async () => {
    const uplink = new HeldUplink();
    const at = desk({ uplink });
    enqueueInts(at, 20);
    at.ask("24 00 24");
    at.ask("21 0A 01 69 63 00 00 00 00 00 00 00 20");
    await at.clock.advance(100);
    at.module.restart();
    expect(at.ask("25 00 25")).toBe("01 02 00 00 03");
    await at.clock.advance(2000);
    enqueueInts(at, 1, 100);
    // The first message was with the uplink already; the second was not, and is gone.
    await uplink.accept();
    await uplink.refuse();
    expect(valuesOf(uplink.offered)).toEqual([Array.from({ length: 16 }, (_, i) => i), [99]]);
    expect(at.ask("25 00 25")).toBe("01 02 00 00 03");
    expect(at.ask("22 00 22")).toBe("01 02 1F 01 1D");
  });

  it("does not take an old refusal for a new send's", async () => {
    const uplink = new HeldUplink();
    const at = desk({ uplink });
    const sendBoth = async () => {
      enqueueInts(at, 1);
      at.ask("24 00 24");
      at.ask("21 0A 01 69 63 00 00 00 00 00 00 00 20");
      await at.clock.advance(100);
    };
    await sendBoth();
    at.module.restart();
    await at.clock.advance(2000);
    await sendBoth();
    await uplink.refuse();
    await uplink.refuse();
    expect(at.ask("25 00 25")).toBe("01 02 01 01 03");
    expect(at.ask("22 00 22")).toBe("01 02 1F 01 1D");
  });

  it("forgets sends whose time had not come", async () => {
    const at = desk();
    enqueueInts(at, 1);
    at.ask("24 00 24");
    at.ask("21 0A 01 69 63 00 00 00 00 00 00 00 20");
    at.module.restart();
    await at.clock.advance(10_000);
    expect(valuesOf(at.log.messages)).toEqual([]);
    expect(at.ask("25 00 25")).toBe("01 02 00 00 03");
  });

  it("forgets a download", async () => {
    const { ask, clock, module } = desk();
    ask("40 02 01 00 43");
    module.restart();
    await clock.advance(10_000);
    expect(ask("42 00 42")).toBe("01 05 00 00 00 00 00 04");
  });

  it("with a payload is INVALID_SYNTAX, locked or not, and keeps the lock open", () => {
    const { ask } = desk();
    expect(ask("AF 01 00 AE")).toBe(INVALID_SYNTAX);
    ask(UNLOCK);
    expect(ask("AF 01 00 AE")).toBe(INVALID_SYNTAX);
    expect(ask(RESET)).toBe(OK);
  });
});

describe("UPDATE_FIRMWARE", () => {
  it("runs for its time, then is what it was set to be", async () => {
    const { ask, clock } = desk({ update: { outcome: "already-up-to-date", durationMs: 3000 } });
    expect(ask(UPDATE_STATUS)).toBe("01 01 00 00");
    ask(UNLOCK);
    expect(ask(UPDATE)).toBe(OK);
    expect(ask(UPDATE_STATUS)).toBe("01 01 80 80");
    await clock.advance(2999);
    expect(ask(UPDATE_STATUS)).toBe("01 01 80 80");
    await clock.advance(1);
    expect(ask(UPDATE_STATUS)).toBe("01 01 01 01");
    expect(ask(STATUS)).toBe(ONLINE);
  });

  it.each<[UpdateResult, string]>([
    ["already-up-to-date", "01 01 01 01"],
    ["version-check-failed", "01 01 02 02"],
    ["download-failed", "01 01 03 03"],
    ["verification-failed", "01 01 04 04"],
  ])("may end with %s, the firmware and the queues as they were", async (outcome, answer) => {
    const at = desk({ firmware: "v1.4.0", update: { outcome, version: "v1.4.4" } });
    enqueueInts(at, 1);
    at.ask(UNLOCK);
    at.ask(UPDATE);
    await at.clock.advance(5000);
    expect(at.ask(UPDATE_STATUS)).toBe(answer);
    expect(at.ask("A2 00 A2")).toBe("01 06 76 31 2E 34 2E 30 44");
    expect(at.ask("22 00 22")).toBe("01 02 1F 01 1D");
  });

  it("that succeeds has the new version, restarts and says ok", async () => {
    const at = desk({ firmware: "v1.3.0", update: { outcome: "ok", version: "v1.4.4" } });
    enqueueInts(at, 1);
    expect(at.ask("B1 00 B1")).toBe(MISSING);
    at.ask(UNLOCK);
    at.ask(UPDATE);
    await at.clock.advance(5000);
    expect(at.ask(UPDATE_STATUS)).toBe("01 01 00 00");
    expect(at.ask("A2 00 A2")).toBe("01 06 76 31 2E 34 2E 34 40");
    expect(at.ask("B1 00 B1")).toBe("01 01 00 00");
    expect(at.ask("22 00 22")).toBe("01 02 20 00 23");
    expect(at.ask(STATUS)).toBe("01 01 00 00");
    await at.clock.advance(2000);
    expect(at.ask(STATUS)).toBe(ONLINE);
  });

  it("is BUSY during another, and keeps the lock open; locked it is LOCKED first", async () => {
    const { ask, clock } = desk();
    ask(UNLOCK);
    ask(UPDATE);
    expect(ask(UPDATE)).toBe(LOCKED);
    ask(UNLOCK);
    expect(ask(UPDATE)).toBe(BUSY);
    await clock.advance(5000);
    expect(ask(UPDATE)).toBe(OK);
  });

  it("is ended by a reset", async () => {
    const { ask, clock } = desk({ update: { outcome: "download-failed" } });
    ask(UNLOCK);
    ask(UPDATE);
    ask(UNLOCK);
    expect(ask(RESET)).toBe(OK);
    await clock.advance(60_000);
    expect(ask(UPDATE_STATUS)).toBe("01 01 00 00");
  });

  it("may answer nothing at all while it runs, not even a refusal", async () => {
    const { ask, clock, module } = desk({ update: { silent: true, outcome: "ok", version: "v1.4.5" } });
    const seen: (Uint8Array | undefined)[] = [];
    ask(UNLOCK);
    expect(ask(UPDATE)).toBe(OK);
    module.onFrame((_request, answer) => seen.push(answer));
    expect(ask(UPDATE_STATUS)).toBeUndefined();
    expect(ask("A1 00 00")).toBeUndefined();
    expect(ask("20 0A 05 69 19 00 00 00 00 00 00 00 5F")).toBeUndefined();
    expect(seen).toEqual([undefined, undefined, undefined]);
    await clock.advance(4999);
    expect(ask(UPDATE_STATUS)).toBeUndefined();
    await clock.advance(1);
    expect(ask(UPDATE_STATUS)).toBe("01 01 00 00");
    expect(ask("22 00 22")).toBe("01 02 20 00 23");
  });
});

describe("power saving", () => {
  it("is off at first; what is set is read back", () => {
    const { ask } = desk();
    expect(ask("B1 00 B1")).toBe("01 01 00 00");
    expect(ask("B0 01 01 B0")).toBe(OK);
    expect(ask("B1 00 B1")).toBe("01 01 01 01");
    expect(ask("B0 01 02 B3")).toBe(OK);
    expect(ask("B1 00 B1")).toBe("01 01 02 02");
    expect(ask("B0 01 00 B1")).toBe(OK);
    expect(ask("B1 00 B1")).toBe("01 01 00 00");
  });

  it("with the radio off takes the module offline, and tells the platform", () => {
    const { ask, log } = desk();
    expect(ask("B0 01 02 B3")).toBe(OK);
    expect(ask(STATUS)).toBe("01 01 00 00");
    expect(ask("02 00 02")).toBe("01 01 00 00");
    expect(ask("B0 01 02 B3")).toBe(OK);
    expect(ask("B0 01 00 B1")).toBe(OK);
    expect(ask(STATUS)).toBe(ONLINE);
    expect(ask("02 00 02")).toBe("01 01 05 05");
    expect(log.messages).toMatchObject([{ payload: { is_online: false } }, { payload: { is_online: true } }]);
  });

  it("with the radio off sends nothing and takes nothing", () => {
    const at = desk();
    enqueueInts(at, 1);
    at.ask("B0 01 02 B3");
    expect(at.ask("24 00 24")).toBe(OK);
    expect(at.ask("25 00 25")).toBe("01 02 02 00 01");
    expect(() =>
      at.module.deliver({
        type: "channels",
        module: at.module.id,
        payload: { channels: [{ channel: 1, type: "i", value: 1 }] },
      }),
    ).toThrowError(expect.objectContaining({ code: "REFUSED", context: { reason: "offline" } }));
  });

  it("with auto sleep changes nothing that can be seen", async () => {
    const at = desk();
    at.ask("B0 01 01 B0");
    expect(at.ask(STATUS)).toBe(ONLINE);
    enqueueInts(at, 1);
    at.ask("24 00 24");
    await at.clock.advance(100);
    expect(valuesOf(at.log.messages)).toEqual([[0]]);
    expect(at.log.messages.length).toBe(1);
  });

  it("with the radio off stays offline when the network comes", () => {
    const { ask, module, log } = desk({ online: false });
    ask("B0 01 02 B3");
    module.setOnline(true);
    expect(module.online).toBe(false);
    expect(log.messages).toEqual([]);
    ask("B0 01 01 B0");
    expect(module.online).toBe(true);
  });

  it.each([
    ["mode 3", "B0 01 03 B2"],
    ["mode 255", "B0 01 FF 4E"],
    ["no mode", "B0 00 B0"],
    ["two modes", "B0 02 00 00 B2"],
    ["a payload to the reading", "B1 01 00 B0"],
  ])("refuses %s", (_what, frame) => {
    const { ask } = desk();
    expect(ask(frame)).toBe(INVALID_SYNTAX);
    expect(ask("B1 00 B1")).toBe("01 01 00 00");
  });

  it.each(["v1.4.0", "v1.4.3-180802-0000000", "1.10.0", "v2.0.0"])("is there in firmware %s", (firmware) => {
    expect(desk({ firmware }).ask("B1 00 B1")).toBe("01 01 00 00");
  });

  it.each(["v1.1.2-170223-7e6ce64", "v1.3.9", "v0.9.9", "beta"])("is MISSING in firmware %s", (firmware) => {
    const { ask } = desk({ firmware });
    expect(ask("B0 01 02 B3")).toBe(MISSING);
    expect(ask("B1 00 B1")).toBe(MISSING);
    expect(ask(STATUS)).toBe(ONLINE);
  });

  it.each([
    ["a mode that there is not", "B0 01 03 B2", MISSING],
    ["no mode", "B0 00 B0", MISSING],
    ["a payload to the reading", "B1 01 00 B0", MISSING],
    ["a wrong parity", "B0 01 02 B2", "02 00 02"],
    ["a wrong size", "B0 02 02 B0", INVALID_SYNTAX],
  ])(
    "is missing in old firmware before its fields are looked at, and after size and parity: %s",
    (_what, frame, answer) => {
      expect(desk({ firmware: "v1.3.0" }).ask(frame)).toBe(answer);
    },
  );
});
