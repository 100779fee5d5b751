/** `sakuraio emulate --bus-pirate` as a program with a Bus Pirate sees it (design: the command line). */
import { existsSync, lstatSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openBusPirateI2c, openBusPirateSpi } from "../../host/adapter/bus-pirate.ts";
import { openSerialPort } from "../../host/adapter/serial-port.ts";
import { connectTcp } from "../../host/adapter/tcp.ts";
import type { Bus } from "../../host/bus.ts";
import { Running, sakuraio } from "../support/command.ts";
import { LineDriver } from "../support/line-driver.ts";
import { bytes } from "../vectors/bytes.ts";

const MODULE = 0x4f;
const LIMITS = { timeoutMs: 2000 };
/** TX_SENDIMMED channel 0, i, 25 (§2) */
const SEND_25 = bytes("21 0A 00 69 19 00 00 00 00 00 00 00 5B");
const SUCCESS = bytes("01 00 01");
const READING = { waitMs: 0, first: 3, more: () => 0, most: 3 };

type Endpoints = Readonly<Record<string, string>>;

async function start(...args: string[]): Promise<{ emulator: Running; endpoints: Endpoints }> {
  const emulator = new Running(["emulate", "--json", "--send-time", "0", ...args]);
  onTestFinished(async () => {
    await emulator.stop();
  });
  const { endpoints } = await emulator.next("ready");
  return { emulator, endpoints: endpoints as Endpoints };
}

/** Closed with the test. */
async function opened<B extends Bus>(opening: Promise<B>): Promise<B> {
  const bus = await opening;
  onTestFinished(() => bus.close());
  return bus;
}

function tcp(endpoint: string | undefined) {
  const [, host = "", port = ""] = /^tcp:(.*):(\d+)$/.exec(endpoint ?? "") ?? [];
  return connectTcp({ host, port: Number(port) });
}

/** Resolves once stderr matches. */
async function said(emulator: Running, pattern: RegExp): Promise<void> {
  while (!pattern.test(emulator.stderr)) {
    await new Promise((resolve) => emulator.child.stderr.once("data", resolve));
  }
}

