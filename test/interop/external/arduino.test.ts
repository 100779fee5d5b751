/**
 * Sketches for the Uno, built with Debian's Arduino core, Wire and SPI (arduino-core-avr) and gcc-avr, run as they are:
 * code that nobody here wrote moves the TWI by interrupts, the SPI, the USART, the timers and the pins.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runFirmware } from "../../../emulator/avr/index.ts";
import { buildSketch } from "../../support/arduino.ts";
import { START } from "../../support/desk.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "sakuraio-arduino-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe("with Wire", () => {
  it("sends millis() up, reads what came down, and says what it sees", { timeout: 120_000 }, async () => {
    await using fw = await runFirmware(buildSketch("wire", dir), { bus: "i2c", startTime: START });
    const levels: string[] = [];
    fw.pins.watch("D13", (level) => levels.push(level));
    fw.send({ channel: 9, type: "i", value: 42 });

    const first = await fw.nextMessage();
    expect(first).toEqual({
      module: "u0123456789ab",
      type: "channels",
      datetime: "2017-04-01T04:51:10.126Z",
      payload: { channels: [{ channel: 1, type: "I", value: 13, datetime: "2017-04-01T04:51:10.015Z" }] },
    });
    const second = await fw.nextMessage();
    // delay(1000), three times delay(10), and the bytes at 100 kHz.
    expect(second).toMatchObject({ payload: { channels: [{ channel: 1, type: "I", value: 1050 }] } });
    await fw.nextSerial(/( 0){10}\r\n/);

    const lines = fw.serial.split("\r\n");
    expect(lines.slice(0, 4)).toEqual([
      // endTransmission() where nobody is: "address not acknowledged".
      "2",
      // GET_UNIQUE_ID: 16B0100260, parity 7B.
      "0 1 A 31 36 42 30 31 30 30 32 36 30 7B",
      // TX_ENQUEUE and TX_SEND answered NONE.
      "0 1 0 1",
      "0 1 0 1",
    ]);
    // RX_DEQUEUE: 18 bytes, channel 9, i, 42, and then an offset that is not positive.
    expect(lines[4]).toMatch(/^0 1 12 9 69 2A 0 0 0 0 0 0 0( [0-9A-F]+){9}$/);
    // And once it is empty RUNTIME, padded with the zeros that Wire read on.
    expect(lines[7]).toBe(`0 5 0 5${" 0".repeat(18)}`);
    expect(levels.slice(0, 4)).toEqual(["low", "high", "low", "high"]);
    expect(fw.notes.map(({ text }) => text)).toEqual([
      "the firmware asks for the I2C address 0x50; the module is at 0x4F",
    ]);
  });
});

describe("with SPI", () => {
  it("sends and reads, at the speed that SPISettings come to", { timeout: 120_000 }, async () => {
    await using fw = await runFirmware(buildSketch("spi", dir), { bus: "spi", startTime: START });
    expect(await fw.nextMessage()).toMatchObject({ payload: { channels: [{ channel: 2, type: "i", value: 7 }] } });
    await fw.nextSerial("1 0 1 \r\n1 1 5 5 \r\n");
    // 350 kHz becomes 250: there is nothing to warn of.
    expect(fw.notes).toEqual([]);
  });
});

describe("with Serial", () => {
  it("talks to the module in AT lines, and reads its answers with String", { timeout: 120_000 }, async () => {
    await using fw = await runFirmware(buildSketch("at", dir), { bus: "uart", startTime: START });
    expect(await fw.nextMessage()).toMatchObject({ payload: { channels: [{ channel: 3, type: "i", value: 9 }] } });
    expect(fw.pins.level("D13")).toBe("high");
    expect(fw.notes).toEqual([]);
  });
});
