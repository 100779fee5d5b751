import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openPty, type PtyEndpoint } from "../../emulator/bus/pty.ts";
import { groupThatMayOpen } from "../../host/adapter/port-access.ts";
import { describePorts, explainOpenFailure } from "../../host/adapter/serial-failure.ts";
import { openSerialPort } from "../../host/adapter/serial-port.ts";
import type { ByteDuplex } from "../../protocol/bus.ts";
import { ended, everyByte, pattern, Received, sameBytes } from "../support/duplex.ts";
import { failsWith } from "../support/errors.ts";
import { uncaughtBy } from "../support/uncaught.ts";
import { asOrdinaryUser } from "../support/user.ts";

const onLinux = process.platform === "linux";
const namesThePorts = /serial ports here: |no serial port is there/;

let module_: PtyEndpoint;
let folder: string;
let children: ChildProcess[];

describe.skipIf(process.platform === "win32")("openSerialPort", () => {
  const ports: ByteDuplex[] = [];

  async function openPort(path = module_.path): Promise<ByteDuplex> {
    const port = await openSerialPort({ path });
    ports.push(port);
    return port;
  }

  beforeEach(async () => {
    module_ = await openPty();
    folder = mkdtempSync(join(tmpdir(), "serial-test-"));
    children = [];
  });
  afterEach(async () => {
    for (const port of ports.splice(0)) await port.close();
    for (const child of children) {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    }
    await module_.close();
    rmSync(folder, { recursive: true });
  });

  it("passes all 256 byte values both ways", async () => {
    const atModule = new Received(module_.duplex);
    const port = await openPort();
    expect(port.name).toBe(module_.path);
    const atHost = new Received(port);
    port.write(everyByte);
    expect(await atModule.take(256)).toEqual(everyByte);
    module_.duplex.write(everyByte);
    expect(await atHost.take(256)).toEqual(everyByte);
  });

  it("drops what was received before it was opened, and echoes nothing back", async () => {
    const atModule = new Received(module_.duplex);
    module_.duplex.write(Uint8Array.of(1, 2, 3));
    const atHost = new Received(await openPort());
    module_.duplex.write(Uint8Array.of(4));
    expect(await atHost.take(1)).toEqual(Uint8Array.of(4));
    expect(atModule.untaken).toBe(0);
  });

  it("carries 100 KB each way at once, whole", async () => {
    const burst = pattern(102_400);
    const atModule = new Received(module_.duplex);
    const port = await openPort();
    const atHost = new Received(port);
    for (let at = 0; at < burst.length; at += 1000) {
      port.write(burst.subarray(at, at + 1000));
      module_.duplex.write(burst.subarray(at, at + 1000));
    }
    expect(sameBytes(await atModule.take(burst.length), burst)).toBe(true);
    expect(sameBytes(await atHost.take(burst.length), burst)).toBe(true);
  });

  it("keeps its own copy of bytes that wait: the writer may use its buffer again", async () => {
    const port = await openPort();
    const sent = new Uint8Array(100_000).fill(0x11);
    const atModule = new Received(module_.duplex);
    port.write(sent);
    sent.fill(0x22);
    expect((await atModule.take(100_000)).every((byte) => byte === 0x11)).toBe(true);
  });

  it("opens again after a close, twenty times", async () => {
    const atModule = new Received(module_.duplex);
    for (let round = 0; round < 20; round++) {
      const port = await openSerialPort({ path: module_.path });
      const atHost = new Received(port);
      port.write(Uint8Array.of(round));
      expect(await atModule.take(1)).toEqual(Uint8Array.of(round));
      module_.duplex.write(Uint8Array.of(round, 0));
      expect(await atHost.take(2)).toEqual(Uint8Array.of(round, 0));
      const end = ended(port);
      await port.close();
      await port.close();
      expect(await end).toBeUndefined();
    }
  });

  it.skipIf(!onLinux)("leaves no descriptor behind", async () => {
    await (await openSerialPort({ path: module_.path })).close();
    const before = readdirSync("/proc/self/fd").length;
    for (let round = 0; round < 50; round++) await (await openSerialPort({ path: module_.path })).close();
    expect(readdirSync("/proc/self/fd").length).toBe(before);
  });

  it("lets what a listener throws surface, and works on", async () => {
    const port = await openPort();
    const remove = port.onBytes(() => {
      throw new Error("from the listener");
    });
    expect(await uncaughtBy(() => module_.duplex.write(Uint8Array.of(1)))).toMatchObject({
      message: "from the listener",
    });
    remove();
    const atHost = new Received(port);
    module_.duplex.write(Uint8Array.of(2));
    expect(await atHost.take(1)).toEqual(Uint8Array.of(2));
  });

  it("says PORT_LOST when the port vanishes, and closes all the same", async () => {
    const port = await openPort();
    const end = ended(port);
    await module_.close();
    const reason = await end;
    expect(reason?.code).toBe("PORT_LOST");
    expect(reason?.context).toEqual({ port: module_.path });
    port.write(Uint8Array.of(1));
    await port.close();
  });

  it("says PORT_LOST also when the port vanishes right behind its last bytes", async () => {
    for (let round = 0; round < 30; round++) {
      const endpoint = await openPty();
      const port = await openSerialPort({ path: endpoint.path });
      const end = ended(port);
      endpoint.duplex.write(Uint8Array.of(1, 2, 3));
      for (let turn = 0; turn < round % 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      await endpoint.close();
      expect((await end)?.code).toBe("PORT_LOST");
      await port.close();
    }
  });

  it("says PORT_NOT_FOUND for a path that is not there, and which ports are", async () => {
    const path = join(folder, "ttyUSB9");
    const error = await failsWith("PORT_NOT_FOUND", openSerialPort({ path }));
    expect(error.message).toContain(path);
    expect(error.message).toMatch(namesThePorts);
    expect(error.context).toEqual({ port: path });
    expect(error.cause).toBeInstanceOf(Error);
  });

  it("says PORT_BUSY when this program has it open already", async () => {
    await openPort();
    const error = await failsWith("PORT_BUSY", openSerialPort({ path: module_.path }));
    expect(error.message).toContain(module_.path);
    expect(error.message).toMatch(namesThePorts);
    if (onLinux) expect(error.context).toMatchObject({ holder: process.pid });
  });

  it("says PORT_BUSY when another program has it, names that program, and opens once it is gone", async () => {
    const other = spawn(process.execPath, ["-e", holdPort, module_.path], { stdio: ["pipe", "pipe", "inherit"] });
    children.push(other);
    const [said] = await once(other.stdout, "data");
    expect(String(said)).toBe("open\n");
    const error = await failsWith("PORT_BUSY", openSerialPort({ path: module_.path }));
    if (onLinux) {
      expect(error.context).toMatchObject({ holder: other.pid });
      expect(error.message).toContain(`process ${other.pid}`);
    }
    other.kill();
    await once(other, "exit");
    await openPort();
  });

  it("says PORT_DENIED and how to get the permission", async () => {
    // The modules are loaded by the first test's opening; an ordinary user may not be able to read them here.
    await (await openSerialPort({ path: module_.path })).close();
    const gid = anyOrdinaryGroup();
    if (process.geteuid?.() === 0 && gid !== undefined) chownSync(module_.path, 0, gid);
    chmodSync(module_.path, 0o060);
    const error = await asOrdinaryUser(() => failsWith("PORT_DENIED", openSerialPort({ path: module_.path })));
    expect(error.message).toContain(`no permission to open ${module_.path}`);
    expect(error.message).toMatch(namesThePorts);
    if (process.geteuid?.() === 0 && gid !== undefined) {
      expect(error.message).toContain(groupThatMayOpen({ mode: 0o060, gid }, readFileSync("/etc/group", "utf8")));
      expect(error.message).toContain("$USER");
    }
  });

  it.skipIf(!onLinux)("says PORT_BUSY when another program has claimed it without a lock", async () => {
    await (await openSerialPort({ path: module_.path })).close();
    chmodSync(module_.path, 0o666);
    const other = spawn(process.execPath, ["-e", claimPort, module_.path], { stdio: ["pipe", "pipe", "inherit"] });
    children.push(other);
    const [said] = await once(other.stdout, "data");
    expect(String(said)).toBe("claimed\n");
    // The claim does not hold against root.
    const error = await asOrdinaryUser(() => failsWith("PORT_BUSY", openSerialPort({ path: module_.path })));
    expect(error.message).toContain(`${module_.path} open: end that program`);
    expect(error.message).toMatch(namesThePorts);
  });

  it("says PORT_FAILED for what is no serial port", async () => {
    const path = join(folder, "notes.txt");
    writeFileSync(path, "not a port");
    for (const other of [path, folder, "/dev/null"]) {
      const error = await failsWith("PORT_FAILED", openSerialPort({ path: other }));
      expect(error.message).toContain(`${other} is not a serial port`);
      expect(error.message).toMatch(namesThePorts);
    }
    expect(readFileSync(path, "utf8")).toBe("not a port");
  });

  it.each([0, -9600, 1.5, Number.NaN])("refuses the baud rate %s", async (baudRate) => {
    await failsWith("INVALID_ARGUMENT", openSerialPort({ path: module_.path, baudRate }));
  });

  it("refuses an empty path", async () => {
    await failsWith("INVALID_ARGUMENT", openSerialPort({ path: "" }));
  });

  it("says ABORTED for a signal that is raised already", async () => {
    const reason = new Error("changed my mind");
    const error = await failsWith("ABORTED", openSerialPort({ path: module_.path, signal: AbortSignal.abort(reason) }));
    expect(error.cause).toBe(reason);
  });

  it("says ABORTED for a signal that is raised meanwhile, and closes the port that opens nevertheless", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const listen = signal.addEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof listen>) => {
      listen(...args);
      // The system's opening has begun by then, and is not over: that takes a turn of the event loop.
      queueMicrotask(() => controller.abort());
    };
    await failsWith("ABORTED", openSerialPort({ path: module_.path, signal }));
    // The lock is free again as soon as the late port is closed.
    const port = await vi.waitFor(() => openSerialPort({ path: module_.path }), { interval: 1, timeout: 4000 });
    await port.close();
    if (onLinux) expect(ownDescriptorsOf(module_.device)).toBe(1);
  });

  it("does not mind a signal that is raised afterwards", async () => {
    const controller = new AbortController();
    const port = await openSerialPort({ path: module_.path, signal: controller.signal });
    ports.push(port);
    controller.abort();
    const atHost = new Received(port);
    module_.duplex.write(Uint8Array.of(5));
    expect(await atHost.take(1)).toEqual(Uint8Array.of(5));
  });
});

