/** `sakuraio module`: its verbs at an emulated module over TCP, and its help. */
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { refuse } from "../../emulator/behaviour.ts";
import { listenTcp, type TcpEndpoint } from "../../emulator/bus/tcp.ts";
import { attachUart } from "../../emulator/bus/uart.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import { MessageLog } from "../../emulator/uplink.ts";
import type { ExitCode } from "../../host/cli/io.ts";
import { moduleClear, modulePowerSave, moduleReset } from "../../host/cli/module/operate.ts";
import { moduleReceive } from "../../host/cli/module/receive.ts";
import { moduleEnqueue, moduleFlush, moduleSend } from "../../host/cli/module/send.ts";
import { type ModuleSession, type PortOptions, portSession } from "../../host/cli/module/session.ts";
import { moduleEcho, moduleQueue, moduleStatus } from "../../host/cli/module/status.ts";
import { registerModuleVerbs } from "../../host/cli/module/verbs.ts";
import { reportFailure } from "../../host/cli/process-io.ts";
import type { ChannelEntry } from "../../protocol/channel.ts";
import { FakeIo } from "../support/fake-io.ts";

let emulated: EmulatedModule;
let log: MessageLog;
let endpoint: TcpEndpoint;
let io: FakeIo;
let options: PortOptions;
let json: PortOptions;

beforeEach(async () => {
  log = new MessageLog();
  emulated = new EmulatedModule({
    uplink: log,
    sendTimeMs: 0,
    clock: { now: () => Date.UTC(2018, 5, 21, 1, 10, 57, 770), after: () => () => undefined },
  });
  endpoint = await listenTcp({ host: "127.0.0.1", port: 0 });
  endpoint.onConnection((duplex) => attachUart(emulated, duplex));
  io = new FakeIo();
  options = { port: endpoint.uri, timeout: 10_000, json: false };
  json = { ...options, json: true };
});
afterEach(() => endpoint.close());

/** As the command line runs a verb: a failure is told, and becomes an exit code. */
function run(verb: Promise<ExitCode>, asJson = false): Promise<ExitCode> {
  return verb.catch((error: unknown) => reportFailure(error, io, asJson));
}

function at(where: PortOptions): ModuleSession {
  return portSession(where, io);
}

function deliver(...channels: ChannelEntry[]): void {
  emulated.deliver({ type: "channels", module: emulated.id, payload: { channels } });
}

describe("status", () => {
  it("is a table for people", async () => {
    emulated.setOnline(false, "connection-error");
    emulated.setSignal(3);
    deliverQuietly();
    expect(await run(moduleStatus(at(options)))).toBe(0);
    expect(io.out).toBe(
      [
        "connection  offline (connection-error)",
        "signal      3 of 5",
        "time        2018-06-21T01:10:57.770Z",
        "product     SCM-LTE-01",
        "unique id   16B0100260",
        "firmware    v1.4.4-000000-0000000",
        "TX queue    0 queued, 32 free; last send done, immediate done",
        "RX queue    1 queued, 31 free",
        "",
      ].join("\n"),
    );
    expect(io.err).toBe("");
  });

  /** Past the check that the module is online. */
  function deliverQuietly(): void {
    emulated.setOnline(true);
    deliver({ channel: 1, type: "i", value: 1 });
    emulated.setOnline(false, "connection-error");
  }

  it("is one object for programs", async () => {
    expect(await run(moduleStatus(at(json)), true)).toBe(0);
    expect(io.out).toBe(
      '{"event":"status","online":true,"last_error":"none","signal":5,"datetime":"2018-06-21T01:10:57.770Z",' +
        '"unix_ms":1529543457770,"product":"SCM-LTE-01","product_id":2,"unique_id":"16B0100260",' +
        '"firmware":"v1.4.4-000000-0000000","tx_queue":{"queued":0,"available":32,"send":"done","immediate":"done"},' +
        '"rx_queue":{"queued":0,"available":32}}\n',
    );
  });
});

describe("echo", () => {
  it("shows what came back, and how long it took", async () => {
    expect(await run(moduleEcho("0f 1e:2D", at(options)))).toBe(0);
    expect(io.out).toMatch(/^0F 1E 2D {2}3 bytes, \d+\.\d ms\n$/);
    expect(await run(moduleEcho("0f", at(json)))).toBe(0);
    expect(JSON.parse(io.out.split("\n")[1] ?? "")).toMatchObject({ event: "echo", hex: "0F", bytes: 1 });
  });

  it("fails when something else comes back", async () => {
    emulated.override("ECHO_BACK", () => Uint8Array.of(1, 2));
    expect(await run(moduleEcho("0f", at(json)), true)).toBe(1);
    expect(JSON.parse(io.out)).toMatchObject({ event: "error", code: "INVALID_PAYLOAD" });
  });

  it("takes digits in pairs alone", async () => {
    expect(await run(moduleEcho("0f1", at(options)))).toBe(2);
    expect(io.err).toMatch(/^sakuraio: .*hexadecimal digits.*\n$/);
    expect(io.out).toBe("");
  });
});

