/** `sakuraio avr run` as CI and a test in any language see it (design: the command line). */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Line, Running, sakuraio } from "../support/command.ts";
import { caseHex } from "../support/firmware.ts";
import { LineDriver } from "../support/line-driver.ts";

let running: Running[] = [];
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sakuraio-avr-"));
});
afterEach(async () => {
  await Promise.all(running.map((one) => one.stop()));
  running = [];
  rmSync(dir, { recursive: true, force: true });
});

function start(...args: string[]): Running {
  const run = new Running(["avr", "run", ...args]);
  running.push(run);
  return run;
}

const run = (...args: string[]) => sakuraio("avr", "run", ...args);
const events = (stdout: string): Record<string, unknown>[] =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("for CI", () => {
  it("stops when the messages have come, exit 0, the same on every run", async () => {
    const args = [caseHex("twi-send"), "--bus", "i2c", "--until-messages", "2", "--clock", "2017-04-01T04:51:10Z"];
    const runs = [await run(...args, "--json"), await run(...args, "--json")];
    expect(runs.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
      { code: 0, stderr: "" },
      { code: 0, stderr: "" },
    ]);
    expect(runs[0]?.stdout).toBe(runs[1]?.stdout);
    const message = (sent: string, queued: string) =>
      `{"event":"message","message":{"module":"u0123456789ab","type":"channels","datetime":"2017-04-01T04:51:${sent}Z","payload":{"channels":[{"channel":1,"type":"i","value":25,"datetime":"2017-04-01T04:51:${queued}Z"}]}}}`;
    expect(runs[0]?.stdout.split("\n")).toEqual([
      '{"event":"ready","bus":"i2c","endpoints":{}}',
      '{"event":"serial","text":"010001"}',
      '{"event":"serial","text":"010001"}',
      message("10.112", "10.001"),
      '{"event":"serial","text":"010001"}',
      '{"event":"serial","text":"010001"}',
      message("11.135", "11.024"),
      expect.stringMatching(/^\{"event":"end","reason":"messages","messages":2,"simulated_seconds":1\.13\d+\}$/),
      "",
    ]);
  });

  it("says what it saw when they have not, exit 1", async () => {
    const { code, stdout, stderr } = await run(
      ...[caseHex("wrong-address"), "--bus", "i2c", "--until-messages", "3", "--max-time", "0.5", "--json"],
    );
    expect(code).toBe(1);
    expect(stderr).toContain("note  the firmware asks for the I2C address 0x50; the module is at 0x4F\n");
    const last = stderr.trim().split("\n").at(-1);
    expect(last).toMatch(
      /^sakuraio: 0\.5 simulated seconds passed and 0 of 3 messages came: it asked the module nothing; its TWI sent \d+ STARTs, it asks for the address 0x50, 0x51; its serial output ends with /,
    );
    expect(events(stdout).slice(-2)).toEqual([
      { event: "end", reason: "max-time", messages: 0, simulated_seconds: expect.closeTo(0.5, 5) },
      { event: "error", code: "TIMEOUT", message: expect.stringContaining("0 of 3 messages came") },
    ]);
  });

  it("ends at --max-time where no messages are asked for, exit 0", async () => {
    const { code, stdout, stderr } = await run(
      ...[caseHex("blink"), "--bus", "i2c", "--max-time", "1.1", "--watch", "D13,PB0", "--watch", "2", "--json"],
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const pins = events(stdout).filter(({ event }) => event === "pin");
    expect(pins.map(({ pin, level }) => `${pin} ${level}`)).toEqual(["D13 low", "D13 high", "D13 low", "D13 high"]);
    expect(pins[2]?.["time"]).toBeCloseTo(0.25, 3);
  });

  it("stops a firmware that runs away, exit 1", async () => {
    const { code, stdout, stderr } = await run(caseHex("runaway"), "--bus", "i2c", "--json");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^sakuraio: the firmware ran away: it ran into erased flash at 0x4000 \(after [\d.]+ sim/);
    expect(events(stdout)).toEqual([
      { event: "ready", bus: "i2c", endpoints: {} },
      { event: "serial", text: "bye" },
      { event: "end", reason: "failed", messages: 0, simulated_seconds: expect.any(Number) },
      { event: "error", code: "FIRMWARE_FAILED", message: expect.any(String) },
    ]);
  });

  it("runs on SPI and on the USART too", async () => {
    const spi = await run(caseHex("spi-mode2"), "--bus", "spi", "--cs", "D9", "--until-messages", "1");
    expect(spi.stderr).toContain("note  the firmware uses SPI mode 2; the module speaks mode 0\n");
    expect(spi.stdout).toMatch(/^up {4}\{"module":"u0123456789ab".*"value":25/m);
    expect(spi.code).toBe(0);
    const uart = await run(caseHex("uart-send"), "--bus", "uart", "--until-messages", "1", "--id", "u9");
    expect(uart.stdout).toMatch(/^up {4}\{"module":"u9".*"channel":2,"type":"i","value":5/m);
    expect(uart.code).toBe(0);
  });
});

describe("while it runs", () => {
  it("takes downlinks and controls on stdin, and stops on SIGINT with exit 0", async () => {
    const avr = start(caseHex("twi-send"), "--bus", "i2c", "--real-time", "--json");
    await avr.next("ready");
    avr.say(
      '{"type":"channels","module":"u0123456789ab","payload":{"channels":[{"channel":1,"type":"i","value":42}]}}',
    );
    expect(await avr.next("downlink")).toEqual({ event: "downlink", accepted: true });
    avr.say('{"control":"offline"}');
    const isConnection = ({ message }: Line) => (message as { type: string }).type === "connection";
    expect(await avr.next("message", isConnection)).toMatchObject({ message: { payload: { is_online: false } } });
    expect(await avr.next("control")).toEqual({ event: "control", ok: true });
    const { code } = await avr.stop("SIGINT");
    expect(code).toBe(0);
    expect(avr.lines.at(-1)).toMatchObject({ event: "end", reason: "stopped" });
  });

  it("has the firmware's serial port on an endpoint, both ways", async () => {
    const avr = start(caseHex("echo"), "--bus", "i2c", "--serial", "tcp:127.0.0.1:0", "--real-time", "--json");
    const { endpoints } = await avr.next("ready");
    const driver = await LineDriver.connect((endpoints as { serial: string }).serial);
    driver.write("hello\n");
    expect(await driver.line()).toBe("got hello\n");
    driver.close();
    expect((await avr.stop()).stdout).not.toContain('"event":"serial"');
  });

  it("shows a person the serial output, a prompt without an end too", async () => {
    const { stdout, stderr, code } = await run(caseHex("prompt"), "--bus", "i2c", "--max-time", "0.5");
    expect({ stdout, code }).toEqual({ stdout: "hello\n> \n", code: 0 });
    expect(stderr).toBe("end   0 messages in 0.500 simulated seconds\n");
  });

  it("prints each request and its answer with --trace, in simulated time", async () => {
    const { stderr } = await run(
      ...[caseHex("twi-send"), "--bus", "i2c", "--trace", "--max-time", "0.02", "--clock", "2017-04-01T04:51:10Z"],
    );
    expect(stderr).toMatch(/^04:51:10\.001 → TX_ENQUEUE +20 0A 01 69 19/m);
  });
});

describe("wrong usage is one message, exit 2", () => {
  const hex = caseHex("silent");
  it.each([
    [[hex], "--bus"],
    [[hex, "--bus", "can"], "Allowed choices are i2c, spi, uart"],
    [[hex, "--bus", "spi", "--cs", "D77"], "a pin is D0 to D13"],
    [[hex, "--bus", "i2c", "--cs", "D9"], "--cs is for --bus spi"],
    [[hex, "--bus", "uart", "--serial", "pty"], "the firmware's USART is the module's"],
    [[hex, "--bus", "i2c", "--watch", "LED"], "a pin is D0 to D13"],
    [[hex, "--bus", "i2c", "--max-time", "0"], "a number of seconds above 0"],
    [[hex, "--bus", "i2c", "--max-time", "soon"], "a number of seconds above 0"],
    [[hex, "--bus", "i2c", "--until-messages", "0"], "from 1 to"],
    [[hex, "--bus", "i2c", "--faults", "flip=7"], "flip"],
    [[hex, "--bus", "i2c", "--clock", "yesterday"], "RFC 3339"],
    [[hex, "--bus", "i2c", "--id", "a/b"], "no / # +"],
    [["/nowhere.hex", "--bus", "i2c"], "cannot read /nowhere.hex"],
    [["--bus", "i2c"], "missing required argument"],
  ])("%j", async (args, says) => {
    const { code, stdout, stderr } = await run(...args);
    expect(stderr).toContain(says);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it("for a .hex that is damaged or too large, with its line", async () => {
    const damaged = join(dir, "damaged.hex");
    writeFileSync(damaged, ":060000000C943500FFCF58\n:00000001FF\n");
    const { code, stderr } = await run(damaged, "--bus", "i2c");
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `sakuraio: ${damaged}: line 1 of the .hex file: wrong checksum: 0x58 where 0x57 belongs\n`,
    });
    writeFileSync(damaged, ":060000000C943400FFCF58\n:02800000AABB19\n:00000001FF\n");
    expect((await run(damaged, "--bus", "i2c")).stderr).toContain("line 2 of the .hex file: data at 0x8000, beyond");
  });
});
