/** The emulated module on the TWI of real AVR programs (module-protocol §4; ATmega328P datasheet §22). */
import { describe, expect, it } from "vitest";
import { runFirmware } from "../../../emulator/avr/index.ts";
import { failsWith } from "../../support/errors.ts";
import { runCase } from "../../support/firmware.ts";

const noteTexts = (fw: { readonly notes: readonly { readonly kind: string; readonly text: string }[] }) =>
  fw.notes.map(({ kind, text }) => `${kind}: ${text}`);

describe("a program that uses it rightly", () => {
  it("sends its value up, in simulated time, the same on every run", async () => {
    const runs = [];
    for (let run = 0; run < 2; run++) {
      await using fw = await runCase("twi-send");
      const first = await fw.nextMessage();
      const second = await fw.nextMessage();
      runs.push({ first, second, time: fw.time, serial: fw.serial });
      expect(fw.notes).toEqual([]);
    }
    const [one, other] = runs;
    expect(one).toEqual(other);
    // Power-on is at 04:51:10.000. 13 bytes and the address at 100 kHz are 1.3 ms, then 10 ms, then the send's 100 ms.
    expect(one?.first).toEqual({
      module: "u0123456789ab",
      type: "channels",
      datetime: "2017-04-01T04:51:10.112Z",
      payload: { channels: [{ channel: 1, type: "i", value: 25, datetime: "2017-04-01T04:51:10.001Z" }] },
    });
    expect(one?.second.datetime).toBe("2017-04-01T04:51:11.135Z");
    // TX_ENQUEUE and TX_SEND answered NONE.
    expect(one?.serial).toBe("010001\n010001\n010001\n010001\n");
  });

  it("may be driven by interrupts: one for each step, none after STOP", async () => {
    await using fw = await runCase("irq-twi");
    expect(await fw.nextMessage()).toMatchObject({ payload: { channels: [{ channel: 1, type: "i", value: 25 }] } });
    // Written: START, address, 13 bytes = 15; read: START, address, 3 bytes = 5.
    await fw.nextSerial("010001 interrupts 14 idle 00\n");
  });

  it("finds the module's state as it is at that time, however quickly it asks", async () => {
    // TX_STAT 0 0: sent. TX_STAT 1 0: the send takes its 100 ms.
    for (const [sendTimeMs, answer] of [
      [0, "0102000003\n"],
      [100, "0102010002\n"],
    ] as const) {
      await using fw = await runCase("twi-stat", { module: { sendTimeMs } });
      await fw.nextSerial(answer);
    }
  });

  it("takes the time of nine bits a byte at the speed that is set", async () => {
    await using fw = await runCase("twi-timing");
    const [, cycles, status, stop] = await fw.nextSerial(/^([0-9A-F]{4}) (..) (..)\n/);
    // 9 bits of 160 cycles are 1440 (0x05A0); polling adds a few.
    expect(Number.parseInt(cycles ?? "", 16)).toBeGreaterThanOrEqual(1440);
    expect(Number.parseInt(cycles ?? "", 16)).toBeLessThan(1460);
    // STOP-and-START ends in START's own status, its STOP done.
    expect([status, stop]).toEqual(["08", "00"]);
  });

  it("finds the TWI's flags as the datasheet has them", async () => {
    await using fw = await runCase("twi-registers");
    // 00 after reset; 84 TWINT kept by a zero; 0C TWWC and TWEN; 18 address acknowledged; still 0C after STOP: no TWINT,
    // and TWWC until TWDR is written in time.
    await fw.nextSerial("00 84 0C 18 0C\n");
  });

  it("gets its answers late when the module is not ready at once", async () => {
    await using fw = await runCase("twi-send", { readyAfterMs: 20 });
    await fw.nextSerial("000000\n");
    expect(noteTexts(fw)).toEqual([expect.stringContaining("too-early: the firmware read the answer before it was")]);
  });

  it("meets the module's faults, the same with the same seed", async () => {
    const serials = [];
    for (let run = 0; run < 2; run++) {
      await using fw = await runCase("twi-send", { faults: "busy=0.5,seed=3" });
      await fw.run(2.5);
      serials.push(fw.serial);
    }
    expect(serials[0]).toBe(serials[1]);
    // BUSY is 07 00 07.
    expect(serials[0]).toContain("070007\n");
    expect(serials[0]).toContain("010001\n");
  });
});

