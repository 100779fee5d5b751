/** The client's methods, with the bytes of the protocol's documents. */
import { describe, expect, expectTypeOf, it } from "vitest";
import type { SakuraModule } from "../../host/module.ts";
import type { MethodName, MethodsOf, ModuleMethods } from "../../host/module-methods.ts";
import type { FrameEvent } from "../../host/transport/exchange.ts";
import { type CommandName, commandNames } from "../../protocol/commands.ts";
import type { SakuraError } from "../../protocol/errors.ts";
import { BUSY_ANSWER, clientOf, inTime, inTurn, OK_ANSWER, RUNTIME_ANSWER } from "../support/client.ts";
import { failsWith } from "../support/errors.ts";

/** A command, the line that asks for it, the line that answers, and what it says. */
interface Vector {
  readonly command: CommandName;
  readonly call: (module: SakuraModule) => Promise<unknown>;
  readonly request: string;
  readonly answer: string;
  readonly result: unknown;
}

// biome-ignore format: a vector is a line
const vectors: readonly Vector[] = [
  { command: "GET_CONNECTION_STATUS", call: (m) => m.getConnectionStatus(), request: "010001", answer: "01018080", result: { online: true, lastError: "none" } },
  { command: "GET_CONNECTION_STATUS", call: (m) => m.getConnectionStatus(), request: "010001", answer: "01010202", result: { online: false, lastError: "connection-error" } },
  { command: "GET_SIGNAL_QUALITY", call: (m) => m.getSignalQuality(), request: "020002", answer: "01010505", result: 5 },
  // 2017-04-01T04:52:15.792Z
  { command: "GET_DATETIME", call: (m) => m.getDatetime(), request: "030003", answer: "0108304FDB275B010000D0", result: 1491022335792n },
  { command: "ECHO_BACK", call: (m) => m.echoBack(Uint8Array.of(0xab, 0xcd)), request: "0F02ABCD6B", answer: "0102ABCD65", result: Uint8Array.of(0xab, 0xcd) },
  { command: "READ_ADC", call: (m) => m.readAdc(1), request: "10010110", answer: "0102000201", result: 512 },
  { command: "TX_ENQUEUE", call: (m) => m.txEnqueue({ channel: 1, type: "i", value: 25 }), request: "200A016919000000000000005B", answer: "010001", result: undefined },
  { command: "TX_ENQUEUE", call: (m) => m.txEnqueue({ channel: 1, type: "i", value: 25, offset: -4321n }), request: "2012016919000000000000001FEFFFFFFFFFFFFFB3", answer: "010001", result: undefined },
  { command: "TX_SENDIMMED", call: (m) => m.txSendimmed({ channels: [{ channel: 1, type: "i", value: 25 }] }), request: "210A016919000000000000005A", answer: "010001", result: undefined },
  { command: "TX_LENGTH", call: (m) => m.txLength(), request: "220022", answer: "01021E021F", result: { available: 30, queued: 2 } },
  { command: "TX_CLEAR", call: (m) => m.txClear(), request: "230023", answer: "010001", result: undefined },
  { command: "TX_SEND", call: (m) => m.txSend(), request: "240024", answer: "010001", result: undefined },
  { command: "TX_STAT", call: (m) => m.txStat(), request: "250025", answer: "0102010200", result: { queue: "sending", immediate: "failed" } },
  { command: "RX_DEQUEUE", call: (m) => m.rxDequeue(), request: "300030", answer: "0112054CFFFFFFFFFFFFFFFF0CFEFFFFFFFFFFFFA8", result: { channel: 5, type: "L", value: 18446744073709551615n, offset: -500n } },
  { command: "RX_PEEK", call: (m) => m.rxPeek(), request: "310031", answer: "011205620F1E2D3C4B5C6B7A000000000000000072", result: { channel: 5, type: "b", value: Uint8Array.of(0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5c, 0x6b, 0x7a), offset: 0n } },
  { command: "RX_LENGTH", call: (m) => m.rxLength(), request: "320032", answer: "0102200023", result: { available: 32, queued: 0 } },
  { command: "RX_CLEAR", call: (m) => m.rxClear(), request: "330033", answer: "010001", result: undefined },
  { command: "START_FILE_DOWNLOAD", call: (m) => m.startFileDownload(1), request: "4002010043", answer: "010001", result: undefined },
  { command: "GET_FILE_METADATA", call: (m) => m.getFileMetadata(), request: "410041", answer: "0111000004000000000000000000002639F4CB34", result: { status: "ok", size: 1024, timestamp: 0n, crc32: 0xcbf43926 } },
  { command: "GET_FILE_DOWNLOAD_STATUS", call: (m) => m.getFileDownloadStatus(), request: "420042", answer: "0105021000000016", result: { status: "receiving", received: 16 } },
  { command: "CANCEL_FILE_DOWNLOAD", call: (m) => m.cancelFileDownload(), request: "430043", answer: "010001", result: undefined },
  { command: "GET_FILE_DATA", call: (m) => m.getFileData(255), request: "4401FFBA", answer: "010331323332", result: Uint8Array.of(0x31, 0x32, 0x33) },
  { command: "GET_PRODUCT_ID", call: (m) => m.getProductId(), request: "A000A0", answer: "0102020001", result: 2 },
  { command: "GET_UNIQUE_ID", call: (m) => m.getUniqueId(), request: "A100A1", answer: "010A313642303130303236307B", result: "16B0100260" },
  { command: "GET_FIRMWARE_VERSION", call: (m) => m.getFirmwareVersion(), request: "A200A2", answer: "010676312E342E3440", result: "v1.4.4" },
  { command: "UNLOCK", call: (m) => m.unlock(), request: "A804536B726187", answer: "010001", result: undefined },
  { command: "UPDATE_FIRMWARE", call: (m) => m.updateFirmware(), request: "A900A9", answer: "010001", result: undefined },
  { command: "GET_UPDATE_FIRMWARE_STATUS", call: (m) => m.getUpdateFirmwareStatus(), request: "AA00AA", answer: "01010101", result: { inProgress: false, result: "already-up-to-date" } },
  { command: "SOFTWARE_RESET", call: (m) => m.softwareReset(), request: "AF00AF", answer: "010001", result: undefined },
  { command: "SET_POWER_SAVE_MODE", call: (m) => m.setPowerSaveMode("rf-off"), request: "B00102B3", answer: "010001", result: undefined },
  { command: "GET_POWER_SAVE_MODE", call: (m) => m.getPowerSaveMode(), request: "B100B1", answer: "01010101", result: "auto-sleep" },
];