/** Another program, with the library itself and none of this package. */
const holdPort = `
  const { SerialPort } = require("serialport");
  const port = new SerialPort({ path: process.argv[1], baudRate: 9600 }, (error) => {
    process.stdout.write(error ? String(error) + "\\n" : "open\\n");
  });
  process.stdin.resume();
`;

/** What screen and many terminal programs do: TIOCEXCL instead of a lock. */
const claimPort = `
  const fd = require("node:fs").openSync(process.argv[1], "r+");
  const ioctl = require("koffi").load(null).func("int ioctl(int fd, unsigned long request, ...)");
  process.stdout.write(ioctl(fd, 0x540c) === 0 ? "claimed\\n" : "refused\\n");
  process.stdin.resume();
`;

function ownDescriptorsOf(device: string): number {
  const links = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "";
    }
  });
  return links.filter((link) => link === device).length;
}

function anyOrdinaryGroup(): number | undefined {
  const gids = readFileSync("/etc/group", "utf8")
    .split("\n")
    .map((line) => Number(line.split(":")[2]));
  return gids.find((gid) => gid > 0 && gid < 65534);
}

describe("the words of a failure", () => {
  it("name each port with what it is", () => {
    expect(describePorts([])).toBe("no serial port is there");
    expect(
      describePorts([
        { path: "/dev/ttyUSB0", manufacturer: "FTDI", vendorId: "0403", productId: "6015" },
        { path: "/dev/ttyACM0" },
      ]),
    ).toBe("serial ports here: /dev/ttyUSB0 (FTDI, 0403:6015), /dev/ttyACM0");
  });

  it("name the group to join, and none where that would not help or should not be", () => {
    const groups = "root:x:0:\ntty:x:5:\ndialout:x:20:someone\n";
    expect(groupThatMayOpen({ mode: 0o20660, gid: 20 }, groups)).toBe("dialout");
    expect(groupThatMayOpen({ mode: 0o20660, gid: 986 }, groups)).toBe("986");
    expect(groupThatMayOpen({ mode: 0o20620, gid: 5 }, groups)).toBeUndefined();
    expect(groupThatMayOpen({ mode: 0o20660, gid: 0 }, groups)).toBeUndefined();
  });

  it.each([
    ["Opening COM3: File not found", "PORT_NOT_FOUND"],
    ["Opening COM3: Access denied", "PORT_BUSY"],
    ["Opening COM3: Unknown error code 31", "PORT_FAILED"],
  ])("tell Windows' errors apart: %s", async (text, code) => {
    const platform = Object.getOwnPropertyDescriptor(process, "platform");
    Object.defineProperty(process, "platform", { ...platform, value: "win32" });
    try {
      expect((await explainOpenFailure("COM3", new Error(text), [])).code).toBe(code);
    } finally {
      if (platform) Object.defineProperty(process, "platform", platform);
    }
  });
});
