import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listLinuxPorts } from "../../host/adapter/serial-list.ts";
import { listSerialPorts } from "../../host/adapter/serial-port.ts";

describe("listSerialPorts", () => {
  it("lists what can be opened, those with a USB id first", async () => {
    const ports = await listSerialPorts();
    for (const { path } of ports) expect(path).toMatch(/^(\/dev\/|COM)/);
    const withId = ports.map(({ vendorId }) => vendorId !== undefined);
    expect(withId).toEqual([...withId].sort((a, b) => Number(b) - Number(a)));
  });
});

describe.skipIf(process.platform === "win32")("listLinuxPorts", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "sysfs-"));
    mkdirSync(join(root, "dev/serial/by-id"), { recursive: true });
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function file(path: string, text: string): void {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  /** A terminal device as the kernel shows it; `hardware` is its place under sys/devices. */
  function terminal(name: string, hardware: string | undefined, facts: Record<string, string> = {}): void {
    mkdirSync(join(root, "sys/class/tty", name), { recursive: true });
    for (const [fact, text] of Object.entries(facts)) file(`sys/class/tty/${name}/${fact}`, `${text}\n`);
    file(`dev/${name}`, "");
    if (hardware === undefined) return;
    mkdirSync(join(root, "sys/devices", hardware), { recursive: true });
    symlinkSync(join(root, "sys/devices", hardware), join(root, "sys/class/tty", name, "device"));
  }
  const list = () => listLinuxPorts({ sys: join(root, "sys"), dev: join(root, "dev") });

  it("gives a USB adapter's facts and its steady names, without what moves a terminal's cursor", async () => {
    terminal("ttyUSB0", "pci0/usb1/1-2/1-2:1.0/ttyUSB0");
    file("sys/devices/pci0/usb1/idVendor", "1d6b\n");
    file("sys/devices/pci0/usb1/1-2/idVendor", "0403\n");
    file("sys/devices/pci0/usb1/1-2/idProduct", "6015\n");
    file("sys/devices/pci0/usb1/1-2/manufacturer", "FTDI\n");
    file("sys/devices/pci0/usb1/1-2/product", "FT230X\u001b[2JBasic UART\n");
    file("sys/devices/pci0/usb1/1-2/serial", "DO01ABCD\n");
    symlinkSync("../../ttyUSB0", join(root, "dev/serial/by-id/usb-FTDI_FT230X_DO01ABCD-if00-port0"));
    mkdirSync(join(root, "dev/serial/by-path"));
    symlinkSync("../../ttyUSB0", join(root, "dev/serial/by-path/pci-0000:00:14.0-usbv2-0:2:1.0-port0"));
    symlinkSync("../../ttyUSB0", join(root, "dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0"));
    expect(await list()).toEqual([
      {
        path: join(root, "dev/ttyUSB0"),
        vendorId: "0403",
        productId: "6015",
        manufacturer: "FTDI",
        product: "FT230X?[2JBasic UART",
        serialNumber: "DO01ABCD",
        pnpId: "usb-FTDI_FT230X_DO01ABCD-if00-port0",
        byId: join(root, "dev/serial/by-id/usb-FTDI_FT230X_DO01ABCD-if00-port0"),
        byPath: join(root, "dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0"),
      },
    ]);
  });

  it("leaves out consoles, UARTs without a chip, and devices that cannot be opened here", async () => {
    terminal("tty1", undefined);
    terminal("ttyS0", "pnp/00:01", { type: "4" });
    terminal("ttyS1", "platform/serial8250", { type: "0" });
    terminal("ttyUSB0", "usb1/1-1/1-1:1.0/ttyUSB0");
    rmSync(join(root, "dev/ttyUSB0"));
    expect((await list()).map(({ path }) => path)).toEqual([join(root, "dev/ttyS0")]);
  });

  it("keeps a Bluetooth port that nobody has opened yet", async () => {
    terminal("rfcomm0", undefined);
    expect(await list()).toEqual([{ path: join(root, "dev/rfcomm0") }]);
  });

  it("is empty where there is no device tree", async () => {
    expect(await listLinuxPorts({ sys: join(root, "none"), dev: join(root, "none") })).toEqual([]);
  });
});