describe("send", () => {
  const values = ["1:i=25", "2:f=23.5", "3:b=0f1e2d3c4b5c6b7a", "4:L=18446744073709551615"];
  const sent = [
    { channel: 1, type: "i", value: 25 },
    { channel: 2, type: "f", value: 23.5 },
    { channel: 3, type: "b", value: Uint8Array.of(0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5c, 0x6b, 0x7a) },
    { channel: 4, type: "L", value: 18446744073709551615n },
  ];

  it("enqueues, and waits until it is sent", async () => {
    expect(await run(moduleSend(values, { immediate: false, offset: -770 }, at(options)))).toBe(0);
    expect(io.out).toBe("sent 4 values\n");
    const datetime = "2018-06-21T01:10:57.000Z";
    expect(log.messages).toMatchObject([{ payload: { channels: sent.map((entry) => ({ ...entry, datetime })) } }]);
  });

  it("sends in between when the queue is full", async () => {
    const many = Array.from({ length: 40 }, (_, i) => `1:i=${i}`);
    expect(await run(moduleSend(many, { immediate: false }, at(json)), true)).toBe(0);
    expect(io.out).toBe('{"event":"sent","values":40}\n');
    const got = log.messages.flatMap((message) => (message.type === "channels" ? message.payload.channels : []));
    expect(got.map(({ value }) => value)).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });

  it("with --immediate leaves the queue alone", async () => {
    expect(await run(moduleEnqueue(["9:i=9"], {}, at(options)))).toBe(0);
    expect(await run(moduleSend(values, { immediate: true }, at(options)))).toBe(0);
    expect(log.messages).toMatchObject([{ payload: { channels: sent } }]);
    expect(emulated.state.txQueue).toHaveLength(1);
  });

  it("with --immediate takes 16 values at most", async () => {
    const many = Array.from({ length: 17 }, (_, i) => `1:i=${i}`);
    expect(await run(moduleSend(many, { immediate: true }, at(options)))).toBe(2);
    expect(io.err).toBe("sakuraio: 1 to 16 values can be sent immediately at once\n");
  });

  it("fails while the module is offline", async () => {
    emulated.setOnline(false);
    expect(await run(moduleSend(["1:i=25"], { immediate: false }, at(json)), true)).toBe(1);
    expect(io.err).toMatch(/^sakuraio: the module could not send.*online.*\n$/);
    expect(JSON.parse(io.out)).toMatchObject({ event: "error", code: "MODULE_REFUSED" });
  });

  it("takes wrong values for wrong usage, before it opens the port", async () => {
    await endpoint.close();
    expect(await run(moduleSend(["1:i=25", "1:x=1"], { immediate: false }, at(options)))).toBe(2);
    expect(io.err).toMatch(/^sakuraio: "1:x=1": the types are i I l L f d b; .*1:i=25.*\n$/);
  });
});

describe("enqueue, queue, flush and clear", () => {
  it("fill, show, send and empty the queue", async () => {
    expect(await run(moduleEnqueue(["1:i=25", "2:i=26"], {}, at(options)))).toBe(0);
    expect(await run(moduleQueue(at(options)))).toBe(0);
    expect(await run(moduleQueue(at(json)))).toBe(0);
    expect(await run(moduleFlush(at(options)))).toBe(0);
    expect(await run(moduleEnqueue(["1:i=25"], {}, at(json)))).toBe(0);
    expect(await run(moduleClear("tx", at(options)))).toBe(0);
    expect(await run(moduleClear("rx", at(json)))).toBe(0);
    expect(await run(moduleFlush(at(json)))).toBe(0);
    expect(io.out.split("\n")).toEqual([
      "enqueued 2 values; 2 in the TX queue",
      "TX queue  2 queued, 30 free; last send done, immediate done",
      "RX queue  0 queued, 32 free",
      '{"event":"queue","tx_queue":{"queued":2,"available":30,"send":"done","immediate":"done"},"rx_queue":{"queued":0,"available":32}}',
      "sent 2 values",
      '{"event":"enqueued","values":1,"queued":1}',
      "the TX queue is empty",
      '{"event":"cleared","queue":"rx"}',
      '{"event":"sent","values":0}',
      "",
    ]);
    expect(log.messages).toHaveLength(1);
  });

  it("say how far they came when the queue is full", async () => {
    const many = Array.from({ length: 33 }, (_, i) => `1:i=${i}`);
    expect(await run(moduleEnqueue(many, {}, at(options)))).toBe(1);
    expect(io.err).toMatch(/^sakuraio: the TX queue is full: it took 32 of 33 values; .*\n$/);
  });
});

