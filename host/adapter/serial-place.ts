/** Opens a serial port by its path, or by its adapter's USB ids, wherever that one is now. */
import type { ByteDuplex } from "../../protocol/bus.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { parseUsbName, type SerialPlace, serialPlaceText, type UsbName, usbNameText } from "../usb-name.ts";
import type { SerialPortInfo } from "./serial-list.ts";
import { listSerialPorts, openSerialPort } from "./serial-port.ts";
import { isCalled, stableName } from "./stable-name.ts";

/** Lists the serial ports that are there. */
export type ListPorts = () => Promise<readonly SerialPortInfo[]>;

export interface SerialPlaceOptions {
  readonly baudRate?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** This system's unless told. */
  readonly listPorts?: ListPorts | undefined;
}

/**
 * Opens it. The line's name is the path; the messages name the adapter too.
 *
 * @throws SakuraError as {@link openSerialPort} and {@link findUsbPort}
 */
export async function openSerialPlace(place: SerialPlace, options: SerialPlaceOptions = {}): Promise<ByteDuplex> {
  const { baudRate, signal, listPorts } = options;
  const path = await serialPlacePath(place, { listPorts });
  const alias = place.kind === "usb" ? usbNameText(place) : undefined;
  return openSerialPort({ path, baudRate, signal, alias });
}

/** Where it is now: of an adapter the path at which it is found. @throws SakuraError as {@link findUsbPort} */
export async function serialPlacePath(place: SerialPlace, options: FindUsbPortOptions = {}): Promise<string> {
  return place.kind === "usb" ? (await findUsbPort(place, options)).path : place.path;
}

export interface FindUsbPortOptions {
  readonly listPorts?: ListPorts | undefined;
}

/**
 * The serial port of a USB adapter, wherever the system has put it this time.
 *
 *     const { path } = await findUsbPort("usb:0403:6001:A50285BI");
 *
 * @param name `usb:VID:PID` or `usb:VID:PID:SERIAL`, the ids 4 hexadecimal digits each
 * @throws SakuraError INVALID_ARGUMENT; PORT_NOT_FOUND, whose message names the adapters that are there; PORT_FAILED
 *   when the name fits several ports, whose message names each of them apart; as {@link listSerialPorts}
 */
export async function findUsbPort(name: string | UsbName, options: FindUsbPortOptions = {}): Promise<SerialPortInfo> {
  const { listPorts = listSerialPorts } = options;
  const wanted = typeof name === "string" ? parseUsbName(name) : name;
  const ports = await listPorts();
  const found = ports.filter((port) => isCalled(port, wanted));
  const [port, ...more] = found;
  const text = usbNameText(wanted);
  if (port === undefined) {
    throw new SakuraError("PORT_NOT_FOUND", `no adapter ${text} is plugged in: check its cable; ${adapters(ports)}`, {
      context: { port: text },
    });
  }
  if (more.length === 0) return port;
  const each = found.map((one) => `${serialPlaceText(stableName(one, ports).place)} (now ${one.path})`).join(" or ");
  throw new SakuraError("PORT_FAILED", `${text} fits ${found.length} ports here: name one of them alone, ${each}`, {
    context: { port: text, found: found.length },
  });
}

/** `USB adapters here: usb:0403:6001:A50285BI (FTDI FT232R USB UART, /dev/ttyUSB0)`. */
function adapters(ports: readonly SerialPortInfo[]): string {
  const known = ports.flatMap((port) => {
    const { vendorId, productId, serialNumber, manufacturer, product, path } = port;
    if (vendorId === undefined || productId === undefined) return [];
    const what = [manufacturer, product].filter((part) => part !== undefined).join(" ");
    const name = usbNameText({ vendorId, productId, serialNumber });
    return [`${name} (${what === "" ? path : `${what}, ${path}`})`];
  });
  return known.length === 0 ? "no USB serial adapter is here" : `USB adapters here: ${known.join(", ")}`;
}
