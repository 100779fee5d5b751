/** Port URIs: where a module is that this program drives. Only the text; opening is elsewhere. */
import { z } from "zod";
import { SakuraError } from "../protocol/errors.ts";

export type PortUri =
  /** A serial port of this machine. */
  | { readonly kind: "uart"; readonly path: string; readonly baudRate: number }
  /** A module's UART at the end of a TCP connection. An IPv6 host stands without brackets. */
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

const EXAMPLES = "uart:/dev/ttyUSB0, uart:/dev/ttyUSB0?baud=57600, uart:COM3 or tcp:127.0.0.1:7000";
/** The module's own speed (§3). */
export const DEFAULT_BAUD_RATE = 115_200;
const BAUD_MAX = 4_000_000;

/** What the design has a form for, and this version no transport. */
const LATER = /^(buspirate\+(i2c|spi)|i2c|spi|uart:usb):/;

const baudRate = z
  .string()
  .regex(/^\d{2,7}$/)
  .transform(Number)
  .pipe(z.number().min(50).max(BAUD_MAX));
const tcpPort = z
  .string()
  .regex(/^\d{1,5}$/)
  .transform(Number)
  .pipe(z.number().min(1).max(65_535));

/**
 * Reads a port URI.
 *
 * @param defaults.baudRate for a serial port whose URI names none
 * @throws SakuraError INVALID_ARGUMENT with examples; UNSUPPORTED for a kind of port that this version cannot drive
 */
export function parsePortUri(text: string, defaults: { readonly baudRate?: number | undefined } = {}): PortUri {
  if (LATER.test(text)) {
    throw new SakuraError("UNSUPPORTED", `${text}: this version drives modules at uart:PATH and tcp:HOST:PORT alone`, {
      context: { uri: text },
    });
  }
  if (text.startsWith("uart:")) return parseUart(text, defaults.baudRate ?? DEFAULT_BAUD_RATE);
  if (text.startsWith("tcp:")) return parseTcp(text);
  const meant = /^(\/dev\/|COM\d)/i.test(text) ? `; did you mean uart:${text}?` : "";
  throw invalid(text, `a port is ${EXAMPLES}, not "${text}"${meant}`);
}

/** The URI again, in the form that `parsePortUri` reads. */
export function portUriText(uri: PortUri): string {
  if (uri.kind === "tcp") return `tcp:${uri.host.includes(":") ? `[${uri.host}]` : uri.host}:${uri.port}`;
  return `uart:${uri.path}${uri.baudRate === DEFAULT_BAUD_RATE ? "" : `?baud=${uri.baudRate}`}`;
}

function parseUart(text: string, fallback: number): PortUri {
  const [, path = "", query] = /^uart:([^?]*)(?:\?(.*))?$/s.exec(text) ?? [];
  if (path === "") throw invalid(text, `a serial port needs a path: ${EXAMPLES}, not "${text}"`);
  if (query === undefined) return { kind: "uart", path, baudRate: fallback };
  const [, digits] = /^baud=(.*)$/s.exec(query) ?? [];
  if (digits === undefined) throw invalid(text, `behind the ? of a serial port comes baud=N alone, not "${query}"`);
  const baud = baudRate.safeParse(digits);
  if (!baud.success) throw invalid(text, `a baud rate is a whole number from 50 to ${BAUD_MAX}, not "${digits}"`);
  return { kind: "uart", path, baudRate: baud.data };
}

function parseTcp(text: string): PortUri {
  const match = /^tcp:(?:\[([^\]]+)\]|([^:[\]]+)):([^:]*)$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) throw invalid(text, `a TCP port is tcp:HOST:PORT, such as tcp:127.0.0.1:7000, not "${text}"`);
  const port = tcpPort.safeParse(match?.[3]);
  if (!port.success) throw invalid(text, `a TCP port's number is 1 to 65535, not "${match?.[3] ?? ""}"`);
  return { kind: "tcp", host, port: port.data };
}

function invalid(uri: string, message: string): SakuraError {
  return new SakuraError("INVALID_ARGUMENT", message, { context: { uri } });
}
