/** What the example firmwares do, to the byte: asked of the .hex files that are checked in, and of ones built anew. */
import { expect } from "vitest";
import { runFirmware } from "../../emulator/avr/index.ts";
import { START } from "../support/desk.ts";
import { failsWith } from "../support/errors.ts";

export type ExampleBus = "i2c" | "spi";

/** The LED is D8 on SPI, whose clock is D13. */
const LED = { i2c: "D13", spi: "D8" };

/** Four values each round, the last one half a second old, and what came down goes up again on the next channel. */
export async function measuresAndAnswers(hex: string, bus: ExampleBus): Promise<void> {
  await using fw = await runFirmware(hex, { bus, startTime: START });
  const levels: string[] = [];
  fw.send({ channel: 10, type: "i", value: 42 }, { channel: 127, type: "d", value: 0.1 });
  const first = await fw.nextMessage();
  fw.pins.watch(LED[bus], (level) => levels.push(level));
  expect(first).toMatchObject({
    type: "channels",
    payload: {
      channels: [
        { channel: 0, type: "i", value: 1 },
        { channel: 1, type: "f", value: 0.125 },
        { channel: 2, type: "l", value: -10_000_000_000n },
        { channel: 3, type: "d", value: -0.25, datetime: expect.stringMatching("2017-04-01T04:51:09.5") },
      ],
    },
  });
  expect(await fw.nextMessage()).toMatchObject({
    payload: {
      channels: [
        { channel: 11, type: "i", value: 42 },
        { channel: 0, type: "d", value: 0.1 },
      ],
    },
  });
  expect(levels).toEqual(["high", "low"]);
  expect(await fw.nextMessage()).toMatchObject({
    payload: {
      channels: [
        { channel: 0, type: "i", value: 2 },
        { channel: 1, type: "f", value: 0.25 },
        { channel: 2, type: "l", value: -20_000_000_000n },
        { channel: 3, type: "d", value: -0.5 },
      ],
    },
  });
  await fw.run(0.1);
  expect(fw.serial.split("\r\n")).toEqual([
    `hello ${bus}`,
    "id 16B0100260",
    "online",
    "sent",
    "received 10 i 2A00000000000000",
    // 0.1 as a float64, little-endian
    "received 127 d 9A9999999999B93F",
    "sent",
    "sent",
    "",
  ]);
  expect(fw.notes).toEqual([]);
}

/** Waits until it is online, keeps what it could not send, and says so. */
export async function outlivesBeingOffline(hex: string, bus: ExampleBus): Promise<void> {
  await using fw = await runFirmware(hex, { bus, startTime: START, module: { online: false } });
  await fw.run(1);
  expect(fw.serial).toBe(`hello ${bus}\r\nid 16B0100260\r\n`);
  fw.module.setOnline(true);
  await fw.nextSerial("sent\r\n");
  fw.module.setOnline(false);
  await fw.nextSerial("not sent\r\n");
  fw.module.setOnline(true);
  await fw.nextSerial(/^sent\r\n/m);
  const values = fw.messages.flatMap((message) =>
    message.type === "channels"
      ? message.payload.channels.flatMap(({ channel, value }) => (channel === 0 ? [value] : []))
      : [],
  );
  // None is missing and none came twice.
  expect(values.length).toBeGreaterThan(2);
  expect(values).toEqual(values.map((_, i) => i + 1));
}

/** A bad line and a busy module are outlived, and told; the values that arrive are whole. */
export async function outlivesABadLine(hex: string, bus: ExampleBus): Promise<void> {
  await using fw = await runFirmware(hex, { bus, startTime: START, faults: "flip=0.01,busy=0.1,seed=3" });
  await fw.run(3);
  expect(fw.serial).toMatch(/^[a-z0-9 ]+: (-[1-5]|[2-7])\r\n/m);
  const values = fw.messages.flatMap((message) =>
    message.type === "channels"
      ? message.payload.channels.flatMap(({ channel, value }) => (channel === 0 ? [value] : []))
      : [],
  );
  expect(values.length).toBeGreaterThan(3);
  // In order; a value whose enqueueing was refused for good may be missing.
  expect(values.every((value, i) => i === 0 || Number(value) > Number(values[i - 1]))).toBe(true);
}

/** The module is not there: it goes on asking, and no wait is without an end. */
export async function outlivesNobody(hex: string, bus: ExampleBus): Promise<void> {
  await using fw = await runFirmware(hex, { bus, startTime: START, faults: "drop=1" });
  await failsWith("TIMEOUT", fw.nextMessage({ timeout: 1 }));
  expect(fw.serial).toMatch(new RegExp(`^hello ${bus}\r\n(id: -[14]\r\n){5,}`));
}
