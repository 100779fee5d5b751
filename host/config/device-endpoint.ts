/** Where the emulated module, or a tap's MCU side, is the device (design: endpoint EP). Only the text; opening is elsewhere. */
import { SakuraError } from "../../protocol/errors.ts";

export type DeviceEndpoint =
  /** A new pseudo-terminal, with a symbolic link to it where one is named. */
  | { readonly kind: "pty"; readonly link: string | undefined }
  /** A serial port of this machine, with a driver's at its other end. */
  | { readonly kind: "serial"; readonly path: string; readonly baudRate: number | undefined }
  /** A TCP port that listens; 0 takes a free one. */
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

const EXAMPLES = "pty, pty:/path/of/link, /dev/ttyUSB0, /dev/ttyUSB0:57600, COM3 or tcp:127.0.0.1:0";

/**
 * Reads an endpoint.
 * @throws SakuraError INVALID_ARGUMENT with examples
 */
export function parseDeviceEndpoint(text: string): DeviceEndpoint {
  if (text === "pty") return { kind: "pty", link: undefined };
  if (text.startsWith("pty:") && text.length > 4) return { kind: "pty", link: text.slice(4) };
  const tcp = /^tcp:(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  if (tcp && Number(tcp[3]) <= 0xffff) return { kind: "tcp", host: tcp[1] ?? tcp[2] ?? "", port: Number(tcp[3]) };
  const serial = /^(\/[^:]+|COM\d+|\\\\\.\\[^:]+)(?::(\d{3,7}))?$/i.exec(text);
  if (serial?.[1]) {
    return { kind: "serial", path: serial[1], baudRate: serial[2] === undefined ? undefined : Number(serial[2]) };
  }
  throw new SakuraError("INVALID_ARGUMENT", `an endpoint is ${EXAMPLES}, not "${text}"`, {
    context: { endpoint: text },
  });
}