describe("each command", () => {
  it.each(vectors)("$command: $request gives $answer", async ({ call, request, answer, result }) => {
    const { scripted, module } = await clientOf(() => `*CMD:${answer}\r\nOK\r\n`);
    expect(await call(module)).toEqual(result);
    expect(scripted.lines).toEqual([`AT*CMD=${request}`]);
  });

  it("of the table has a vector", () => {
    const commands = new Set(vectors.map(({ command }) => command));
    expect([...commands].sort()).toEqual([...commandNames].sort());
  });

  it("without a method does not compile", () => {
    expectTypeOf<MethodName<"GET_UPDATE_FIRMWARE_STATUS">>().toEqualTypeOf<"getUpdateFirmwareStatus">();
    type AllButOne = MethodsOf<Exclude<CommandName, "GET_DATETIME">>;
    expectTypeOf<ModuleMethods>().toExtend<AllButOne>();
    // @ts-expect-error a command of the table is missing
    const incomplete = (methods: AllButOne): ModuleMethods => methods;
    expectTypeOf(incomplete).toBeFunction();
    expectTypeOf<SakuraModule["txEnqueue"]>().parameter(0).toExtend<{ channel: number }>();
    expectTypeOf<SakuraModule["getDatetime"]>().returns.resolves.toEqualTypeOf<bigint>();
  });

  it("by its name is the same", async () => {
    const { module } = await clientOf(() => "*CMD:01010505\r\nOK\r\n");
    expect(await module.command("GET_SIGNAL_QUALITY", undefined)).toBe(5);
  });
});