describe("receive", () => {
  const channels = [
    { channel: 1, type: "i", value: -25 },
    { channel: 100, type: "L", value: 18446744073709551615n },
    { channel: 3, type: "b", value: Uint8Array.of(0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5c, 0x6b, 0x7a) },
    { channel: 2, type: "f", value: 0.001 },
    { channel: 2, type: "d", value: Number.NaN },
  ] as const satisfies readonly ChannelEntry[];

  it("takes what is there", async () => {
    deliver(...channels);
    expect(await run(moduleReceive({ follow: false }, at(options)))).toBe(0);
    expect(io.out).toBe(
      [
        "ch   1  i  -25  0.000 s ago",
        "ch 100  L  18446744073709551615  0.000 s ago",
        "ch   3  b  0f1e2d3c4b5c6b7a  0.000 s ago",
        "ch   2  f  0.001  0.000 s ago",
        "ch   2  d  NaN  0.000 s ago",
        "",
      ].join("\n"),
    );
    expect(await run(moduleReceive({ follow: false }, at(options)))).toBe(0);
    expect(io.err).toBe("the RX queue is empty\n");
  });

  it("gives programs a line each, exact", async () => {
    deliver(...channels);
    expect(await run(moduleReceive({ follow: false }, at(json)))).toBe(0);
    expect(await run(moduleReceive({ follow: false }, at(json)))).toBe(0);
    expect(io.out).toBe(
      [
        '{"event":"value","channel":1,"type":"i","value":-25,"offset":0}',
        '{"event":"value","channel":100,"type":"L","value":18446744073709551615,"offset":0}',
        '{"event":"value","channel":3,"type":"b","value":"0f1e2d3c4b5c6b7a","offset":0}',
        '{"event":"value","channel":2,"type":"f","value":0.001,"offset":0}',
        '{"event":"value","channel":2,"type":"d","value":null,"offset":0}',
        "",
      ].join("\n"),
    );
    expect(io.err).toBe("");
  });

  it("says how long ago a value came", async () => {
    emulated.override("RX_DEQUEUE", (_request, next) => {
      const value = next();
      return "offset" in value ? { ...value, offset: -4321n } : value;
    });
    deliver({ channel: 1, type: "i", value: 1 });
    expect(await run(moduleReceive({ follow: false }, at(options)))).toBe(0);
    expect(io.out).toBe("ch   1  i  1  4.321 s ago\n");
  });

  it("with --follow goes on until it is stopped, through a lost port and a lost answer", async () => {
    const following = run(moduleReceive({ follow: true, poll: 5 }, at(json)), true);
    deliver({ channel: 1, type: "i", value: 1 });
    await io.written('"value":1,');

    const port = Number(endpoint.uri.split(":").at(-1));
    await endpoint.close();
    await io.written("waiting for it to come back");
    endpoint = await listenTcp({ host: "127.0.0.1", port });
    endpoint.onConnection((duplex) => attachUart(emulated, duplex));
    await io.written("the port is back");
    deliver({ channel: 1, type: "i", value: 2 });
    await io.written('"value":2,');

    const undo = emulated.override("RX_DEQUEUE", () => refuse("LOCKED"));
    await io.written("the module refused RX_DEQUEUE with LOCKED");
    undo();
    deliver({ channel: 1, type: "i", value: 3 });
    await io.written('"value":3,');
    io.stop();
    expect(await following).toBe(0);
    for (const line of io.out.trimEnd().split("\n")) expect(() => JSON.parse(line)).not.toThrow();
  });

  it("with --follow fails at once where there is no module", async () => {
    endpoint.onConnection(() => undefined);
    const silent = await listenTcp({ host: "127.0.0.1", port: 0 });
    const verb = moduleReceive({ follow: true }, at({ port: silent.uri, timeout: 20, json: false }));
    expect(await run(verb)).toBe(1);
    expect(io.err).toMatch(/^sakuraio: the module at tcp:.* does not answer: check its power.*\n$/);
    await silent.close();
  });
});

