/** Where the emulated module, or a tap's MCU side, is the device (design: endpoint EP). Only the text; opening is elsewhere. */
import { SakuraError } from "../../protocol/errors.ts";
import { splitBaudRate } from "../uri.ts";
import { parseSerialPlace, type SerialPlace } from "../usb-name.ts";

export type DeviceEndpoint =
  /** A new pseudo-terminal, with a symbolic link to it where one is named. */
  | { readonly kind: "pty"; readonly link: string | undefined }
  /** A serial port of this machine, with a driver's at its other end. */
  | { readonly kind: "serial"; readonly place: SerialPlace; readonly baudRate: number | undefined }
  /** A TCP port that listens; 0 takes a free one. */
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

const EXAMPLES =
  "pty, pty:/path/of/link, /dev/ttyUSB0, /dev/ttyUSB0:57600, COM3, usb:0403:6001:A50285BI, " +
  "usb:0403:6001:A50285BI?baud=57600 or tcp:127.0.0.1:0";

/**
 * Reads an endpoint. A path's speed stands behind a colon, an adapter's behind `?baud=`: its serial number may have colons.
 *
 * @throws SakuraError INVALID_ARGUMENT with examples
 */
export function parseDeviceEndpoint(text: string): DeviceEndpoint {
  if (text === "pty") return { kind: "pty", link: undefined };
  if (text.startsWith("pty:") && text.length > 4) return { kind: "pty", link: text.slice(4) };
  const tcp = /^tcp:(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  if (tcp && Number(tcp[3]) <= 0xffff) return { kind: "tcp", host: tcp[1] ?? tcp[2] ?? "", port: Number(tcp[3]) };
  const serial = /^(\/[^:]+|COM\d+|\\\\\.\\[^:]+)(?::(\d{3,7}))?$/i.exec(text);
  if (serial?.[1]) {
    const place = { kind: "path", path: serial[1] } as const;
    return { kind: "serial", place, baudRate: serial[2] === undefined ? undefined : Number(serial[2]) };
  }
  if (text.startsWith("usb:")) {
    const { place, baudRate } = splitBaudRate(text);
    return { kind: "serial", place: parseSerialPlace(place, text), baudRate };
  }
  const meant = /^uart:(usb:|\/|COM\d)/i.test(text) ? `; did you mean ${text.slice("uart:".length)}?` : "";
  throw new SakuraError("INVALID_ARGUMENT", `an endpoint is ${EXAMPLES}, not "${text}"${meant}`, {
    context: { endpoint: text },
  });
}
