/** A /sys and a /dev in a folder, as Linux shows USB serial adapters; behind each port a real pseudo-terminal, or none. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listLinuxPorts } from "../../host/adapter/serial-list.ts";
import type { ListPorts } from "../../host/adapter/serial-place.ts";

export interface FakeAdapter {
  readonly vendorId: string;
  readonly productId: string;
  readonly serialNumber?: string;
  readonly manufacturer?: string;
  readonly product?: string;
  /** The socket, which makes the name under by-path: `1-2`. */
  readonly socket: string;
  /** Of an adapter with several ports; 0 unless told. */
  readonly interface?: number;
  /** The name under by-id; none is made without one. */
  readonly byId?: string;
  /** What a driver opens: a pseudo-terminal. */
  readonly device?: string;
}

export class FakePorts {
  readonly root: string;
  readonly list: ListPorts;

  constructor(root: string) {
    this.root = root;
    mkdirSync(join(root, "sys/class/tty"), { recursive: true });
    for (const folder of ["by-id", "by-path"]) mkdirSync(join(root, "dev/serial", folder), { recursive: true });
    this.list = () => listLinuxPorts({ sys: join(root, "sys"), dev: join(root, "dev") });
  }

  /** Where the port is opened. */
  path(name: string): string {
    return join(this.root, "dev", name);
  }

  /** Plugs an adapter in; the system calls its port by the name. */
  plugIn(name: string, adapter: FakeAdapter): void {
    const { socket, interface: number = 0 } = adapter;
    const usb = join(this.root, "sys/devices/pci0/usb1", socket);
    const hardware = join(usb, `${socket}:1.${number}`, name);
    mkdirSync(hardware, { recursive: true });
    const facts = {
      idVendor: adapter.vendorId,
      idProduct: adapter.productId,
      serial: adapter.serialNumber,
      manufacturer: adapter.manufacturer,
      product: adapter.product,
    };
    for (const [fact, text] of Object.entries(facts)) {
      if (text !== undefined) writeFileSync(join(usb, fact), `${text}\n`);
    }
    mkdirSync(join(this.root, "sys/class/tty", name));
    symlinkSync(hardware, join(this.root, "sys/class/tty", name, "device"));
    if (adapter.device === undefined) writeFileSync(this.path(name), "");
    else symlinkSync(adapter.device, this.path(name));
    this.#link(join("by-path", `pci-0000:00:14.0-usb-0:${socket.slice(2)}:1.${number}-port0`), name);
    if (adapter.byId !== undefined) this.#link(join("by-id", adapter.byId), name);
  }

  /** Pulls it out. */
  pull(name: string, { socket, interface: number = 0, byId }: FakeAdapter): void {
    rmSync(join(this.root, "sys/class/tty", name), { recursive: true });
    rmSync(join(this.root, "sys/devices/pci0/usb1", socket), { recursive: true, force: true });
    rmSync(this.path(name));
    rmSync(join(this.root, "dev/serial/by-path", `pci-0000:00:14.0-usb-0:${socket.slice(2)}:1.${number}-port0`));
    if (byId !== undefined) rmSync(join(this.root, "dev/serial/by-id", byId));
  }

  #link(link: string, name: string): void {
    const at = join(this.root, "dev/serial", link);
    rmSync(at, { force: true });
    symlinkSync(join("../..", name), at);
  }
}