describe("reset and power-save", () => {
  it("reset restarts the module", async () => {
    expect(await run(moduleReset({ wait: false }, at(options)))).toBe(0);
    expect(await run(moduleReset({ wait: false }, at(json)))).toBe(0);
    expect(io.out).toBe('the module restarts: its queues are empty, and it is offline for now\n{"event":"reset"}\n');
    expect(emulated.state.boots).toBe(2);
  });

  it("power-save reads the mode and sets it, by name or number", async () => {
    expect(await run(modulePowerSave(undefined, at(options)))).toBe(0);
    expect(await run(modulePowerSave("rf-off", at(options)))).toBe(0);
    expect(await run(modulePowerSave("1", at(json)))).toBe(0);
    expect(io.out).toBe('power save  disabled\npower save  rf-off\n{"event":"power-save","mode":"auto-sleep"}\n');
    expect(await run(modulePowerSave("3", at(options)))).toBe(2);
    expect(io.err).toBe('sakuraio: a power-save mode is disabled, auto-sleep, rf-off or 0 to 2, not "3"\n');
  });

  it("power-save says when the firmware is too old for it", async () => {
    emulated.state.firmware = "v1.1.2-170223-7e6ce64";
    expect(await run(modulePowerSave(undefined, at(options)))).toBe(1);
    expect(io.err).toBe(
      "sakuraio: this module's firmware v1.1.2-170223-7e6ce64 has no power saving, which came with 1.4.0: " +
        '"firmware update" updates it\n',
    );
  });
});

describe("the port", () => {
  it("that does not exist is said with those that do, in one line", async () => {
    expect(await run(moduleStatus(at({ ...json, port: "uart:/dev/none-of-that-name" })), true)).toBe(1);
    expect(io.err).toMatch(
      process.platform === "win32"
        ? /^sakuraio: .*\n$/
        : /^sakuraio: there is no \/dev\/none-of-that-name: .*(serial ports here: |no serial port is there).*\n$/,
    );
    expect(JSON.parse(io.out)).toMatchObject({ event: "error", code: "PORT_NOT_FOUND" });
  });

  it.each([
    ["nonsense", undefined, 2],
    ["tcp:127.0.0.1:7000", 9600, 2],
    ["uart:/dev/ttyUSB0?baud=9600", 115200, 2],
    ["i2c:/dev/i2c-1", undefined, 1],
  ] as const)("%s with --baud %s exits %s", async (port, baud, code) => {
    expect(await run(moduleStatus(at({ port, baud, json: false })))).toBe(code);
    expect(io.err).toMatch(/^sakuraio: .+\n$/);
    expect(io.out).toBe("");
  });

  it("is let go when a verb is stopped, which is no failure", async () => {
    emulated.override("GET_PRODUCT_ID", (_request, next) => {
      io.stop();
      return next();
    });
    expect(await run(moduleStatus(at(options)))).toBe(0);
    expect(io.out).toBe("");
    expect(io.err).toBe("");
  });

  it("stopped under a command that must not be repeated, it says so", async () => {
    emulated.override("TX_ENQUEUE", (_request, next) => {
      io.stop();
      return next();
    });
    expect(await run(moduleEnqueue(["1:i=25"], {}, at(options)))).toBe(0);
    expect(io.err).toBe(
      "sakuraio: TX_ENQUEUE was given up; it had been sent, so it may or may not have been carried out: " +
        '"queue" tells what is left there, "flush" sends it, "clear tx" drops it\n',
    );
  });
});

describe("the help", () => {
  const program = new Command("sakuraio").exitOverride();
  registerModuleVerbs(program, () => io);
  const module = program.commands[0];
  const verbs = module?.commands ?? [];

  it("knows all verbs", () => {
    expect(verbs.map((verb) => verb.name())).toEqual([
      "status",
      "echo",
      "queue",
      "send",
      "enqueue",
      "flush",
      "receive",
      "clear",
      "reset",
      "power-save",
      "firmware",
      "raw",
      "file",
      "watch",
      "shell",
    ]);
  });

  it.each(verbs.map((verb) => [verb.name(), verb] as const))(
    "of %s has an example and the options of all",
    (name, verb) => {
      let text = "";
      verb.configureOutput({ writeOut: (part) => (text += part) });
      verb.outputHelp();
      expect(text).toContain(`  sakuraio module --port uart:/dev/ttyUSB0 ${name}`);
      for (const option of ["--port", "--timeout", "--baud", "--trace", "--record", "--json"])
        expect(text).toContain(option);
    },
  );
});
