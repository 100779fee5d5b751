/** The name to write down for a serial port: one that still means the same adapter after a replug, where there is one. */
import { type SerialPlace, type UsbName, usbNameText } from "../usb-name.ts";
import type { SerialPortInfo } from "./serial-list.ts";

export interface StableName {
  readonly place: SerialPlace;
  /** What is to be known of it: why it is not the usual one, and when it changes. */
  readonly note: string | undefined;
}

/** Whether the name fits the port. */
export function isCalled(port: SerialPortInfo, { vendorId, productId, serialNumber }: UsbName): boolean {
  const { serialNumber: own } = port;
  if (port.vendorId !== vendorId || port.productId !== productId) return false;
  return serialNumber === undefined || serialNumber === own;
}

/** @param ports all that are there, the port among them: a name must fit it alone */
export function stableName(port: SerialPortInfo, ports: readonly SerialPortInfo[]): StableName {
  const usb = usbNameOf(port);
  if (usb === undefined) return { place: path(port.byId ?? port.path), note: undefined };
  const alike = ports.filter((other) => isCalled(other, usb));
  if (alike.length <= 1) return { place: { kind: "usb", ...usb }, note: undefined };
  const fits = `${usbNameText(usb)} fits ${alike.length} ports here`;
  // Adapters with one and the same serial number have one and the same link, which only the last of them gets.
  if (port.byId !== undefined && alike.every(({ byId }) => byId !== undefined)) {
    return { place: path(port.byId), note: `${fits}; this name tells them apart` };
  }
  if (port.byPath !== undefined) {
    return { place: path(port.byPath), note: `${fits}; this name goes by the USB socket: leave the cable where it is` };
  }
  return { place: path(port.path), note: `${fits}, and nothing tells them apart: this name changes with a replug` };
}

/** Without a serial number that a name could not hold: such a device's name fits all of its kind. */
function usbNameOf({ vendorId, productId, serialNumber }: SerialPortInfo): UsbName | undefined {
  if (vendorId === undefined || productId === undefined) return undefined;
  return { vendorId, productId, serialNumber: serialNumber?.includes("?") ? undefined : serialNumber };
}

function path(text: string): SerialPlace {
  return { kind: "path", path: text };
}
