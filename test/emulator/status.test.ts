/** What the module says of itself, and what it tells the platform of its own accord (module-protocol §2, §7). */
import { describe, expect, it } from "vitest";
import type { ModuleEvent } from "../../emulator/behaviour.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import type { EmulatedModuleOptions } from "../../emulator/state.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { ask, desk, framed, START } from "../support/desk.ts";
import { settled } from "../support/held-uplink.ts";

const STATUS = "01 00 01";
const SIGNAL = "02 00 02";
const DATETIME = "03 00 03";
const ONLINE = "01 01 80 80";

describe("identity", () => {
  it("is an SCM-LTE-01 with firmware 1.4.4 unless asked otherwise, online at full signal", () => {
    const { ask, module } = desk();
    expect(ask("A0 00 A0")).toBe("01 02 02 00 01");
    expect(ask("A1 00 A1")).toBe("01 0A 31 36 42 30 31 30 30 32 36 30 7B");
    expect(ask("A2 00 A2")).toMatch(/^01 15 76 31 2E 34 2E 34 2D /);
    expect(ask(STATUS)).toBe(ONLINE);
    expect(ask(SIGNAL)).toBe("01 01 05 05");
    expect(module.id).toMatch(/^u[0-9a-z]+$/);
  });

  it("answers the unique id of the published example: 16B0100260", () => {
    expect(desk({ uniqueId: "16B0100260", id: "uaaaaaaaaaaa" }).ask("A1 00 A1")).toBe(
      "01 0A 31 36 42 30 31 30 30 32 36 30 7B",
    );
  });

  it("keeps the platform's id and the printed one apart", () => {
    const named = desk({ id: "u0123456789a" });
    expect(named.module.id).toBe("u0123456789a");
    expect(named.ask("A1 00 A1")).toBe("01 0A 31 36 42 30 31 30 30 32 36 30 7B");
    const printed = desk({ uniqueId: "17ZZ999999" });
    expect(printed.module.id).toBe(desk().module.id);
    expect(printed.ask("A1 00 A1")).toBe("01 0A 31 37 5A 5A 39 39 39 39 39 39 0D");
  });

  it.each([
    [1, "01 02 01 00 02"],
    [3, "01 02 03 00 00"],
    [65535, "01 02 FF FF 03"],
  ])("answers product %i", (product, answer) => {
    expect(desk({ product }).ask("A0 00 A0")).toBe(answer);
  });

  it("answers the firmware version it is given, up to 32 characters", () => {
    expect(desk({ firmware: "v1.1.2-170223-7e6ce64" }).ask("A2 00 A2")).toBe(
      "01 15 76 31 2E 31 2E 32 2D 31 37 30 32 32 33 2D 37 65 36 63 65 36 34 35",
    );
    expect(desk({ firmware: "x".repeat(32) }).ask("A2 00 A2")).toBe(`01 20 ${"78 ".repeat(32)}21`);
  });

  const bad: [string, EmulatedModuleOptions][] = [
    ["an empty id", { id: "" }],
    ["an id that would split a topic", { id: "u0/1" }],
    ["an id that is a wildcard", { id: "#" }],
    ["a unique id of 9 characters", { uniqueId: "16B010026" }],
    ["a unique id of 11 characters", { uniqueId: "16B01002600" }],
    ["a unique id outside ASCII", { uniqueId: "16B010026é" }],
    ["no firmware version", { firmware: "" }],
    ["a firmware version of 33 characters", { firmware: "v".repeat(33) }],
    ["no TX queue", { txQueue: 0 }],
    ["a TX queue of 256", { txQueue: 256 }],
    ["a TX queue of 1.5", { txQueue: 1.5 }],
    ["no RX queue", { rxQueue: 0 }],
    ["an RX queue of 256", { rxQueue: 256 }],
    ["signal 6", { signal: 6 }],
    ["signal −1", { signal: -1 }],
    ["product 65536", { product: 65536 }],
    ["a send time below 0", { sendTimeMs: -1 }],
    ["a boot time that is no number", { bootTimeMs: Number.NaN }],
    ["a file delay without end", { fileDelayMs: Number.POSITIVE_INFINITY }],
  ];
  it.each(bad)("refuses %s", (_what, options) => {
    expect(() => new EmulatedModule(options)).toThrowError(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });
});

describe("ECHO_BACK", () => {
  it.each([
    ["nothing", "0F 00 0F", "01 00 01"],
    ["a zero", "0F 01 00 0E", "01 01 00 00"],
    ["bytes", "0F 04 DE AD BE EF 29", "01 04 DE AD BE EF 27"],
    ["255 bytes", `0F FF ${"5A ".repeat(255)}AA`, `01 FF ${"5A ".repeat(255)}A4`],
  ])("answers with %s", (_what, request, answer) => {
    expect(desk().ask(request)).toBe(answer);
  });
});

describe("GET_DATETIME", () => {
  it("is the module's clock, Unix time in ms", async () => {
    const { ask, clock } = desk();
    expect(ask(DATETIME)).toBe("01 08 30 4E DA 27 5B 01 00 00 D0");
    await clock.advance(1234);
    expect(ask(DATETIME)).toBe("01 08 02 53 DA 27 5B 01 00 00 FF");
  });

  it("has whole milliseconds also where the clock has more", () => {
    const module = new EmulatedModule({ clock: { now: () => START + 0.999, after: () => () => undefined } });
    expect(ask(module, DATETIME)).toBe("01 08 30 4E DA 27 5B 01 00 00 D0");
  });
});

describe("READ_ADC", () => {
  it("answers each pin's own setting, 0 where none was set", () => {
    const { ask, module } = desk();
    expect(ask("10 01 00 11")).toBe("01 02 00 00 03");
    module.state.adc.set(0, 1023);
    module.state.adc.set(255, 65535);
    expect(ask("10 01 00 11")).toBe("01 02 FF 03 FF");
    expect(ask("10 01 01 10")).toBe("01 02 00 00 03");
    expect(ask("10 01 FF EE")).toBe("01 02 FF FF 03");
  });

  it.each([
    ["no pin", "10 00 10"],
    ["two pins", "10 02 00 01 13"],
  ])("refuses %s", (_what, frame) => {
    expect(desk().ask(frame)).toBe("04 00 04");
  });
});

describe("connection and signal", () => {
  it.each([
    ["out-of-service-area", "01 01 01 01"],
    ["connection-error", "01 01 02 02"],
    ["unexpected-disconnect", "01 01 03 03"],
    ["none", "01 01 00 00"],
  ] as const)("says why it is offline: %s", (reason, answer) => {
    const { ask, module } = desk();
    module.setOnline(false, reason);
    expect(ask(STATUS)).toBe(answer);
    module.setOnline(true);
    expect(ask(STATUS)).toBe(ONLINE);
  });

  it("is out of service when it starts offline", () => {
    expect(desk({ online: false }).ask(STATUS)).toBe("01 01 01 01");
  });

  it.each([
    [0, "01 01 00 00"],
    [1, "01 01 01 01"],
    [5, "01 01 05 05"],
  ])("has the signal it is set to: %i", (signal, answer) => {
    const { ask, module } = desk({ signal });
    expect(ask(SIGNAL)).toBe(answer);
    module.setSignal(3);
    expect(ask(SIGNAL)).toBe("01 01 03 03");
  });

  it.each([-1, 6, 2.5, Number.NaN])("has no signal %d", (signal) => {
    const { ask, module } = desk();
    expect(() => module.setSignal(signal)).toThrowError(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    expect(ask(SIGNAL)).toBe("01 01 05 05");
  });
});

describe("of its own accord", () => {
  it("the module sends a connection message on each change, and none without one", async () => {
    const { clock, log, module } = desk({ id: "u0123456789a" });
    const events: ModuleEvent[] = [];
    module.onEvent((event) => events.push(event));
    module.setOnline(true);
    expect(log.messages).toEqual([]);
    module.setOnline(false);
    module.setOnline(false, "connection-error");
    await clock.advance(5000);
    module.setOnline(true);
    expect(log.messages).toEqual([
      {
        module: "u0123456789a",
        type: "connection",
        datetime: "2017-04-01T04:51:10.000Z",
        payload: { is_online: false },
      },
      {
        module: "u0123456789a",
        type: "connection",
        datetime: "2017-04-01T04:51:15.000Z",
        payload: { is_online: true },
      },
    ]);
    expect(events).toEqual([
      { kind: "online", online: false },
      { kind: "online", online: true },
    ]);
  });

  it("it sends where it is when it is told to, or that it does not know", () => {
    const { log, module } = desk({ id: "u0123456789a" });
    module.sendLocation({ latitude: 35.681, longitude: 139.767, range_m: 50 });
    module.sendLocation(null);
    expect(log.messages).toEqual([
      {
        module: "u0123456789a",
        type: "location",
        datetime: "2017-04-01T04:51:10.000Z",
        payload: { coordinate: { latitude: 35.681, longitude: 139.767, range_m: 50 } },
      },
      {
        module: "u0123456789a",
        type: "location",
        datetime: "2017-04-01T04:51:10.000Z",
        payload: { coordinate: null },
      },
    ]);
  });

  it("it reports such a message when the uplink refuses it, and goes on", async () => {
    const refusal = new SakuraError("REFUSED", "the outbox is full");
    const { ask, module } = desk({ uplink: { take: () => Promise.reject(refusal) } });
    const events: ModuleEvent[] = [];
    const stop = module.onEvent((event) => events.push(event));
    module.setOnline(false);
    module.sendLocation(null);
    await settled();
    expect(events).toEqual([
      { kind: "online", online: false },
      { kind: "uplink-refused", type: "connection", error: refusal },
      { kind: "uplink-refused", type: "location", error: refusal },
    ]);
    expect(ask(STATUS)).toBe("01 01 01 01");
    stop();
    module.setOnline(true);
    await settled();
    expect(events.length).toBe(3);
  });

  it("it reports that also of an uplink that throws", async () => {
    const fault = new TypeError("a fault in the uplink");
    const { module } = desk({
      uplink: {
        take() {
          throw fault;
        },
      },
    });
    const events: ModuleEvent[] = [];
    module.onEvent((event) => events.push(event));
    module.setOnline(false);
    await settled();
    expect(events).toEqual([
      { kind: "online", online: false },
      { kind: "uplink-refused", type: "connection", error: fault },
    ]);
  });
});

describe("frames", () => {
  it("are shown to whoever listens, the refused ones too, until the listener is removed", () => {
    const { ask, module } = desk();
    const seen: [string, string | undefined][] = [];
    const text = (frame: Uint8Array) => Buffer.from(frame).toString("hex");
    const stop = module.onFrame((request, answer) => seen.push([text(request), answer && text(answer)]));
    ask("A1 00 A1");
    ask("A1 00 A0");
    stop();
    ask(framed(0x24));
    expect(seen).toEqual([
      ["a100a1", "010a313642303130303236307b"],
      ["a100a0", "020002"],
    ]);
  });
});
