/** The serial ports of a Linux system, from its device tree: no helper program is needed, containers included. */
import { access, readdir, readFile, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

export interface SerialPortInfo {
  /** What to open: `/dev/ttyUSB0`, `/dev/tty.usbserial-10`, `COM3`. */
  readonly path: string;
  readonly manufacturer?: string | undefined;
  readonly serialNumber?: string | undefined;
  /** USB vendor, 4 hexadecimal digits in lower case. */
  readonly vendorId?: string | undefined;
  /** USB product, 4 hexadecimal digits in lower case. */
  readonly productId?: string | undefined;
  /** The system's own steady name; on Linux the name under `/dev/serial/by-id`. */
  readonly pnpId?: string | undefined;
}

/**
 * Every terminal device with hardware behind it. The kernel makes `ttyS0` to `ttyS31` whether or not there is a chip:
 * those without (UART type 0) are left out.
 *
 * @param roots where `/sys` and `/dev` are; a test brings its own
 */
export async function listLinuxPorts(roots = { sys: "/sys", dev: "/dev" }): Promise<SerialPortInfo[]> {
  const names = await namesIn(join(roots.sys, "class/tty"));
  const steadyNames = await readSteadyNames(join(roots.dev, "serial/by-id"));
  const ports = await Promise.all(names.map((name) => readPort(name, roots, steadyNames)));
  return ports.filter((port) => port !== undefined);
}

async function readPort(
  name: string,
  roots: { sys: string; dev: string },
  steadyNames: ReadonlyMap<string, string>,
): Promise<SerialPortInfo | undefined> {
  const entry = join(roots.sys, "class/tty", name);
  const path = join(roots.dev, name);
  const hardware = await resolved(join(entry, "device"));
  // A Bluetooth port has no device link until somebody opens it.
  if (hardware === undefined && !name.startsWith("rfcomm")) return undefined;
  if ((await textOf(join(entry, "type"))) === "0") return undefined;
  const node = await resolved(path);
  if (node === undefined) return undefined;
  const pnpId = steadyNames.get(node);
  return { path, pnpId, ...(hardware === undefined ? {} : await readUsbFacts(hardware, roots.sys)) };
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
      manufacturer: await textOf(join(place, "manufacturer")),
      serialNumber: await textOf(join(place, "serial")),
    };
  }
  return {};
}

async function readSteadyNames(folder: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const name of await namesIn(folder)) {
    const node = await resolved(join(folder, name));
    if (node !== undefined) found.set(node, basename(name));
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