describe("a program that uses it wrongly", () => {
  it("is told which addresses it asks for, once each, and is not acknowledged by anybody", async () => {
    await using fw = await runCase("wrong-address");
    const error = await failsWith("TIMEOUT", fw.nextMessage({ timeout: 1 }));
    // Address NACK 0x20, data NACK 0x30, and on to the end.
    expect(fw.serial.startsWith("20303030\n20303030\n")).toBe(true);
    expect(noteTexts(fw)).toEqual([
      "other-address: the firmware asks for the I2C address 0x50; the module is at 0x4F",
      "other-address: the firmware asks for the I2C address 0x51; the module is at 0x4F",
    ]);
    expect(error.message).toMatch(
      /^no message came in 1 simulated seconds: it asked the module nothing; its TWI sent \d+ STARTs, it asks for the address 0x50, 0x51; its serial output ends with "/,
    );
  });

  it("is told that it reads before it writes", async () => {
    await using fw = await runCase("reads-first");
    await fw.nextSerial("000000\n");
    await fw.run(1);
    expect(noteTexts(fw)).toEqual(["nothing-asked: the firmware reads before it has written a request; it gets 0x00"]);
  });

  it.each([
    ["clock-stuck", /the clock is stuck: TWINT is set, and for 1\.0 s the firmware has not cleared it/],
    ["scl-low", /it holds SCL \(A5\) low as a GPIO output, with the TWI off/],
    ["never-twint", /its TWI sent no START, and the TWI is off \(TWEN is 0\)/],
    ["read-after-nack", /it cleared TWINT after a NACKed read with neither START nor STOP/],
    ["silent", /it asked the module nothing; its TWI sent no START.*; it wrote no serial output$/],
  ])("%s ends in time, with one line that says why", async (name, says) => {
    await using fw = await runCase(name);
    const error = await failsWith("TIMEOUT", fw.nextMessage({ timeout: 1 }));
    expect(error.message).toMatch(says);
    expect(error.message).not.toContain("\n");
    expect(fw.time).toBeCloseTo(1, 3);
  });

  it("is told after five seconds that it never talks", async () => {
    await using fw = await runCase("silent");
    await fw.run(4.9);
    expect(fw.notes).toEqual([]);
    await fw.run(0.2);
    expect(noteTexts(fw)).toEqual([
      "silent: after 5 simulated seconds: it asked the module nothing; its TWI sent no START, and the TWI is off (TWEN is 0); it wrote no serial output",
    ]);
  });
});

describe("runFirmware", () => {
  it.each([
    ["spi-send", "i2c", /its SPI clocked \d+ bytes: is the module on SPI\?/],
    ["twi-send", "spi", /its TWI sent \d+ STARTs: is the module on I2C\?/],
  ] as const)("says that %s does not go with %s", async (name, bus, says) => {
    await using fw = await runCase(name, { bus });
    const { message } = await failsWith("TIMEOUT", fw.nextMessage({ timeout: 3 }));
    expect(message).toMatch(says);
  });

  it("refuses a timeout that is none", async () => {
    await using fw = await runCase("silent");
    await failsWith("INVALID_ARGUMENT", fw.nextMessage({ timeout: Number.NaN }));
    await failsWith("INVALID_ARGUMENT", fw.nextMessage({ timeout: -1 }));
  });

  it("refuses options that a compiler would have refused", async () => {
    const hex = ":00000001FF";
    const untyped = (...parameters: unknown[]): Promise<unknown> => Reflect.apply(runFirmware, undefined, parameters);
    const { message } = await failsWith("INVALID_ARGUMENT", untyped(hex, { bus: "can" }));
    expect(message).toContain("bus of runFirmware");
    await failsWith("INVALID_ARGUMENT", untyped(hex));
  });
});
