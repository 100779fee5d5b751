/** What can be told of a serial port without opening it: who may, who has it, and an FTDI adapter's latency timer. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openPty, type PtyEndpoint } from "../../emulator/bus/pty.ts";
import { readLatencyTimer } from "../../host/adapter/latency-timer.ts";
import { portAccess } from "../../host/adapter/port-access.ts";
import { holderText } from "../../host/adapter/port-holder.ts";
import { openSerialPort } from "../../host/adapter/serial-port.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "port-access-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe.skipIf(process.platform !== "linux")("portAccess", () => {
  let pty: PtyEndpoint;
  beforeEach(async () => {
    pty = await openPty({ link: join(folder, "port") });
  });
  afterEach(() => pty.close());

  it("says that a port is there and allowed, and that nobody has it", async () => {
    expect(await portAccess(pty.path)).toEqual({ exists: true, allowed: true });
  });

  it("names this program, and says that it holds the lock", async () => {
    const port = await openSerialPort({ path: pty.path });
    const { holder } = await portAccess(pty.path);
    expect(holder).toMatchObject({ pid: process.pid, locked: true });
    await port.close();
  });

  it("names another program that has it open without a lock", async () => {
    const descriptor = openSync(pty.device, "r+");
    const child = spawn("sleep", ["60"], { stdio: ["ignore", "ignore", "ignore", descriptor] });
    const ended = once(child, "exit");
    await once(child, "spawn");
    try {
      const { holder } = await portAccess(pty.path);
      expect(holder).toEqual({ pid: child.pid, name: "sleep", locked: false });
    } finally {
      child.kill();
      await ended;
      closeSync(descriptor);
    }
  });

  it("says that there is none", async () => {
    const path = join(folder, "ttyUSB9");
    expect(await portAccess(path)).toEqual({
      exists: false,
      allowed: false,
      problem: `there is no ${path}: check the name and the cable`,
    });
  });
});

describe("holderText", () => {
  it("has the name where it is known", () => {
    expect(holderText({ pid: 4711, name: "picocom", locked: true })).toBe("picocom (process 4711)");
    expect(holderText({ pid: 4711, name: undefined, locked: false })).toBe("process 4711");
  });
});

describe("readLatencyTimer", () => {
  it.skipIf(process.platform === "win32")("reads it from the driver, also for a link to the port", async () => {
    mkdirSync(join(folder, "sys/bus/usb-serial/devices/ttyUSB3"), { recursive: true });
    const file = join(folder, "sys/bus/usb-serial/devices/ttyUSB3/latency_timer");
    writeFileSync(file, "16\n");
    writeFileSync(join(folder, "ttyUSB3"), "");
    symlinkSync("ttyUSB3", join(folder, "usb-FTDI_A50285BI-if00-port0"));
    const roots = { sys: join(folder, "sys") };
    expect(await readLatencyTimer(join(folder, "ttyUSB3"), roots)).toEqual({ ms: 16, file });
    expect(await readLatencyTimer(join(folder, "usb-FTDI_A50285BI-if00-port0"), roots)).toEqual({ ms: 16, file });
  });

  it("is nothing for an adapter that has none", async () => {
    expect(await readLatencyTimer("/dev/ttyACM0", { sys: join(folder, "sys") })).toBeUndefined();
  });
});