describe("raw", () => {
  it("gives whatever the module answers", async () => {
    const { scripted, module } = await clientOf(inTurn("*CMD:0102ABCD65\r\nOK\r\n", "*CMD:030003\r\nOK\r\n"));
    expect(await module.raw(0x0f, Uint8Array.of(0xab, 0xcd))).toEqual({
      status: 1,
      payload: Uint8Array.of(0xab, 0xcd),
    });
    expect(await module.raw(0x99)).toEqual({ status: 3, payload: new Uint8Array(0) });
    expect(scripted.lines).toEqual(["AT*CMD=0F02ABCD6B", "AT*CMD=990099"]);
  });

  it("repeats a code that nobody knows only when it was not carried out", async () => {
    const { clock, scripted, module } = await clientOf(inTurn("*CMD:020002\r\nOK\r\n", "*CMD:01\r\nOK\r\n"));
    const error = await inTime(clock, failsWith("OUTCOME_UNKNOWN", module.raw(0x99)));
    expect(error.context).toMatchObject({ command: "command 0x99" });
    expect(scripted.commands).toEqual(["AT*CMD=990099", "AT*CMD=990099"]);
  });
});

const SENDING = "*CMD:0102010002\r\nOK\r\n";
const DONE = "*CMD:0102000003\r\nOK\r\n";
const FAILED = "*CMD:0102020001\r\nOK\r\n";
const IMMEDIATE_SENDING = "*CMD:0102000102\r\nOK\r\n";
const IMMEDIATE_FAILED = "*CMD:0102000201\r\nOK\r\n";

describe("flush", () => {
  it("sends, and waits until it is sent", async () => {
    const { clock, scripted, module } = await clientOf(inTurn(OK_ANSWER, SENDING, SENDING, DONE));
    await inTime(clock, module.flush());
    expect(scripted.lines).toEqual(["AT*CMD=240024", "AT*CMD=250025", "AT*CMD=250025", "AT*CMD=250025"]);
  });

  it("fails when the module says that it failed", async () => {
    const { clock, module } = await clientOf(inTurn(OK_ANSWER, SENDING, FAILED));
    const error = await inTime(clock, failsWith("MODULE_REFUSED", module.flush()));
    expect(error.context).toEqual({ command: "TX_SEND", status: "failed" });
  });

  it("waits for a send under way, and then begins its own", async () => {
    const { clock, scripted, module } = await clientOf();
    let busy = true;
    scripted.script = (line) => {
      if (line === "AT*CMD=240024") return busy ? BUSY_ANSWER : OK_ANSWER;
      if (!busy) return DONE;
      busy = false;
      return SENDING;
    };
    await inTime(clock, module.flush());
    expect(scripted.lines.at(-2)).toBe("AT*CMD=240024");
    expect(busy).toBe(false);
  });

  it("sends again when nobody knows whether it began: the queue is empty then, or it had not", async () => {
    const { clock, scripted, module } = await clientOf(inTurn("*CMD:010000\r\nOK\r\n", DONE, OK_ANSWER, SENDING, DONE));
    await inTime(clock, module.flush());
    expect(scripted.commands.filter((line) => line === "AT*CMD=240024")).toHaveLength(2);
  });

  it("ends with its timeout and with the signal", async () => {
    const { clock, scripted, module } = await clientOf((line) => (line === "AT*CMD=240024" ? OK_ANSWER : SENDING));
    const error = await inTime(clock, failsWith("TIMEOUT", module.flush({ timeoutMs: 500 })));
    expect(error.context).toEqual({ timeoutMs: 500 });
    const abort = new AbortController();
    const aborted = failsWith("ABORTED", module.flush({ signal: abort.signal }));
    await clock.advance(75);
    abort.abort();
    await aborted;
    const before = scripted.lines.length;
    await clock.advance(1000);
    expect(scripted.lines).toHaveLength(before);
  });
});

describe("sendImmediately", () => {
  const request = { channels: [{ channel: 1, type: "i", value: 25 }] } as const;

  it("sends past the queue, and waits until it is sent", async () => {
    const { clock, scripted, module } = await clientOf(inTurn(OK_ANSWER, IMMEDIATE_SENDING, DONE));
    await inTime(clock, module.sendImmediately(request));
    expect(scripted.lines).toEqual(["AT*CMD=210A016919000000000000005A", "AT*CMD=250025", "AT*CMD=250025"]);
  });

  it("fails when the module says that it failed, and is never sent twice", async () => {
    const { clock, scripted, module } = await clientOf(inTurn(OK_ANSWER, IMMEDIATE_FAILED));
    await inTime(clock, failsWith("MODULE_REFUSED", module.sendImmediately(request)));
    scripted.script = inTurn(undefined, DONE);
    await inTime(clock, failsWith("OUTCOME_UNKNOWN", module.sendImmediately(request)));
  });
});

const RECEIVED = "*CMD:011201691900000000000000000000000000000062\r\nOK\r\n";
const VALUE = { channel: 1, type: "i", value: 25, offset: 0n };

