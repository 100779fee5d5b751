/** `sakuraio emulate` as a test in any language sees it (design: the command line). */
import { existsSync, lstatSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Running, sakuraio } from "../support/command.ts";
import { LineDriver } from "../support/line-driver.ts";

const TCP = ["emulate", "--uart", "tcp:127.0.0.1:0", "--json"];
let running: Running[] = [];
let drivers: LineDriver[] = [];
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sakuraio-emulate-"));
});
afterEach(async () => {
  for (const driver of drivers) driver.close();
  await Promise.all(running.map((one) => one.stop()));
  running = [];
  drivers = [];
  rmSync(dir, { recursive: true, force: true });
});

async function start(...args: string[]): Promise<{ emulator: Running; uart: string }> {
  const emulator = new Running(args);
  running.push(emulator);
  const { endpoints } = await emulator.next("ready");
  return { emulator, uart: (endpoints as { uart: string }).uart };
}

async function startWithDriver(...args: string[]): Promise<{ emulator: Running; driver: LineDriver }> {
  const { emulator, uart } = await start(...TCP, ...args);
  const driver = await LineDriver.connect(uart);
  drivers.push(driver);
  return { emulator, driver };
}

describe("with --json", () => {
  it("prints each message exactly as it would be published, 64-bit integers exact", async () => {
    const { emulator, driver } = await startWithDriver("--send-time", "0");
    // TX_ENQUEUE channel 1, L, 2^64-1; channel 2, f, 0.001 (6F 12 83 3A); TX_SEND (module-protocol §2)
    expect(await driver.ask("200A014CFFFFFFFFFFFFFFFF67")).toBe("*CMD:010001");
    expect(await driver.ask("200A02666F12833A000000008A")).toBe("*CMD:010001");
    expect(await driver.ask("240024")).toBe("*CMD:010001");
    const { message } = await emulator.next("message");
    expect(message).toMatchObject({ module: "u0123456789ab", type: "channels" });
    expect(emulator.stdout).toMatch(
      /\{"event":"message","message":\{"module":"u0123456789ab","type":"channels","datetime":"[^"]+Z","payload":\{"channels":\[\{"channel":1,"type":"L","value":18446744073709551615,"datetime":"[^"]+Z"\},\{"channel":2,"type":"f","value":0\.001,"datetime":"[^"]+Z"\}\]\}\}\}\n/,
    );
  });

  it("answers downlinks and controls on stdin, and lives on when stdin ends", async () => {
    const { emulator, driver } = await startWithDriver("--rx-queue", "1");
    emulator.say(
      '{"type":"channels","module":"u0123456789ab","payload":{"channels":[{"channel":1,"type":"l","value":-9223372036854775808}]}}',
    );
    expect(await emulator.next("downlink")).toEqual({ event: "downlink", accepted: true });
    emulator.say(
      '{"type":"channels","module":"u0123456789ab","payload":{"channels":[{"channel":1,"type":"i","value":1}]}}',
    );
    expect(await emulator.next("downlink")).toMatchObject({
      accepted: false,
      reason: expect.stringContaining("RX queue"),
    });
    emulator.say(
      '{"type":"channels","module":"u0123456789ab","payload":{"channels":[{"channel":1,"type":"i","value":2147483648}]}}',
    );
    expect(await emulator.next("downlink")).toMatchObject({
      accepted: false,
      reason: expect.stringContaining("payload.channels[0].value"),
    });
    emulator.say("not json");
    expect(await emulator.next("downlink")).toMatchObject({
      accepted: false,
      reason: expect.stringContaining("not JSON"),
    });
    for (const control of [
      '{"control":"signal","value":3}',
      '{"control":"faults","value":"busy=0"}',
      '{"control":"offline"}',
    ]) {
      emulator.say(control);
      expect(await emulator.next("control"), control).toEqual({ event: "control", ok: true });
    }
    for (const control of [
      '{"control":"signal","value":9}',
      '{"control":"fly"}',
      '{"control":"faults","value":"flip=2"}',
    ]) {
      emulator.say(control);
      expect(await emulator.next("control"), control).toMatchObject({ ok: false, reason: expect.any(String) });
    }
    emulator.child.stdin.end('{"control":"online"}');
    expect(await emulator.next("control")).toEqual({ event: "control", ok: true });
    // GET_SIGNAL_QUALITY: 3; GET_CONNECTION_STATUS: online
    expect(await driver.ask("020002")).toBe("*CMD:01010303");
    expect(await driver.ask("010001")).toBe("*CMD:01018080");
  });

  it("tells the platform of each change of connection", async () => {
    const { emulator } = await start(...TCP);
    emulator.say('{"control":"offline"}');
    expect(await emulator.next("message")).toMatchObject({
      message: { type: "connection", payload: { is_online: false } },
    });
    emulator.say('{"control":"online"}');
    expect(await emulator.next("message")).toMatchObject({
      message: { type: "connection", payload: { is_online: true } },
    });
  });
});

describe("options", () => {
  it("set the module", async () => {
    writeFileSync(join(dir, "2.txt"), "123456789");
    const { emulator, driver } = await startWithDriver(
      ...["--unique-id", "17X0000001", "--product", "3", "--offline", "--tx-queue", "2", "--files", dir],
      ...["--file-delay", "0", "--firmware", "v1.1.2-170223-7e6ce64", "--clock", "2017-04-01T04:51:10Z"],
    );
    expect(await driver.ask("A100A1")).toBe("*CMD:010A3137583030303030303164");
    expect(await driver.ask("A000A0")).toBe("*CMD:0102030000");
    expect(await driver.ask("010001")).toBe("*CMD:01010101");
    expect(await driver.ask("220022")).toBe("*CMD:0102020001");
    emulator.say('{"control":"online"}');
    await emulator.next("control");
    expect(await driver.ask("4002020040")).toBe("*CMD:010001");
    let metadata = await driver.ask("410041");
    // BUSY until it has been read.
    while (metadata === "*CMD:070007") metadata = await driver.ask("410041");
    // status ok, size 9, time, CRC-32 CBF43926
    expect(metadata).toMatch(/^\*CMD:01110009000000.{16}2639F4CB..$/);
    expect(await driver.ask("4401FFBA")).toBe("*CMD:010931323334353637383939");
    // Power saving is not in 1.1.2: MISSING
    expect(await driver.ask("B100B1")).toBe("*CMD:030003");
    // 0x0000015B27DA4E30 ms is the given time; the clock goes on from there.
    expect(await driver.ask("030003")).toMatch(/^\*CMD:0108....DA275B010000..$/);
  });

  it.each([
    [["--uart", "nonsense"], "an endpoint is"],
    [["--faults", "flip=7"], "flip"],
    [["--tx-queue", "0"], "from 1 to 255"],
    [["--rx-queue", "256"], "from 1 to 255"],
    [["--unique-id", "short"], "10 ASCII characters"],
    [["--id", "a/b"], "no / # +"],
    [["--clock", "yesterday"], "RFC 3339"],
    [["--update-result", "great"], "one of ok"],
    [["--nonsense"], "unknown option"],
  ])("%j is wrong usage: one message, exit 2", async (args, says) => {
    const { code, stdout, stderr } = await sakuraio("emulate", ...args);
    expect(stderr).toContain(says);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it("says that a port is not there, and which are, exit 1", async () => {
    const { code, stderr } = await sakuraio("emulate", "--uart", "/dev/ttyNONE7");
    expect(stderr).toMatch(/ttyNONE7.*\n?.*serial port/s);
    expect(code).toBe(1);
  });
});

describe.skipIf(process.platform === "win32")("on a pseudo-terminal", () => {
  it("puts a link that can be talked to, replaces another link only, and removes it", async () => {
    const link = join(dir, "module");
    symlinkSync("/nowhere", link);
    const { emulator, uart } = await start("emulate", "--uart", `pty:${link}`, "--json");
    expect(uart).toBe(link);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect((await emulator.stop("SIGTERM")).code).toBe(0);
    expect(existsSync(link)).toBe(false);

    writeFileSync(link, "a file of mine");
    const { code, stderr } = await sakuraio("emulate", "--uart", `pty:${link}`);
    expect(stderr).toContain(link);
    expect(code).toBe(2);
  });
});

it("shows a person where it is, what to try, and what goes by", async () => {
  const emulator = new Running(["emulate", "--uart", "tcp:127.0.0.1:0", "--send-time", "0", "--trace"]);
  running.push(emulator);
  const [, uri] = await emulator.shows(/sakuraio module --port (tcp:\S+) status/);
  const driver = await LineDriver.connect(uri ?? "");
  drivers.push(driver);
  // TX_SENDIMMED channel 0, i, 25
  expect(await driver.ask("210A006919000000000000005B")).toBe("*CMD:010001");
  await emulator.shows(/up {4}\{"module":"u0123456789ab".*"value":25/);
  emulator.say('{"control":"offline"}');
  await emulator.shows(/^ok$/m);
  expect(emulator.stderr).toMatch(/→ TX_SENDIMMED +21 0A 00 69 19/);
});
