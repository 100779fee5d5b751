/** The simulated Uno itself: time, pins, sleep, and programs that run away. */
import { describe, expect, it } from "vitest";
import { failsWith } from "../../support/errors.ts";
import { runCase } from "../../support/firmware.ts";

describe("time", () => {
  it("is what the cycles cost, and stands still while nobody waits", async () => {
    await using fw = await runCase("blink");
    await fw.nextSerial("off\n");
    // 250 ms of busy waiting, and a few bytes.
    expect(fw.time).toBeGreaterThan(0.25);
    expect(fw.time).toBeLessThan(0.252);
    const { time } = fw;
    await new Promise((resolve) => setImmediate(resolve));
    expect(fw.time).toBe(time);
    await fw.run(0.5);
    expect(fw.time).toBeCloseTo(time + 0.5, 5);
  });

  it("passes in sleep, which an interrupt ends and nothing else", async () => {
    await using fw = await runCase("sleeper");
    // Ten interrupts, ten times awake.
    await fw.nextSerial("0A\n");
    expect(fw.time).toBeGreaterThan(1);
    expect(fw.time).toBeLessThan(1.002);
  });

  it("is kept to the wall's where it is asked for", async () => {
    await using fw = await runCase("blink", { realTime: true });
    const start = performance.now();
    await fw.run(0.2);
    expect(performance.now() - start).toBeGreaterThan(180);
  });
});

describe("pins", () => {
  it("can be watched and looked at, by either name", async () => {
    await using fw = await runCase("blink");
    const seen: [string, number][] = [];
    expect(fw.pins.level("D13")).toBe("floating");
    const stop = fw.pins.watch("PB5", (level, time) => seen.push([level, Math.round(time * 100) / 100]));
    await fw.run(1.1);
    expect(seen).toEqual([
      ["low", 0],
      ["high", 0],
      ["low", 0.25],
      ["high", 1],
    ]);
    expect(fw.pins.level("13")).toBe("high");
    stop();
    await fw.run(0.3);
    expect(seen).toHaveLength(4);
    expect(fw.pins.level("d13")).toBe("low");
  });

  it("read high with their pull-up on; a timer's flag that is not cleared stays", async () => {
    await using fw = await runCase("pins");
    // 04: D2 high, D3 low. 06: OCF0A and OCF0B, TOV0 cleared.
    await fw.nextSerial("04 06\n");
  });

  it.each(["D14", "A6", "PE0", "LED", ""])("are not called %j", async (name) => {
    await using fw = await runCase("blink");
    expect(() => fw.pins.level(name)).toThrow("a pin is D0 to D13, A0 to A5, or PB0 to PD7");
  });
});

describe("a program that cannot run on", () => {
  it.each([
    [
      "runaway",
      "erased-flash",
      /^the firmware ran away: it ran into erased flash at 0x4000 \(after 0\.00\d+ simulated/,
    ],
    [
      "stack-overflow",
      "stack",
      /^the firmware ran away: its stack pointer left SRAM, which is 0x0100 to 0x08FF: an overflow/,
    ],
    ["broken-return", "lost", /^the firmware ran away: the program counter left the flash/],
    ["no-handler", "restarts", /^the firmware ran away: it came back to address 0 for the 11th time without a reset/],
    ["watchdog", "watchdog", /^the watchdog reset the firmware; .* \(after 0\.01\d+ simulated seconds\)$/],
  ])("%s is stopped in time, with one line", async (name, kind, says) => {
    await using fw = await runCase(name);
    const error = await failsWith("FIRMWARE_FAILED", fw.nextMessage());
    expect(error.message).toMatch(says);
    expect(error.context["kind"]).toBe(kind);
    // And stays so.
    await failsWith("FIRMWARE_FAILED", fw.run(1));
    expect(fw.time).toBeLessThan(0.05);
    if (name === "runaway") expect(fw.serial).toBe("bye\n");
  });

  it("may come back to address 0 as often as it is let", async () => {
    await using fw = await runCase("no-handler", { maxRestarts: 1_000_000 });
    await fw.run(0.01);
    expect(fw.notes.map(({ kind }) => kind)).toEqual(["restart"]);
  });
});

describe("waits", () => {
  it("run together, and end with what each waits for", async () => {
    await using fw = await runCase("twi-send");
    const [message, serial] = await Promise.all([fw.nextMessage(), fw.nextSerial(/010001\n/)]);
    expect(message.type).toBe("channels");
    expect(serial.index).toBe(0);
    await fw.nextSerial("010001\n");
  });

  it("are rejected with CLOSED by close(), those that come later too", async () => {
    const fw = await runCase("silent");
    const waiting = failsWith("CLOSED", fw.nextMessage());
    await fw.close();
    await waiting;
    await failsWith("CLOSED", fw.run(1));
  });

  it("are rejected with ABORTED by the signal", async () => {
    const abort = new AbortController();
    await using fw = await runCase("silent", { signal: abort.signal });
    const waiting = failsWith("ABORTED", fw.nextMessage());
    setImmediate(() => abort.abort());
    await waiting;
    await failsWith("ABORTED", fw.run(1));
  });

  it("end with the failure of a listener, not in silence", async () => {
    await using fw = await runCase("blink");
    fw.pins.watch("D13", () => {
      throw new Error("a listener's own");
    });
    await expect(fw.run(1)).rejects.toThrow("a listener's own");
  });
});

it("brings values down to the module for the firmware to read", async () => {
  await using fw = await runCase("twi-send");
  fw.send({ channel: 3, type: "i", value: 7 });
  expect(fw.module.state.rxQueue).toHaveLength(1);
  fw.module.setOnline(false);
  expect(() => fw.send({ channel: 3, type: "i", value: 7 })).toThrow("offline");
});