describe("receive", () => {
  it("takes a value, or nothing from an empty queue", async () => {
    const { module } = await clientOf(inTurn(RECEIVED, RUNTIME_ANSWER));
    expect(await module.receive()).toEqual(VALUE);
    expect(await module.receive()).toBeUndefined();
  });

  it("is not carried out twice", async () => {
    const { clock, scripted, module } = await clientOf(inTurn(undefined, RECEIVED));
    await inTime(clock, failsWith("OUTCOME_UNKNOWN", module.receive()));
    expect(scripted.commands).toEqual(["AT*CMD=300030"]);
  });

  it("received gives the values as they come, until the signal", async () => {
    const { clock, scripted, module } = await clientOf(inTurn(RECEIVED, RECEIVED, RUNTIME_ANSWER));
    const abort = new AbortController();
    const values: unknown[] = [];
    const all = (async () => {
      for await (const value of module.received({ signal: abort.signal, pollMs: 100 })) values.push(value);
    })();
    await clock.advance(50);
    expect(values).toEqual([VALUE, VALUE]);
    expect(scripted.commands).toHaveLength(3);
    await clock.advance(200);
    expect(scripted.commands).toHaveLength(5);
    abort.abort();
    await all;
  });

  it("received lets the command under way end, so that no value is lost", async () => {
    const { clock, scripted, module } = await clientOf();
    const abort = new AbortController();
    const values: unknown[] = [];
    const all = (async () => {
      for await (const value of module.received({ signal: abort.signal })) values.push(value);
    })();
    await clock.advance(10);
    abort.abort();
    await clock.advance(10);
    scripted.say(RECEIVED);
    await all;
    expect(values).toEqual([VALUE]);
  });

  it("received does not wait for a silent module once the signal has come", async () => {
    const { clock, scripted, module } = await clientOf();
    scripted.ping = () => undefined;
    const abort = new AbortController();
    const all = module.received({ signal: abort.signal }).next();
    await clock.advance(500);
    abort.abort();
    expect(await inTime(clock, all)).toEqual({ done: true, value: undefined });
    await module.close();
    expect(clock.pending).toBe(0);
  });

  it("received ends with an error, or tells it and goes on", async () => {
    const { clock, scripted, module } = await clientOf(inTurn(undefined, RECEIVED));
    await inTime(clock, failsWith("OUTCOME_UNKNOWN", module.received().next()));
    scripted.script = inTurn(undefined, RECEIVED);
    const troubles: SakuraError[] = [];
    const next = module.received({ onTrouble: (error) => troubles.push(error) }).next();
    expect(await inTime(clock, next)).toEqual({ done: false, value: VALUE });
    expect(troubles.map(({ code }) => code)).toEqual(["OUTCOME_UNKNOWN"]);
  });

  it("received ends with a port that is lost for good, and with close", async () => {
    const { clock, scripted, module } = await clientOf(() => RUNTIME_ANSWER);
    const lost = failsWith("PORT_LOST", module.received({ onTrouble: () => undefined }).next());
    await clock.advance(10);
    scripted.lose();
    await inTime(clock, lost);
    const other = await clientOf(() => RUNTIME_ANSWER);
    const closed = failsWith("CLOSED", other.module.received({ onTrouble: () => undefined }).next());
    await other.clock.advance(10);
    await other.module.close();
    await inTime(other.clock, closed);
  });
});

describe("reset", () => {
  it("unlocks first", async () => {
    const { scripted, module } = await clientOf(() => OK_ANSWER);
    await module.reset();
    expect(scripted.lines).toEqual(["AT*CMD=A804536B726187", "AT*CMD=AF00AF"]);
  });
});

describe("onFrame", () => {
  it("tells of each frame", async () => {
    const { module } = await clientOf(() => "*CMD:01010505\r\nOK\r\n");
    const frames: Pick<FrameEvent, "direction" | "bytes">[] = [];
    const stop = module.onFrame(({ direction, bytes }) => frames.push({ direction, bytes }));
    await module.getSignalQuality();
    stop();
    await module.getSignalQuality();
    expect(frames).toEqual([
      { direction: "request", bytes: Uint8Array.of(0x02, 0x00, 0x02) },
      { direction: "answer", bytes: Uint8Array.of(0x01, 0x01, 0x05, 0x05) },
    ]);
  });
});
