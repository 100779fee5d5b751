/** The serial ports of a Linux system, from its device tree: no helper program is needed, containers included. */
import { access, readdir, readFile, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

export interface SerialPortInfo {
  /** What to open: `/dev/ttyUSB0`, `/dev/tty.usbserial-10`, `COM3`. */
  readonly path: string;
  readonly manufacturer?: string | undefined;
  /** What the maker calls it: `FT232R USB UART`. On Linux. */
  readonly product?: string | undefined;
  readonly serialNumber?: string | undefined;
  /** USB vendor, 4 hexadecimal digits in lower case. */
  readonly vendorId?: string | undefined;
  /** USB product, 4 hexadecimal digits in lower case. */
  readonly productId?: string | undefined;
  /** The system's own steady name; on Linux the name under `/dev/serial/by-id`. */
  readonly pnpId?: string | undefined;
  /** Linux: a path that goes by maker, product and serial number, `/dev/serial/by-id/usb-FTDI_…-if00-port0`. */
  readonly byId?: string | undefined;
  /** Linux: a path that goes by the socket that the adapter is in, `/dev/serial/by-path/pci-…-usb-0:2:1.0-port0`. */
  readonly byPath?: string | undefined;
}

/** Where `/sys` and `/dev` are; a test brings its own. */
export interface PortRoots {
  readonly sys: string;
  readonly dev: string;
}

/**
 * Every terminal device with hardware behind it. The kernel makes `ttyS0` to `ttyS31` whether or not there is a chip:
 * those without (UART type 0) are left out.
 */
export async function listLinuxPorts(roots: PortRoots = { sys: "/sys", dev: "/dev" }): Promise<SerialPortInfo[]> {
  const names = await namesIn(join(roots.sys, "class/tty"));
  const links = {
    byId: await readLinks(join(roots.dev, "serial/by-id")),
    byPath: await readLinks(join(roots.dev, "serial/by-path")),
  };
  const ports = await Promise.all(names.map((name) => readPort(name, roots, links)));
  return ports.filter((port) => port !== undefined);
}

async function readPort(
  name: string,
  roots: PortRoots,
  links: { readonly byId: ReadonlyMap<string, string>; readonly byPath: ReadonlyMap<string, string> },
): Promise<SerialPortInfo | undefined> {
  const entry = join(roots.sys, "class/tty", name);
  const path = join(roots.dev, name);
  const hardware = await resolved(join(entry, "device"));
  // A Bluetooth port has no device link until somebody opens it.
  if (hardware === undefined && !name.startsWith("rfcomm")) return undefined;
  if ((await textOf(join(entry, "type"))) === "0") return undefined;
  const node = await resolved(path);
  if (node === undefined) return undefined;
  const byId = links.byId.get(node);
  const pnpId = byId && basename(byId);
  return {
    path,
    pnpId,
    byId,
    byPath: links.byPath.get(node),
    ...(hardware === undefined ? {} : await readUsbFacts(hardware, roots.sys)),
  };
}

/** The nearest USB device above the port: an adapter's port is two or three levels below it. */
async function readUsbFacts(hardware: string, sys: string): Promise<Omit<SerialPortInfo, "path">> {
  const top = await resolved(sys);
  for (let place = hardware; place !== top && place !== dirname(place); place = dirname(place)) {
    const vendorId = await textOf(join(place, "idVendor"));
    if (vendorId === undefined) continue;
    return {
      vendorId,
      productId: await textOf(join(place, "idProduct")),
      manufacturer: printable(await textOf(join(place, "manufacturer"))),
      product: printable(await textOf(join(place, "product"))),
      serialNumber: printable(await textOf(join(place, "serial"))),
    };
  }
  return {};
}

/** A device's own texts end up on terminals: what could move a cursor there becomes a `?`. */
export function printable(text: string | undefined): string | undefined {
  return text?.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
}

/** From a device to the first of the links to it, by name: newer systems make two by the socket, the old form first. */
async function readLinks(folder: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const name of (await namesIn(folder)).sort()) {
    const node = await resolved(join(folder, name));
    if (node !== undefined && !found.has(node)) found.set(node, join(folder, name));
  }
  return found;
}

// What cannot be read is not there for this user: a list says what it can.

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function textOf(file: string): Promise<string | undefined> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.trim() || undefined;
}

async function resolved(path: string): Promise<string | undefined> {
  return access(path).then(
    () => realpath(path),
    () => undefined,
  );
}