function directory(): string {
  const dir = mkdtempSync(join(tmpdir(), "sakuraio-bus-pirate-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

describe("sakuraio emulate --bus-pirate", () => {
  it("is an I2C and an SPI module over TCP, one program after another, and alone it has no UART", async () => {
    const { emulator, endpoints } = await start("--bus-pirate", "tcp:127.0.0.1:0");
    expect(Object.keys(endpoints)).toEqual(["bus_pirate"]);
    const i2c = await openBusPirateI2c(await tcp(endpoints["bus_pirate"]));
    await i2c.write(MODULE, SEND_25, LIMITS);
    expect(await i2c.read(MODULE, 3, LIMITS)).toEqual(SUCCESS);
    expect(await emulator.next("message")).toMatchObject({ message: { payload: { channels: [{ value: 25 }] } } });
    await i2c.close();
    const spi = await opened(openBusPirateSpi(await tcp(endpoints["bus_pirate"])));
    expect(await spi.exchange(SEND_25, READING, LIMITS)).toEqual(SUCCESS);
    expect(await emulator.next("message")).toMatchObject({ message: { payload: { channels: [{ value: 25 }] } } });
  });

  it("is the same module as the one on the UART beside it", async () => {
    const { emulator, endpoints } = await start("--uart", "tcp:127.0.0.1:0", "--bus-pirate", "tcp:127.0.0.1:0");
    expect(Object.keys(endpoints)).toEqual(["uart", "bus_pirate"]);
    const i2c = await opened(openBusPirateI2c(await tcp(endpoints["bus_pirate"])));
    // TX_ENQUEUE on one line, TX_SEND on the other
    await i2c.write(MODULE, bytes("20 0A 01 69 2A 00 00 00 00 00 00 00 68"), LIMITS);
    expect(await i2c.read(MODULE, 3, LIMITS)).toEqual(SUCCESS);
    const driver = await LineDriver.connect(endpoints["uart"] ?? "");
    onTestFinished(() => driver.close());
    expect(await driver.ask("240024")).toBe("*CMD:010001");
    expect(await emulator.next("message")).toMatchObject({
      message: { payload: { channels: [{ channel: 1, value: 42 }] } },
    });
  });

  it("answers after --ready-after, and says on stderr what went wrong on the bus", async () => {
    const { emulator, endpoints } = await start("--bus-pirate", "tcp:127.0.0.1:0", "--ready-after", "60000", "--trace");
    const i2c = await opened(openBusPirateI2c(await tcp(endpoints["bus_pirate"])));
    await i2c.write(MODULE, bytes("02 00 02 FF"), LIMITS);
    expect(await i2c.read(MODULE, 4, LIMITS)).toEqual(bytes("00 00 00 00"));
    await i2c.write(MODULE, bytes("A1 01"), LIMITS);
    await said(emulator, /^bus {3}2 bytes written that are no whole frame: the next answer is 04 00 04$/m);
    expect(emulator.stderr).toMatch(/→ GET_SIGNAL_QUALITY +02 00 02\n/);
    expect(emulator.stderr).toMatch(/^bus {3}1 byte written behind the frame, ignored$/m);
    expect(emulator.stderr).toMatch(/^bus {3}the answer was read before it was ready$/m);
  });

  it.skipIf(process.platform === "win32")("puts a link to a pseudo-terminal, and removes it", async () => {
    const link = join(directory(), "buspirate");
    const { emulator, endpoints } = await start("--bus-pirate", `pty:${link}`);
    expect(endpoints).toEqual({ bus_pirate: link });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    const i2c = await openBusPirateI2c(await openSerialPort({ path: link }));
    await i2c.write(MODULE, SEND_25, LIMITS);
    expect(await i2c.read(MODULE, 3, LIMITS)).toEqual(SUCCESS);
    await i2c.close();
    expect((await emulator.stop("SIGTERM")).code).toBe(0);
    expect(existsSync(link)).toBe(false);
  });

  it("shows a person how to reach each line", async () => {
    const emulator = new Running(["emulate", "--uart", "tcp:127.0.0.1:0", "--bus-pirate", "tcp:127.0.0.1:0"]);
    onTestFinished(async () => {
      await emulator.stop();
    });
    const [, uart, pirate] = await emulator.shows(/online\) at (tcp:\S+) and (tcp:\S+)\n/);
    for (const uri of [uart, `buspirate+i2c:${pirate}`, `buspirate+spi:${pirate}`]) {
      await emulator.shows(new RegExp(`sakuraio module --port ${uri?.replaceAll(/[.+]/g, "\\$&")} status$`, "m"));
    }
    const bus = await openBusPirateI2c(await tcp(pirate));
    await bus.close();
    await said(emulator, / connected\n/);
  });

  it.each([
    [["--bus-pirate", "nonsense"], "an endpoint is"],
    [["--bus-pirate", "pty:/tmp/one", "--uart", "pty:/tmp/one"], "cannot be two lines"],
    [["--bus-pirate", "pty", "--ready-after", "soon"], "from 0 to 60000"],
  ])("%j is wrong usage: one message, exit 2", async (args, says) => {
    const { code, stdout, stderr } = await sakuraio("emulate", ...args);
    expect(stderr).toContain(says);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it.skipIf(process.platform === "win32")("opens both lines or none", async () => {
    const link = join(directory(), "module");
    const { code, stderr } = await sakuraio("emulate", "--uart", `pty:${link}`, "--bus-pirate", "/dev/ttyNONE7");
    expect(stderr).toContain("/dev/ttyNONE7");
    expect(code).toBe(1);
    expect(lstatSync(link, { throwIfNoEntry: false })).toBeUndefined();
  });
});
