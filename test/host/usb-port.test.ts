/** `usb:VID:PID[:SERIAL]`: which port it is, the name to write down, and a module that comes back under another name. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attachBusPirate } from "../../emulator/bus/bus-pirate.ts";
import { openPty, type PtyEndpoint } from "../../emulator/bus/pty.ts";
import { attachUart } from "../../emulator/bus/uart.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import type { SerialPortInfo } from "../../host/adapter/serial-list.ts";
import { findUsbPort, openSerialPlace } from "../../host/adapter/serial-place.ts";
import { stableName } from "../../host/adapter/stable-name.ts";
import { SakuraModule } from "../../host/module.ts";
import { serialPlaceText } from "../../host/usb-name.ts";
import { failsWith } from "../support/errors.ts";
import { type FakeAdapter, FakePorts } from "../support/fake-ports.ts";

const FTDI = { vendorId: "0403", productId: "6001", manufacturer: "FTDI", product: "FT232R USB UART" };
const CH340 = { vendorId: "1a86", productId: "7523", product: "USB Serial" };

describe.skipIf(process.platform === "win32")("the port of an adapter", () => {
  let root: string;
  let fake: FakePorts;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "usb-port-"));
    fake = new FakePorts(root);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const find = (name: string) => findUsbPort(name, { listPorts: fake.list });
  async function names(): Promise<string[]> {
    const ports = [...(await fake.list())].sort((a, b) => a.path.localeCompare(b.path));
    return ports.map((port) => serialPlaceText(stableName(port, ports).place));
  }

  it("is found by its ids, in any case, and by its serial number", async () => {
    fake.plugIn("ttyUSB0", { ...FTDI, serialNumber: "A50285BI", socket: "1-1" });
    fake.plugIn("ttyUSB1", { ...FTDI, serialNumber: "B60396CJ", socket: "1-2" });
    fake.plugIn("ttyUSB2", { ...CH340, socket: "1-3" });
    expect(await find("usb:0403:6001:B60396CJ")).toMatchObject({
      path: fake.path("ttyUSB1"),
      serialNumber: "B60396CJ",
    });
    expect(await find("usb:1A86:7523")).toMatchObject({ path: fake.path("ttyUSB2"), product: "USB Serial" });
    expect(await names()).toEqual(["usb:0403:6001:A50285BI", "usb:0403:6001:B60396CJ", "usb:1a86:7523"]);
  });

  it("is refused where the name is none", async () => {
    await failsWith("INVALID_ARGUMENT", find("0403:6001"));
    await failsWith("INVALID_ARGUMENT", find("usb:0403:6001:A5?baud=9600"));
  });

  it("is told not to be there, with those that are", async () => {
    expect((await failsWith("PORT_NOT_FOUND", find("usb:0403:6001"))).message).toBe(
      "no adapter usb:0403:6001 is plugged in: check its cable; no USB serial adapter is here",
    );
    fake.plugIn("ttyUSB0", { ...FTDI, serialNumber: "A50285BI", socket: "1-1" });
    fake.plugIn("ttyUSB2", { vendorId: "1a86", productId: "7523", socket: "1-3" });
    const error = await failsWith("PORT_NOT_FOUND", find("usb:0403:6001:C7"));
    expect(error.message).toContain("USB adapters here: ");
    expect(error.message).toContain(`usb:0403:6001:A50285BI (FTDI FT232R USB UART, ${fake.path("ttyUSB0")})`);
    expect(error.message).toContain(`usb:1a86:7523 (${fake.path("ttyUSB2")})`);
    expect(error.context).toEqual({ port: "usb:0403:6001:C7" });
  });

  it("is not guessed among several: the names that tell them apart are told", async () => {
    fake.plugIn("ttyUSB0", { ...FTDI, serialNumber: "A50285BI", socket: "1-1" });
    fake.plugIn("ttyUSB1", { ...FTDI, serialNumber: "B60396CJ", socket: "1-2" });
    const error = await failsWith("PORT_FAILED", find("usb:0403:6001"));
    expect(error.message).toContain("usb:0403:6001 fits 2 ports here: name one of them alone, ");
    expect(error.message).toContain(`usb:0403:6001:A50285BI (now ${fake.path("ttyUSB0")})`);
    expect(error.message).toContain(`usb:0403:6001:B60396CJ (now ${fake.path("ttyUSB1")})`);
  });

  it("without a serial number goes by its socket where several are alike", async () => {
    const shared = "usb-1a86_USB_Serial-if00-port0";
    fake.plugIn("ttyUSB0", { ...CH340, socket: "1-1", byId: shared });
    fake.plugIn("ttyUSB1", { ...CH340, socket: "1-2", byId: shared });
    const byPath = join(root, "dev/serial/by-path");
    expect(await names()).toEqual([
      `${byPath}/pci-0000:00:14.0-usb-0:1:1.0-port0`,
      `${byPath}/pci-0000:00:14.0-usb-0:2:1.0-port0`,
    ]);
    const error = await failsWith("PORT_FAILED", find("usb:1a86:7523"));
    expect(error.message).toContain(`${byPath}/pci-0000:00:14.0-usb-0:2:1.0-port0 (now ${fake.path("ttyUSB1")})`);
  });

  it("of an adapter with two ports goes by its name under by-id", async () => {
    const dual = { vendorId: "0403", productId: "6010", serialNumber: "FT7A", socket: "1-1" };
    fake.plugIn("ttyUSB0", { ...dual, byId: "usb-FTDI_Dual_FT7A-if00-port0" });
    fake.plugIn("ttyUSB1", { ...dual, interface: 1, byId: "usb-FTDI_Dual_FT7A-if01-port0" });
    const byId = join(root, "dev/serial/by-id");
    expect(await names()).toEqual([`${byId}/usb-FTDI_Dual_FT7A-if00-port0`, `${byId}/usb-FTDI_Dual_FT7A-if01-port0`]);
  });

  it("is its path where nothing else is known, and its ids alone where its serial number cannot be written", () => {
    const uart: SerialPortInfo = { path: "/dev/ttyS0" };
    expect(stableName(uart, [uart])).toEqual({ place: { kind: "path", path: "/dev/ttyS0" } });
    const odd: SerialPortInfo = { path: "/dev/ttyUSB0", vendorId: "1a86", productId: "7523", serialNumber: "??" };
    expect(serialPlaceText(stableName(odd, [odd]).place)).toBe("usb:1a86:7523");
    const twin = { ...odd, path: "/dev/ttyUSB1" };
    expect(stableName(odd, [odd, twin])).toEqual({
      place: { kind: "path", path: "/dev/ttyUSB0" },
      note: "usb:1a86:7523 fits 2 ports here, and nothing tells them apart: this name changes with a replug",
    });
  });

  describe("with a module behind it", () => {
    let emulated: EmulatedModule;
    let pty: PtyEndpoint;
    let adapter: FakeAdapter;

    async function plugIn(name: string, attach: typeof attachUart | typeof attachBusPirate = attachUart) {
      pty = await openPty();
      attach(emulated, pty.duplex);
      adapter = { ...FTDI, serialNumber: "A50285BI", socket: "1-1", device: pty.device };
      fake.plugIn(name, adapter);
    }
    async function pull(name: string): Promise<void> {
      fake.pull(name, adapter);
      await pty.close();
    }
    beforeEach(() => {
      emulated = new EmulatedModule({ sendTimeMs: 0 });
    });
    afterEach(() => pty.close());

    it("comes back under another name, and commands go on", async () => {
      await plugIn("ttyUSB0");
      const module = await SakuraModule.open("uart:usb:0403:6001:A50285BI", {
        timeoutMs: 10_000,
        reopen: true,
        listPorts: fake.list,
      });
      try {
        expect(module.name).toBe(fake.path("ttyUSB0"));
        expect(await module.getUniqueId()).toBe("16B0100260");
        const lost = new Promise((resolve) => {
          module.onState((state) => void (state.kind === "lost" && resolve(state.reason)));
        });
        await pull("ttyUSB0");
        expect(await lost).toMatchObject({
          code: "PORT_LOST",
          message: expect.stringContaining(`usb:0403:6001:A50285BI, which was ${fake.path("ttyUSB0")}, went away`),
          context: { port: fake.path("ttyUSB0"), alias: "usb:0403:6001:A50285BI" },
        });
        const waiting = module.txEnqueue({ channel: 1, type: "i", value: 25 });
        // Another adapter takes the old name.
        fake.plugIn("ttyUSB0", { ...FTDI, serialNumber: "B60396CJ", socket: "1-2" });
        await plugIn("ttyUSB1");
        await waiting;
        expect(emulated.state.enqueued).toBe(1);
        expect(module.name).toBe(fake.path("ttyUSB1"));
      } finally {
        await module.close();
      }
    });

    it("is reached through a Bus Pirate too", async () => {
      await plugIn("ttyUSB0", attachBusPirate);
      for (const bus of ["i2c", "spi"]) {
        const module = await SakuraModule.open(`buspirate+${bus}:usb:0403:6001`, {
          timeoutMs: 10_000,
          listPorts: fake.list,
        });
        expect(await module.getUniqueId()).toBe("16B0100260");
        await module.close();
      }
    });

    it("names the adapter where the port does not open", async () => {
      await plugIn("ttyUSB0");
      const place = { kind: "usb", vendorId: "0403", productId: "6001", serialNumber: undefined } as const;
      const port = await openSerialPlace(place, { listPorts: fake.list });
      const error = await failsWith("PORT_BUSY", openSerialPlace(place, { listPorts: fake.list }));
      expect(error.message).toContain(`usb:0403:6001 is ${fake.path("ttyUSB0")}: `);
      expect(error.context).toMatchObject({ port: fake.path("ttyUSB0"), alias: "usb:0403:6001" });
      await port.close();
    });
  });
});
