/**
 * What a module does, whatever bus it is on: the same cases over UART, I2C and SPI, and against a real module where
 * `SAKURAIO_PORT` names one (docs/hardware.md). What an emulated module alone can be made to do is at the end.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { SakuraModule } from "../../host/module.ts";
import type { RequestOf } from "../../protocol/commands.ts";
import { failsWith } from "../support/errors.ts";
import { asciiBytes } from "../vectors/bytes.ts";
import { type Bench, type Effect, FILE, ways } from "./ways.ts";

const DAY_MS = 86_400_000;

describe.each(ways)("over $name", ({ kind, allowed, open }) => {
  let bench: Bench;
  let module: SakuraModule;

  // Opened once: a real module's port takes its time, and what one case leaves behind must not hinder the next.
  beforeAll(async () => {
    bench = await open();
    ({ module } = bench);
  });
  afterAll(() => bench?.close());
  beforeEach(async () => {
    await module.txClear();
    await module.rxClear();
  });

  /** A case that has an effect is left out where it may not. */
  const itMay = (effect: Effect) => it.skipIf(!allowed.has(effect));

  it("says what it is", async () => {
    expect(await module.getUniqueId()).toMatch(/^[\x20-\x7e]{10}$/);
    expect([1, 2, 3]).toContain(await module.getProductId());
    expect(await module.getFirmwareVersion()).toMatch(/^v?\d+\.\d+\.\d+/);
  });

  it("says how it is", async () => {
    expect(typeof (await module.getConnectionStatus()).online).toBe("boolean");
    expect([0, 1, 2, 3, 4, 5]).toContain(await module.getSignalQuality());
    const apart = Date.now() - Number(await module.getDatetime());
    expect(Math.abs(apart)).toBeLessThan(DAY_MS);
  });

  it.each([0, 1, 2, 28, 29, 30, 31, 32, 33, 64, 127, 254, 255])("echoes %i bytes", async (length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 0xff);
    expect(await module.echoBack(bytes)).toEqual(bytes);
  });

  it("echoes bytes that look like its own frames, or like nothing", async () => {
    for (const byte of [0x00, 0x01, 0x0d, 0x0a, 0x4f, 0x9e, 0xff]) {
      const bytes = new Uint8Array(40).fill(byte);
      expect(await module.echoBack(bytes)).toEqual(bytes);
    }
  });

  it("answers commands in the order in which they were given", async () => {
    const asked = Array.from({ length: 12 }, (_, i) => Uint8Array.of(i, i * 3, 255 - i));
    expect(await Promise.all(asked.map((bytes) => module.echoBack(bytes)))).toEqual(asked);
  });

  const values: RequestOf<"TX_ENQUEUE">[] = [
    { channel: 0, type: "i", value: -2147483648 },
    { channel: 1, type: "I", value: 4294967295 },
    { channel: 2, type: "l", value: -9223372036854775808n },
    { channel: 3, type: "L", value: 18446744073709551615n },
    { channel: 4, type: "f", value: 0.001 },
    { channel: 5, type: "d", value: -1.5e300 },
    { channel: 127, type: "b", value: Uint8Array.of(0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5c, 0x6b, 0x7a) },
    { channel: 6, type: "i", value: 1, offset: -4321n },
  ];

  it("queues every type, counts them, and forgets them when it is told to", async () => {
    const before = await module.txLength();
    expect(before.queued).toBe(0);
    for (const value of values) await module.txEnqueue(value);
    expect(await module.txLength()).toEqual({ available: before.available - values.length, queued: values.length });
    await module.txClear();
    expect(await module.txLength()).toEqual(before);
  });

  it("refuses a value for which there is no place", async () => {
    const { available } = await module.txLength();
    for (let i = 0; i < available; i++) await module.txEnqueue({ channel: 0, type: "i", value: i });
    const { context } = await failsWith("MODULE_REFUSED", module.txEnqueue({ channel: 0, type: "i", value: 0 }));
    expect(context).toMatchObject({ status: "RUNTIME" });
    expect(await module.txLength()).toEqual({ available: 0, queued: available });
    await module.txClear();
  });

  it("has nothing to give from an empty queue, and goes on", async () => {
    expect((await module.rxLength()).queued).toBe(0);
    for (const asked of [() => module.rxPeek(), () => module.rxDequeue()]) {
      expect((await failsWith("MODULE_REFUSED", asked())).context).toMatchObject({ status: "RUNTIME" });
    }
    expect(await module.receive()).toBeUndefined();
    expect(await module.getUniqueId()).toHaveLength(10);
  });

  it("refuses what is no command, and a command with a wrong length or field", async () => {
    expect((await module.raw(0x7f)).status).toBe(0x03);
    expect((await module.raw(0x22, Uint8Array.of(1))).status).toBe(0x04);
    // Channel 128; the type "?".
    expect((await module.raw(0x20, Uint8Array.of(128, 0x69, 1, 0, 0, 0, 0, 0, 0, 0))).status).toBe(0x04);
    expect((await module.raw(0x20, Uint8Array.of(1, 0x3f, 1, 0, 0, 0, 0, 0, 0, 0))).status).toBe(0x04);
    expect((await module.txLength()).queued).toBe(0);
  });

  it("does not take a wrong key", async () => {
    expect((await module.raw(0xa8, asciiBytes("nope"))).status).toBe(0x04);
  });

  // How long a real one stays unlocked is not known: whoever tries these has to bear that it does as it is told.
  itMay("reset")("does not restart without UNLOCK", async () => {
    expect((await module.raw(0xaf)).status).toBe(0x06);
  });
  itMay("update")("does not update without UNLOCK", async () => {
    expect((await module.raw(0xa9)).status).toBe(0x06);
  });

  it("says its power-save mode, and whether an update runs", async () => {
    expect(["disabled", "auto-sleep", "rf-off"]).toContain(await module.getPowerSaveMode());
    expect((await module.getUpdateFirmwareStatus()).inProgress).toBe(false);
  });

  itMay("send")("sends what is queued, in order", { timeout: 70_000 }, async () => {
    await module.txEnqueue({ channel: 1, type: "i", value: 25 });
    await module.txEnqueue({ channel: 2, type: "L", value: 18446744073709551615n });
    await module.flush({ timeoutMs: 60_000 });
    expect((await module.txStat()).queue).toBe("done");
    expect((await module.txLength()).queued).toBe(0);
    if (!bench.emulated) return;
    expect(bench.emulated.log.messages.at(-1)).toMatchObject({
      payload: {
        channels: [
          { channel: 1, value: 25 },
          { channel: 2, value: 18446744073709551615n },
        ],
      },
    });
  });

  itMay("send")("sends 16 values past the queue", { timeout: 70_000 }, async () => {
    const channels = Array.from({ length: 16 }, (_, channel) => ({ channel, type: "i" as const, value: channel }));
    await module.sendImmediately({ channels }, { timeoutMs: 60_000 });
    expect((await module.txStat()).immediate).toBe("done");
  });

  itMay("reset")("restarts, and has empty queues", { timeout: 150_000 }, async () => {
    await module.txEnqueue({ channel: 1, type: "i", value: 25 });
    await module.reset();
    expect((await module.txLength({ timeoutMs: 10_000 })).queued).toBe(0);
    await vi.waitUntil(async () => (await module.getConnectionStatus()).online, { timeout: 120_000, interval: 20 });
  });

  const itEmulated = it.skipIf(kind === "real");
  const behind = () => {
    if (!bench.emulated) throw new Error("there is no emulated module behind this one");
    return bench.emulated;
  };

  itEmulated("hands values down in order, each with its age", async () => {
    behind().module.deliver({
      module: behind().module.id,
      type: "channels",
      payload: {
        channels: [
          { channel: 10, type: "I", value: 1 },
          { channel: 11, type: "l", value: -9223372036854775808n },
        ],
      },
    });
    expect(await module.rxPeek()).toMatchObject({ channel: 10, type: "I", value: 1 });
    expect(await module.rxLength()).toEqual({ available: 30, queued: 2 });
    expect(await module.rxDequeue()).toMatchObject({ channel: 10, type: "I", value: 1 });
    const { offset, ...last } = await module.rxDequeue();
    expect(last).toEqual({ channel: 11, type: "l", value: -9223372036854775808n });
    expect(offset).toBeLessThanOrEqual(0n);
  });

  itEmulated("says that it is offline, and that a send failed", async () => {
    behind().module.setOnline(false);
    expect(await module.getConnectionStatus()).toEqual({ online: false, lastError: "out-of-service-area" });
    await module.txEnqueue({ channel: 1, type: "i", value: 25 });
    await failsWith("MODULE_REFUSED", module.flush());
    expect((await module.txLength()).queued).toBe(1);
    behind().module.setOnline(true);
    await module.flush();
  });

  itEmulated("hands out a file in parts", async () => {
    await module.startFileDownload(1);
    const metadata = await module.getFileMetadata();
    // CRC-32 of "123456789": the check value that every description of it has.
    expect(metadata).toEqual({ status: "ok", size: 9, timestamp: 1_490_960_000_123n, crc32: 0xcbf4_3926 });
    const parts = [await module.getFileData(4), await module.getFileData(4), await module.getFileData(255)];
    expect(parts.map((part) => Buffer.from(part).toString())).toEqual(["1234", "5678", "9"]);
    expect(FILE.data).toHaveLength(9);
  });

  itEmulated("updates its firmware", async () => {
    await module.unlock();
    await module.updateFirmware();
    expect((await module.getUpdateFirmwareStatus()).inProgress).toBe(true);
    await vi.waitUntil(async () => !(await module.getUpdateFirmwareStatus()).inProgress, {
      timeout: 5000,
      interval: 10,
    });
    expect(await module.getUpdateFirmwareStatus()).toEqual({ inProgress: false, result: "already-up-to-date" });
  });

  itEmulated("is offline with its radio off", async () => {
    await module.setPowerSaveMode("rf-off");
    expect(await module.getPowerSaveMode()).toBe("rf-off");
    expect((await module.getConnectionStatus()).online).toBe(false);
    await module.setPowerSaveMode("disabled");
    expect((await module.getConnectionStatus()).online).toBe(true);
  });
});
