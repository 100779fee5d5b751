import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openPty, type PtyEndpoint, type PtyOptions } from "../../emulator/bus/pty.ts";
import { ended, everyByte, pattern, Received, sameBytes } from "../support/duplex.ts";
import { failsWith } from "../support/errors.ts";
import { uncaughtBy } from "../support/uncaught.ts";
import { asOrdinaryUser } from "../support/user.ts";

const onLinux = process.platform === "linux";
const opened: PtyEndpoint[] = [];

async function pty(options?: PtyOptions): Promise<PtyEndpoint> {
  const endpoint = await openPty(options);
  opened.push(endpoint);
  return endpoint;
}

/** A driver that sets nothing: what it sees is what the pseudo-terminal was made to be. */
function plainDriver(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDWR | constants.O_NOCTTY);
}

async function readExactly(driver: FileHandle, length: number, pieces = length): Promise<Uint8Array> {
  const whole = Buffer.alloc(length);
  let got = 0;
  while (got < length) {
    const { bytesRead } = await driver.read(whole, got, Math.min(pieces, length - got), null);
    got += bytesRead;
  }
  return new Uint8Array(whole);
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pty-test-"));
});
afterEach(async () => {
  for (const endpoint of opened.splice(0)) await endpoint.close();
  rmSync(folder, { recursive: true });
});

