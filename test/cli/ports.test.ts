/** `sakuraio ports`: over a made-up /sys and /dev, and the command itself. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openPty } from "../../emulator/bus/pty.ts";
import { openSerialPort } from "../../host/adapter/serial-port.ts";
import { ports } from "../../host/cli/ports.ts";
import { sakuraio } from "../support/command.ts";
import { FakeIo } from "../support/fake-io.ts";
import { FakePorts } from "../support/fake-ports.ts";

const FTDI = { vendorId: "0403", productId: "6001", manufacturer: "FTDI", product: "FT232R USB UART" };

let root: string;
let fake: FakePorts;
let io: FakeIo;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "ports-"));
  fake = new FakePorts(root);
  io = new FakeIo();
});
afterEach(() => rmSync(root, { recursive: true }));

/** What is printed, with short paths. */
const shown = (): string => io.out.replaceAll(root, "");

describe.skipIf(process.platform !== "linux")("the list", () => {
  it("has for each port what it is and the name to paste", async () => {
    fake.plugIn("ttyUSB0", {
      ...FTDI,
      serialNumber: "A50285BI",
      socket: "1-1",
      byId: "usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0",
    });
    fake.plugIn("ttyACM0", { vendorId: "2341", productId: "0043", serialNumber: "75 43'x", socket: "1-2" });
    const sorted = async () => [...(await fake.list())].sort((a, b) => b.path.localeCompare(a.path));
    expect(await ports({ json: false }, io, sorted)).toBe(0);
    expect(shown()).toBe(`/dev/ttyUSB0  FTDI FT232R USB UART
  port     uart:usb:0403:6001:A50285BI
  usb      0403:6001, serial number A50285BI
  by-id    /dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0

/dev/ttyACM0
  port     'uart:usb:2341:0043:75 43'\\''x'
  usb      2341:0043, serial number 75 43'x
`);
  });

  it("says what is to be known of a name, within 80 columns, and who has the port", async () => {
    const pty = await openPty();
    const held = await openSerialPort({ path: pty.path });
    fake.plugIn("ttyUSB0", { vendorId: "1a86", productId: "7523", socket: "1-1", device: pty.device });
    fake.plugIn("ttyUSB1", { vendorId: "1a86", productId: "7523", socket: "1-2" });
    const sorted = async () => [...(await fake.list())].sort((a, b) => a.path.localeCompare(b.path));
    await ports({ json: false }, io, sorted);
    await ports({ json: true }, io, sorted);
    await held.close();
    await pty.close();
    const [people = "", first = "", second = ""] = shown().split(/\n(?=\{)/);
    expect(people).toContain(`/dev/ttyUSB0
  port     uart:/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0
           usb:1a86:7523 fits 2 ports here; this name goes by the USB socket:
           leave the cable where it is
  usb      1a86:7523, no serial number
`);
    expect(people).toMatch(new RegExp(`  held by  .* \\(process ${process.pid}\\)\n`));
    expect(JSON.parse(first)).toMatchObject({
      event: "port",
      path: "/dev/ttyUSB0",
      uri: "uart:/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0",
      note: expect.stringContaining("usb:1a86:7523 fits 2 ports here"),
      vendor_id: "1a86",
      product_id: "7523",
      by_path: "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0",
      allowed: true,
      holder: { pid: process.pid, locked: true },
    });
    expect(JSON.parse(second)).not.toHaveProperty("holder");
  });

  it("is empty where there is none, and says what to check", async () => {
    expect(await ports({ json: true }, io, fake.list)).toBe(0);
    expect(io.out).toBe("");
    expect(io.err).toContain("no serial port is here. What to check:\n  cable ");
    for (const line of io.err.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });
});

it.skipIf(process.platform !== "linux" || process.geteuid?.() !== 0)(
  "names the group to join to a user who may not open the port",
  async () => {
    fake.plugIn("ttyUSB0", { ...FTDI, socket: "1-1" });
    chownSync(fake.path("ttyUSB0"), 0, 5);
    chmodSync(fake.path("ttyUSB0"), 0o660);
    chmodSync(root, 0o755);
    // A process of its own, because permission goes by the real user; loaded before it steps down.
    const child = spawn(
      process.execPath,
      ["--input-type=module", "--eval", STEP_DOWN, fileURLToPath(new URL("../../dist", import.meta.url)), root],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    await once(child, "close");
    expect(JSON.parse(said)).toMatchObject({ exists: true, allowed: false, group: "tty" });
    expect(said).toContain("it belongs to the group tty; run `sudo usermod -a -G tty $USER` and log in again");
  },
);

const STEP_DOWN = `
  const [dist, root] = process.argv.slice(1);
  const { portAccess } = await import(dist + "/host/adapter/port-access.js");
  process.setgroups([]);
  process.setgid(65534);
  process.setuid(65534);
  console.log(JSON.stringify(await portAccess(root + "/dev/ttyUSB0")));
`;

describe("the command", () => {
  it("lists this machine's ports, one JSON object a line", async () => {
    const { code, stdout } = await sakuraio("ports", "--json");
    expect(code).toBe(0);
    for (const line of stdout.split("\n").filter((each) => each !== "")) {
      expect(JSON.parse(line)).toMatchObject({ event: "port", uri: expect.stringMatching(/^uart:/) });
    }
  });

  it("has help with an example", async () => {
    const { code, stdout } = await sakuraio("ports", "--help");
    expect(code).toBe(0);
    expect(stdout).toContain("sakuraio module --port uart:usb:0403:6001:A50285BI status");
  });

  it("tells a port that is not plugged in, by its adapter", async () => {
    const { code, stderr } = await sakuraio("module", "--port", "uart:usb:FFFF:fff0:X", "status");
    expect(code).toBe(1);
    expect(stderr).toContain("sakuraio: no adapter usb:ffff:fff0:X is plugged in: check its cable; ");
    expect((await sakuraio("emulate", "--uart", "usb:ffff:fff0")).stderr).toContain("no adapter usb:ffff:fff0");
    expect((await sakuraio("module", "--port", "uart:usb:ffff", "status")).code).toBe(2);
  });
});
