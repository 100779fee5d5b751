/**
 * The built command where Linux itself shows an adapter under /sys and /dev: in a mount namespace of its own, with a
 * pseudo-terminal of an emulated module behind /dev/ttyUSB0. Needs root and util-linux.
 */
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Running } from "../../support/command.ts";
import { type FakeAdapter, FakePorts } from "../../support/fake-ports.ts";

const MAIN = fileURLToPath(new URL("../../../dist/host/cli/main.js", import.meta.url));
/** The made-up tree put where the system's own is; /dev keeps what every program needs. */
const NAMESPACE = `
  set -e
  mount --bind "$0/sys/class/tty" /sys/class/tty
  for node in null zero random urandom full tty; do
    touch "$0/dev/$node"
    mount --bind "/dev/$node" "$0/dev/$node"
  done
  mkdir -p "$0/dev/pts"
  mount --rbind /dev/pts "$0/dev/pts"
  mount --rbind "$0/dev" /dev
  exec "$@"`;

function canUnshare(): boolean {
  try {
    execFileSync("unshare", ["--mount", "true"], { stdio: "ignore" });
    return process.geteuid?.() === 0;
  } catch {
    return false;
  }
}

describe.skipIf(!canUnshare())("sakuraio, with an adapter that the system shows", () => {
  const ADAPTER: Omit<FakeAdapter, "device"> = {
    vendorId: "0403",
    productId: "6001",
    serialNumber: "A50285BI",
    manufacturer: "FTDI",
    product: "FT232R USB UART",
    socket: "1-1",
  };
  let root: string;
  let fake: FakePorts;
  let emulator: Running;

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), "ports-"));
    fake = new FakePorts(root);
    emulator = new Running(["emulate", "--uart", "pty", "--json"]);
    const { endpoints } = await emulator.next("ready");
    fake.plugIn("ttyUSB0", { ...ADAPTER, device: (endpoints as { uart: string }).uart });
  });
  afterEach(async () => {
    await emulator.stop();
    rmSync(root, { recursive: true });
  });

  const run = promisify(execFile);
  const inNamespace = (...args: readonly string[]) =>
    run("unshare", ["--mount", "sh", "-c", NAMESPACE, root, process.execPath, MAIN, ...args]);

  it("lists it, and drives the module behind it by its USB ids", async () => {
    const { stdout } = await inNamespace("ports", "--json");
    const lines = stdout.trim().split("\n");
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      event: "port",
      path: "/dev/ttyUSB0",
      uri: "uart:usb:0403:6001:A50285BI",
      product: "FT232R USB UART",
      allowed: true,
    });
    const status = await inNamespace("module", "--port", "uart:usb:0403:6001:A50285BI", "status");
    expect(status.stdout).toMatch(/unique id +16B0100260/);
  });

  it("finds it under another name", async () => {
    renameSync(join(root, "sys/class/tty/ttyUSB0"), join(root, "sys/class/tty/ttyUSB7"));
    renameSync(fake.path("ttyUSB0"), fake.path("ttyUSB7"));
    const { stdout } = await inNamespace("module", "--port", "uart:usb:0403:6001", "--json", "status");
    expect(JSON.parse(stdout)).toMatchObject({ event: "status" });
  });
});