describe.skipIf(process.platform === "win32")("openPty", () => {
  it("passes all 256 byte values both ways untouched, for a driver that sets nothing", async () => {
    const { path, duplex } = await pty();
    const received = new Received(duplex);
    const driver = await plainDriver(path);
    await driver.write(everyByte);
    expect(await received.take(256)).toEqual(everyByte);
    duplex.write(everyByte);
    expect(await readExactly(driver, 256)).toEqual(everyByte);
    await driver.close();
  });

  it("has no echo for a driver that opens late: what the module wrote does not come back to it", async () => {
    const { path, duplex } = await pty();
    const received = new Received(duplex);
    duplex.write(Uint8Array.of(0x41, 0x0d, 0x0a, 0x03, 0x04));
    const driver = await plainDriver(path);
    expect(await readExactly(driver, 5)).toEqual(Uint8Array.of(0x41, 0x0d, 0x0a, 0x03, 0x04));
    await driver.write(Uint8Array.of(0x5a));
    expect(await received.take(1)).toEqual(Uint8Array.of(0x5a));
    expect(received.untaken).toBe(0);
    await driver.close();
  });

  it("stays as it is while drivers open and close it, one after the other", async () => {
    const { path, duplex } = await pty();
    const received = new Received(duplex);
    for (let round = 0; round < 20; round++) {
      const driver = await plainDriver(path);
      await driver.write(Uint8Array.of(round, 0x0d));
      expect(await received.take(2)).toEqual(Uint8Array.of(round, 0x0d));
      duplex.write(Uint8Array.of(round, 0x0a));
      expect(await readExactly(driver, 2)).toEqual(Uint8Array.of(round, 0x0a));
      await driver.close();
    }
  });

  it("delivers 100 KB whole to a driver that reads slowly, while 100 KB come in", async () => {
    const { path, duplex } = await pty();
    const received = new Received(duplex);
    const burst = pattern(102_400);
    const driver = await plainDriver(path);
    for (let at = 0; at < burst.length; at += 1000) duplex.write(burst.subarray(at, at + 1000));
    const sending = driver.write(burst);
    expect(sameBytes(await readExactly(driver, burst.length, 700), burst)).toBe(true);
    await sending;
    expect(sameBytes(await received.take(burst.length), burst)).toBe(true);
    await driver.close();
  });

  it("keeps its own copy of bytes that wait: the writer may use its buffer again", async () => {
    const { path, duplex } = await pty();
    const sent = new Uint8Array(100_000).fill(0x11);
    duplex.write(sent);
    sent.fill(0x22);
    const driver = await plainDriver(path);
    expect((await readExactly(driver, 100_000)).every((byte) => byte === 0x11)).toBe(true);
    await driver.close();
  });

  it("drops whole writes beyond 1 MiB that nobody reads, and works on", async () => {
    const { path, duplex } = await pty();
    const piece = pattern(65_536);
    for (let count = 0; count < 48; count++) duplex.write(piece);
    const driver = await plainDriver(path);
    let total = (await readExactly(driver, 1024 * 1024)).length;
    duplex.write(Uint8Array.of(0xfe, 0xff, 0xfe));
    let tail = Buffer.alloc(0);
    while (!tail.subarray(-3).equals(Buffer.of(0xfe, 0xff, 0xfe))) {
      const { bytesRead, buffer } = await driver.read(Buffer.alloc(65_536), 0, 65_536, null);
      total += bytesRead;
      tail = Buffer.concat([tail, buffer.subarray(0, bytesRead)]).subarray(-3);
    }
    expect((total - 3) % 65_536).toBe(0);
    expect(total).toBeLessThan(48 * 65_536);
    await driver.close();
  });

  it("lets what a listener throws surface, and works on", async () => {
    const { path, duplex } = await pty();
    const driver = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
    const remove = duplex.onBytes(() => {
      throw new Error("from the listener");
    });
    expect(await uncaughtBy(() => writeSync(driver, "x"))).toMatchObject({ message: "from the listener" });
    remove();
    const received = new Received(duplex);
    writeSync(driver, "y");
    expect(await received.take(1)).toEqual(Uint8Array.of(0x79));
    closeSync(driver);
  });

  it("ends on close() without a reason; the driver's port is gone", async () => {
    const { path, device, duplex, close } = await pty();
    const driver = await plainDriver(path);
    const end = ended(duplex);
    await close();
    await close();
    expect(await end).toBeUndefined();
    duplex.write(Uint8Array.of(1));
    await expect(driver.write(Uint8Array.of(1))).rejects.toMatchObject({ code: "EIO" });
    await driver.close();
    if (onLinux) expect(existsSync(device)).toBe(false);
  });

  it.skipIf(!onLinux)("lets the next driver in after one that claimed the port for itself and died", async () => {
    const koffi = await import("koffi");
    const ioctl: (fd: number, request: number) => number = koffi
      .load(null)
      .func("int ioctl(int fd, unsigned long request, ...)");
    const TIOCEXCL = 0x540c;
    const { path, duplex } = await pty();
    const received = new Received(duplex);
    const first = await plainDriver(path);
    // The claim does not hold against root.
    chmodSync(path, 0o666);
    await asOrdinaryUser(async () => {
      expect(ioctl(first.fd, TIOCEXCL)).toBe(0);
      await expect(plainDriver(path)).rejects.toMatchObject({ code: "EBUSY" });
      await first.write(Uint8Array.of(1));
      await received.take(1);
      await first.close();
      const second = await plainDriver(path);
      await second.close();
    });
  });

  it("serves 300 at once", async () => {
    const many = await Promise.all(Array.from({ length: 300 }, () => pty()));
    expect(new Set(many.map(({ device }) => device)).size).toBe(300);
    await Promise.all(
      many.map(async ({ path, duplex }, index) => {
        const received = new Received(duplex);
        const driver = await plainDriver(path);
        const bytes = Uint8Array.of(index & 0xff, index >> 8);
        await driver.write(bytes);
        expect(await received.take(2)).toEqual(bytes);
        duplex.write(bytes);
        expect(await readExactly(driver, 2)).toEqual(bytes);
        await driver.close();
      }),
    );
  });

  it.skipIf(!onLinux)("leaves no descriptor and no link behind in 200 openings", async () => {
    await (await openPty()).close();
    const before = readdirSync("/proc/self/fd").length;
    for (let round = 0; round < 200; round++) {
      const { duplex, close } = await openPty({ link: join(folder, "port") });
      duplex.write(pattern(5000));
      await close();
    }
    expect(readdirSync("/proc/self/fd").length).toBe(before);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe.skipIf(process.platform === "win32")("the link of openPty", () => {
  it("leads to the device and goes with it", async () => {
    const link = join(folder, "module");
    const { path, device, duplex, close } = await pty({ link });
    expect(path).toBe(link);
    expect(duplex.name).toBe(link);
    expect(readlinkSync(link)).toBe(device);
    const received = new Received(duplex);
    const driver = await plainDriver(link);
    await driver.write(Uint8Array.of(7));
    expect(await received.take(1)).toEqual(Uint8Array.of(7));
    await driver.close();
    await close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("replaces another symbolic link, dangling or not", async () => {
    const link = join(folder, "module");
    symlinkSync("/dev/pts/left-by-a-killed-program", link);
    const first = await pty({ link });
    expect(readlinkSync(link)).toBe(first.device);
    const second = await pty({ link });
    expect(readlinkSync(link)).toBe(second.device);
    // The link is the second's now: the first must leave it.
    await first.close();
    expect(readlinkSync(link)).toBe(second.device);
    expect(readdirSync(folder)).toEqual(["module"]);
  });

  it("replaces a link to a directory itself, not something inside that directory", async () => {
    const inside = join(folder, "inside");
    mkdirSync(inside);
    const link = join(folder, "module");
    symlinkSync(inside, link);
    const { device } = await pty({ link });
    expect(readlinkSync(link)).toBe(device);
    expect(readdirSync(inside)).toEqual([]);
  });

  it.each(["file", "directory"])("never replaces a %s", async (kind) => {
    const link = join(folder, "precious");
    if (kind === "file") writeFileSync(link, "keep me");
    else mkdirSync(link);
    const error = await failsWith("INVALID_ARGUMENT", openPty({ link }));
    expect(error.message).toContain(link);
    expect(error.message).toContain("not a symbolic link");
    if (kind === "file") expect(readFileSync(link, "utf8")).toBe("keep me");
    else expect(lstatSync(link).isDirectory()).toBe(true);
    expect(readdirSync(folder)).toEqual(["precious"]);
  });

  it("says that its directory is missing, and leaves no descriptor", async () => {
    await (await openPty()).close();
    const before = onLinux ? readdirSync("/proc/self/fd").length : 0;
    const error = await failsWith("INVALID_ARGUMENT", openPty({ link: join(folder, "none", "module") }));
    expect(error.message).toContain("directory");
    if (onLinux) expect(readdirSync("/proc/self/fd").length).toBe(before);
  });

  it("is left alone on close when somebody has put a file in its place", async () => {
    const link = join(folder, "module");
    const { close } = await pty({ link });
    rmSync(link);
    writeFileSync(link, "theirs");
    await close();
    expect(readFileSync(link, "utf8")).toBe("theirs");
  });
});

describe("where there are no pseudo-terminals", () => {
  afterEach(() => {
    vi.doUnmock("koffi");
    vi.resetModules();
  });

  it("openPty on Windows is UNSUPPORTED and offers TCP", async () => {
    vi.resetModules();
    const { openPty: openAnew } = await import("../../emulator/bus/pty.ts");
    const platform = Object.getOwnPropertyDescriptor(process, "platform");
    Object.defineProperty(process, "platform", { ...platform, value: "win32" });
    try {
      await expect(openAnew()).rejects.toMatchObject({
        code: "UNSUPPORTED",
        message: expect.stringContaining("tcp:127.0.0.1:0"),
      });
    } finally {
      if (platform) Object.defineProperty(process, "platform", platform);
    }
  });

  it("openPty without a working koffi is UNSUPPORTED, offers TCP and keeps the cause", async () => {
    vi.resetModules();
    vi.doMock("koffi", () => {
      throw new Error("no prebuilt binary");
    });
    const { openPty: openAnew } = await import("../../emulator/bus/pty.ts");
    await expect(openAnew()).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("tcp:127.0.0.1:0"),
      cause: expect.any(Error),
    });
  });
});
