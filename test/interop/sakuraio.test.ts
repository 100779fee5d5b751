/**
 * The npm package `sakuraio` 0.1.0, a client that nobody here wrote, against the emulated module: every command it has,
 * by its synchronous methods over I2C and SPI, and by its asynchronous ones over a real pseudo-terminal.
 */
import { afterEach, describe, expect, it } from "vitest";
import { attachI2c } from "../../emulator/bus/i2c.ts";
import { openPty } from "../../emulator/bus/pty.ts";
import { attachSpi } from "../../emulator/bus/spi.ts";
import { attachUart } from "../../emulator/bus/uart.ts";
import { filesInMemory } from "../../emulator/files.ts";
import type { EmulatedModule } from "../../emulator/module.ts";
import type { EmulatedModuleOptions } from "../../emulator/state.ts";
import type { ChannelEntry } from "../../protocol/channel.ts";
import { channelsOf, type Desk, desk, START, valuesOf } from "../support/desk.ts";
import { PlainDriver } from "../support/plain-driver.ts";
import { atBus, i2cBus, spiBus } from "../support/sakuraio-bus.ts";
import { type SakuraioClient, type SyncBus, sakuraio } from "../support/sakuraio-package.ts";
import { asciiBytes, bytes } from "../vectors/bytes.ts";

/** Calls a method of the package by its asynchronous name. */
type Call = (method: string, ...parameters: unknown[]) => Promise<unknown>;
interface Bench extends Desk {
  readonly call: Call;
}

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  // The port first: that ends a read which still waits.
  for (const close of closing.splice(0)) await close();
});

function methodOf(client: SakuraioClient, name: string) {
  const method = client[name];
  if (!method) throw new Error(`the package has no method ${name}`);
  return method;
}

/** By its synchronous methods. */
function over(busOf: (module: EmulatedModule) => SyncBus) {
  return async (options: EmulatedModuleOptions): Promise<Bench> => {
    const at = desk(options);
    const client = sakuraio.use(busOf(at.module));
    return { ...at, call: async (name, ...parameters) => methodOf(client, `${name}Sync`)(...parameters) };
  };
}

async function overPty(options: EmulatedModuleOptions): Promise<Bench> {
  const at = desk(options);
  const pty = await openPty();
  closing.push(pty.close);
  attachUart(at.module, pty.duplex);
  const driver = await PlainDriver.open(pty.path);
  closing.push(() => driver.close());
  const client = sakuraio.use(atBus(driver));
  const call: Call = (name, ...parameters) =>
    new Promise((resolve, reject) => {
      methodOf(client, name)(...parameters, (error: Error | null, value: unknown) =>
        error ? reject(error) : resolve(value),
      );
    });
  return { ...at, call };
}

/** The client's words for a status. */
const failsWithStatus = (status: number) =>
  expect.objectContaining({ message: expect.stringMatching(`^Error result: ${status} `) });
const nothing = Buffer.alloc(0);
const DIGITS = { data: asciiBytes("123456789"), timestamp: 1_490_960_000_123 };

const ways: [string, (options: EmulatedModuleOptions) => Promise<Bench>][] = [
  ["its synchronous methods, over I2C", over((module) => i2cBus(attachI2c(module)))],
  ["its synchronous methods, over SPI", over((module) => spiBus(attachSpi(module)))],
];
if (process.platform !== "win32") ways.push(["its asynchronous methods, over a pseudo-terminal", overPty]);

describe.each(ways)("the package sakuraio, %s", (_way, open) => {
  const called = new Set<string>();

  async function bench(options: EmulatedModuleOptions = {}): Promise<Bench> {
    const opened = await open(options);
    return {
      ...opened,
      call(method, ...parameters) {
        called.add(method);
        return opened.call(method, ...parameters);
      },
    };
  }

  it("reads the connection, the signal and the time", async () => {
    const { call, module, clock } = await bench();
    expect(await call("getConnectionStatus")).toEqual({ ok: true, errorCode: null });
    expect(await call("getSignalQuality")).toBe(5);
    expect(await call("getDateTime")).toEqual(new Date(START));
    module.setOnline(false, "unexpected-disconnect");
    module.setSignal(0);
    await clock.advance(1);
    expect(await call("getConnectionStatus")).toEqual({ ok: false, errorCode: 3 });
    expect(await call("getSignalQuality")).toBe(0);
    expect(await call("getDateTime")).toEqual(new Date(START + 1));
  });

  it("gets its bytes back", async () => {
    const { call } = await bench();
    for (const sent of [Buffer.from("HelloWorld!"), nothing, Buffer.from(Array.from({ length: 255 }, (_, i) => i))])
      expect(await call("echoBack", sent)).toEqual(sent);
  });

  it("enqueues a number, a text, bytes and typed values, sends them and sees the send end", async () => {
    const { call, clock, log } = await bench();
    expect(await call("enqueueTx", 0, 124.123)).toEqual(nothing);
    expect(await call("enqueueTx", 3, "Hello!")).toEqual(nothing);
    expect(await call("enqueueTx", 127, Buffer.from([0x12, 0x24, 0x01]))).toEqual(nothing);
    expect(await call("enqueueTx", 5, bytes("FE FF FF FF 00 00 00 00"), { type: 0x69 })).toEqual(nothing);
    expect(await call("enqueueTx", 6, 124, { offset: 15_000 })).toEqual(nothing);
    expect(await call("getTxQueueLength")).toEqual({ available: 27, queued: 5 });
    expect(await call("getTxStatus")).toEqual({ queue: 0, immediate: 0 });
    expect(await call("send")).toEqual(nothing);
    expect(await call("getTxStatus")).toEqual({ queue: 1, immediate: 0 });
    await clock.advance(100);
    expect(await call("getTxStatus")).toEqual({ queue: 0, immediate: 0 });
    expect(await call("getTxQueueLength")).toEqual({ available: 32, queued: 0 });
    const datetime = "2017-04-01T04:51:10.000Z";
    expect(channelsOf(log.messages)).toEqual([
      [
        { channel: 0, type: "d", value: 124.123, datetime },
        { channel: 3, type: "b", value: bytes("48 65 6C 6C 6F 21 00 00"), datetime },
        { channel: 127, type: "b", value: bytes("12 24 01 00 00 00 00 00"), datetime },
        { channel: 5, type: "i", value: -2, datetime },
        { channel: 6, type: "d", value: 124, datetime: "2017-04-01T04:51:25.000Z" },
      ],
    ]);
  });

  it("is refused a full queue, an unknown type and a channel over 127, and works on", async () => {
    const { call } = await bench({ txQueue: 1 });
    await expect(call("enqueueTx", 128, 1)).rejects.toEqual(failsWithStatus(4));
    await expect(call("enqueueTx", 1, bytes("00 00 00 00 00 00 00 00"), { type: 0x78 })).rejects.toEqual(
      failsWithStatus(4),
    );
    await call("enqueueTx", 1, 1);
    await expect(call("enqueueTx", 1, 2)).rejects.toEqual(failsWithStatus(5));
    expect(await call("getTxQueueLength")).toEqual({ available: 0, queued: 1 });
    expect(await call("clearTx")).toEqual(nothing);
    expect(await call("getTxQueueLength")).toEqual({ available: 1, queued: 0 });
  });

  it("sends immediately, 1 to 16 values before one offset or none", async () => {
    const { call, clock, log } = await bench();
    const data = [
      { channel: 0, value: 124 },
      { channel: 1, value: "FooBar!" },
      { channel: 2, value: Buffer.from([0x12, 0x24, 0x01]) },
    ];
    expect(await call("sendImmediately", data)).toEqual(nothing);
    expect(await call("getTxStatus")).toEqual({ queue: 0, immediate: 1 });
    await clock.advance(100);
    expect(await call("getTxStatus")).toEqual({ queue: 0, immediate: 0 });
    expect(await call("sendImmediately", data, { offset: 15_000 })).toEqual(nothing);
    await clock.advance(100);
    const sixteen = Array.from({ length: 16 }, (_, channel) => ({ channel, value: channel + 0.5 }));
    expect(await call("sendImmediately", sixteen, { offset: 1 })).toEqual(nothing);
    await clock.advance(100);
    expect(valuesOf(log.messages)).toEqual([
      [124, bytes("46 6F 6F 42 61 72 21 00"), bytes("12 24 01 00 00 00 00 00")],
      [124, bytes("46 6F 6F 42 61 72 21 00"), bytes("12 24 01 00 00 00 00 00")],
      sixteen.map(({ value }) => value),
    ]);
    expect(channelsOf(log.messages).map(([first]) => first?.datetime)).toEqual([
      "2017-04-01T04:51:10.000Z",
      "2017-04-01T04:51:25.100Z",
      "2017-04-01T04:51:10.201Z",
    ]);
    await expect(call("sendImmediately", [...sixteen, { channel: 0, value: 0 }])).rejects.toEqual(failsWithStatus(4));
  });

  it("receives every type", async () => {
    const { call, clock, module } = await bench({ id: "u0123456789a" });
    await expect(call("dequeueRx")).rejects.toEqual(failsWithStatus(5));
    await expect(call("peekRx")).rejects.toEqual(failsWithStatus(5));
    const channels: ChannelEntry[] = [
      { channel: 0, type: "i", value: -42 },
      { channel: 1, type: "I", value: 4_294_967_295 },
      { channel: 2, type: "l", value: 42n },
      { channel: 3, type: "L", value: 42n },
      { channel: 4, type: "f", value: 0.5 },
      { channel: 5, type: "d", value: -0.1 },
      { channel: 127, type: "b", value: asciiBytes("Hello42!") },
    ];
    module.deliver({ type: "channels", module: "u0123456789a", payload: { channels } });
    expect(await call("getRxQueueLength")).toEqual({ available: 25, queued: 7 });
    expect(await call("peekRx")).toEqual({ channel: 0, value: -42, offset: 0 });
    const received: unknown[] = [];
    for (let count = 0; count < 6; count++) received.push(await call("dequeueRx"));
    expect(received).toEqual([
      { channel: 0, value: -42, offset: 0 },
      { channel: 1, value: 4_294_967_295, offset: 0 },
      { channel: 2, value: 42, offset: 0 },
      { channel: 3, value: 42, offset: 0 },
      { channel: 4, value: 0.5, offset: 0 },
      { channel: 5, value: -0.1, offset: 0 },
    ]);
    await clock.advance(4096);
    // The client takes the offset for unsigned: −4096 ms is 2^64 − 4096 to it.
    expect(await call("peekRx")).toEqual({ channel: 127, value: Buffer.from("Hello42!"), offset: 2 ** 64 - 4096 });
    expect(await call("clearRx")).toEqual(nothing);
    expect(await call("getRxQueueLength")).toEqual({ available: 32, queued: 0 });
  });

  it("downloads a file, is told of one that there is not, and cancels", async () => {
    const { call, clock } = await bench({ files: filesInMemory({ 1: DIGITS }) });
    expect(await call("getFileDownloadStatus")).toEqual({ status: 0, receivedSize: 0 });
    await call("startFileDownload", 1);
    expect(await call("getFileDownloadStatus")).toEqual({ status: 1, receivedSize: 0 });
    await expect(call("getFileMetaData")).rejects.toEqual(failsWithStatus(7));
    expect(await call("getFileData", 4)).toEqual(nothing);
    await clock.advance(200);
    expect(await call("getFileMetaData")).toEqual({
      status: 0,
      totalSize: 9,
      timestamp: new Date(1_490_960_000_123),
      // CBF43926, which the client takes for signed.
      crc: -873_187_034,
    });
    expect(await call("getFileData", 4)).toEqual(Buffer.from("1234"));
    expect(await call("getFileDownloadStatus")).toEqual({ status: 2, receivedSize: 4 });
    expect(await call("getFileData", 255)).toEqual(Buffer.from("56789"));
    expect(await call("getFileDownloadStatus")).toEqual({ status: 0, receivedSize: 9 });
    expect(await call("getFileData", 255)).toEqual(nothing);

    await call("startFileDownload", 2);
    await expect(call("startFileDownload", 1)).rejects.toEqual(failsWithStatus(5));
    await clock.advance(200);
    expect(await call("getFileMetaData")).toMatchObject({ status: 0x81, totalSize: 0 });
    expect(await call("getFileDownloadStatus")).toEqual({ status: 0x81, receivedSize: 0 });

    await call("startFileDownload", 1);
    expect(await call("cancelFileDownload")).toEqual(nothing);
    await expect(call("getFileData", 4)).rejects.toEqual(failsWithStatus(5));
    expect(await call("getFileDownloadStatus")).toEqual({ status: 0, receivedSize: 0 });
  });

  it("reads who the module is", async () => {
    const { call, module } = await bench({ firmware: "v1.1.2-170223-7e6ce64" });
    expect(await call("getProductID")).toBe("SCM-LTE-01");
    expect(await call("getUniqueID")).toBe("16B0100260");
    expect(await call("getFirmwareVersion")).toBe("v1.1.2-170223-7e6ce64");
    module.state.product = 1;
    expect(await call("getProductID")).toBe("SCM-LTE-Beta");
  });

  it("unlocks, updates the firmware and resets", async () => {
    const { call, clock } = await bench({ update: { outcome: "verification-failed" } });
    await expect(call("updateFirmware")).rejects.toEqual(failsWithStatus(6));
    await expect(call("reset")).rejects.toEqual(failsWithStatus(6));
    expect(await call("getFirmwareUpdateStatus")).toEqual({ updating: false, anyError: false, message: "No error" });
    expect(await call("unlock")).toEqual(nothing);
    expect(await call("updateFirmware")).toEqual(nothing);
    expect(await call("getFirmwareUpdateStatus")).toMatchObject({ updating: true });
    await clock.advance(5000);
    expect(await call("getFirmwareUpdateStatus")).toEqual({
      updating: false,
      anyError: true,
      message: "Verification of downloaded package failed",
    });
    await call("enqueueTx", 1, 1);
    await call("unlock");
    expect(await call("reset")).toEqual(nothing);
    expect(await call("getTxQueueLength")).toEqual({ available: 32, queued: 0 });
    expect(await call("getConnectionStatus")).toMatchObject({ ok: false });
    await clock.advance(2000);
    expect(await call("getConnectionStatus")).toEqual({ ok: true, errorCode: null });
  });

  it("may be called many times at once: one command follows the other", async () => {
    const { call } = await bench({ txQueue: 40 });
    const answers = await Promise.all([
      ...Array.from({ length: 20 }, (_, i) => call("enqueueTx", 1, i)),
      call("getTxQueueLength"),
      call("getUniqueID"),
    ]);
    expect(answers.slice(20)).toEqual([{ available: 20, queued: 20 }, "16B0100260"]);
  });

  it("has no command that was not tried above", () => {
    const methods = Object.keys(sakuraio.use(i2cBus(attachI2c(desk().module)))).filter(
      (name) => !name.endsWith("Sync"),
    );
    // The table's 29 without READ_ADC and power saving.
    expect(methods.length).toBe(26);
    expect([...called].sort()).toEqual(methods.sort());
  });
});
