/** Port URIs: where a module is that this program drives. Only the text; opening is elsewhere. */
import { z } from "zod";
import { SakuraError } from "../protocol/errors.ts";
import { SPI_HZ_MAX } from "../protocol/wiring.ts";
import { parseSerialPlace, type SerialPlace, serialPlaceText } from "./usb-name.ts";

/** A serial port of this machine. */
export interface UartUri {
  readonly kind: "uart";
  /** A path, or an adapter by its USB ids: that one is looked for at each opening. */
  readonly place: SerialPlace;
  readonly baudRate: number;
}

/** The end of a TCP connection. An IPv6 host stands without brackets. */
export interface TcpUri {
  readonly kind: "tcp";
  readonly host: string;
  readonly port: number;
}

/** A module's I2C or SPI at the end of a Bus Pirate. */
export interface BusPirateUri {
  readonly kind: "buspirate";
  readonly bus: "i2c" | "spi";
  /** Where the Bus Pirate is. */
  readonly line: UartUri | TcpUri;
  /** Between a request and the reading of its answer, in ms; the transport's own unless told. */
  readonly waitMs: number | undefined;
  /** Whether the Bus Pirate gives the module its 3.3 V. */
  readonly power: boolean;
  /** Whether the Bus Pirate's own pull-ups hold the I2C lines. */
  readonly pullUps: boolean;
}

/** A Linux machine's own I2C bus. */
export interface LinuxI2cUri {
  readonly kind: "i2c";
  readonly path: string;
  /** The N of `/dev/i2c-N`. */
  readonly bus: number;
  readonly waitMs: number | undefined;
}

/** A Linux machine's own SPI device. */
export interface LinuxSpiUri {
  readonly kind: "spi";
  readonly path: string;
  /** The B and the C of `/dev/spidevB.C`. */
  readonly bus: number;
  readonly device: number;
  readonly waitMs: number | undefined;
  /** In Hz. */
  readonly speed: number;
}

export type PortUri = UartUri | TcpUri | BusPirateUri | LinuxI2cUri | LinuxSpiUri;

/** The module's own speed (§3), and a Bus Pirate's. */
export const DEFAULT_BAUD_RATE = 115_200;
/** Under the module's most, 350 kHz (§5), and what the clock of a Raspberry Pi divides to. */
export const DEFAULT_SPI_SPEED = 250_000;
const BAUD_MAX = 4_000_000;
const WAIT_MAX = 10_000;
/** Of a Linux SPI device: the kernel waits within an exchange, and counts its delays in µs with 16 bits. */
export const LINUX_SPI_WAIT_MS_MAX = 65;

const EXAMPLES =
  "uart:/dev/ttyUSB0, uart:/dev/ttyUSB0?baud=57600, uart:COM3, uart:usb:0403:6001, uart:usb:0403:6001:A50285BI, " +
  "tcp:127.0.0.1:7000, buspirate+i2c:/dev/ttyUSB0, buspirate+spi:/dev/ttyUSB0, i2c:/dev/i2c-1 or spi:/dev/spidev0.0";

/** A whole number in decimal, within a range. */
function wholeNumber(low: number, high: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.number().min(low).max(high));
}

const tcpPort = wholeNumber(1, 65_535);

/** What may stand behind the `?`, and what is said of a wrong value. */
const settings = {
  baud: { schema: wholeNumber(50, BAUD_MAX), says: `a baud rate is a whole number from 50 to ${BAUD_MAX}` },
  wait: { schema: wholeNumber(0, WAIT_MAX), says: `a wait is a whole number of ms from 0 to ${WAIT_MAX}` },
  speed: {
    schema: wholeNumber(1000, SPI_HZ_MAX),
    says: `an SPI speed is a whole number of Hz from 1000 to ${SPI_HZ_MAX}, which is the module's most`,
  },
  power: { schema: z.enum(["on", "off"]).transform((value) => value === "on"), says: "power is on or off" },
  pullups: { schema: z.enum(["on", "off"]).transform((value) => value === "on"), says: "pullups are on or off" },
};
type Settings = { [Name in keyof typeof settings]?: z.output<(typeof settings)[Name]["schema"]> };

/**
 * Reads a port URI.
 *
 * @param defaults.baudRate for a serial port whose URI names none
 * @throws SakuraError INVALID_ARGUMENT that says what is wrong, with examples
 */
export function parsePortUri(text: string, defaults: { readonly baudRate?: number | undefined } = {}): PortUri {
  const [, scheme = "", rest = ""] = /^(uart|tcp|buspirate\+i2c|buspirate\+spi|i2c|spi):(.*)$/s.exec(text) ?? [];
  const fallback = defaults.baudRate ?? DEFAULT_BAUD_RATE;
  switch (scheme) {
    case "uart":
      return parseUart(text, rest, fallback);
    case "tcp":
      return parseTcp(text, rest);
    case "buspirate+i2c":
      return parseBusPirate(text, "i2c", rest, fallback);
    case "buspirate+spi":
      return parseBusPirate(text, "spi", rest, fallback);
    case "i2c":
      return parseLinuxI2c(text, rest);
    case "spi":
      return parseLinuxSpi(text, rest);
    default:
      throw invalid(text, `a port is ${EXAMPLES}, not "${text}"${meant(text)}`);
  }
}

/** The URI again, in the form that `parsePortUri` reads. */
export function portUriText(uri: PortUri): string {
  switch (uri.kind) {
    case "uart":
      return `uart:${serialPlaceText(uri.place)}${query({ baud: unless(uri.baudRate, DEFAULT_BAUD_RATE) })}`;
    case "tcp":
      return tcpText(uri);
    case "buspirate": {
      const { line } = uri;
      const place = line.kind === "tcp" ? tcpText(line) : serialPlaceText(line.place);
      const baud = line.kind === "tcp" ? undefined : unless(line.baudRate, DEFAULT_BAUD_RATE);
      const power = uri.power ? undefined : "off";
      const pullups = uri.pullUps ? undefined : "off";
      return `buspirate+${uri.bus}:${place}${query({ baud, wait: uri.waitMs, power, pullups })}`;
    }
    case "i2c":
      return `i2c:${uri.path}${query({ wait: uri.waitMs })}`;
    case "spi":
      return `spi:${uri.path}${query({ wait: uri.waitMs, speed: unless(uri.speed, DEFAULT_SPI_SPEED) })}`;
  }
}

/** The URI that a bare path may have stood for. */
function meant(text: string): string {
  if (/^\/dev\/i2c-\d/.test(text)) return `; did you mean i2c:${text}?`;
  if (/^\/dev\/spidev\d/.test(text)) return `; did you mean spi:${text}?`;
  return /^(\/dev\/|COM\d|usb:)/i.test(text) ? `; did you mean uart:${text}?` : "";
}

function parseUart(uri: string, text: string, fallback: number): UartUri {
  const [path, { baud = fallback }] = split(uri, text, ["baud"]);
  if (path === "") throw invalid(uri, `a serial port needs a path: ${EXAMPLES}, not "${uri}"`);
  return { kind: "uart", place: parseSerialPlace(path, uri), baudRate: baud };
}

function parseTcp(uri: string, text: string): TcpUri {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):([^:]*)$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) throw invalid(uri, `a TCP port is tcp:HOST:PORT, such as tcp:127.0.0.1:7000, not "${uri}"`);
  const port = tcpPort.safeParse(match?.[3]);
  if (!port.success) throw invalid(uri, `a TCP port's number is 1 to 65535, not "${match?.[3] ?? ""}"`);
  return { kind: "tcp", host, port: port.data };
}

function parseBusPirate(uri: string, bus: "i2c" | "spi", text: string, fallback: number): BusPirateUri {
  const overTcp = text.startsWith("tcp:");
  const allowed: (keyof Settings)[] = [...(overTcp ? [] : ["baud" as const]), "wait", "power"];
  if (bus === "i2c") allowed.push("pullups");
  const [place, { baud = fallback, wait, power = true, pullups = true }] = split(uri, text, allowed);
  if (place === "")
    throw invalid(uri, `a Bus Pirate needs its serial port: buspirate+${bus}:/dev/ttyUSB0, not "${uri}"`);
  const line: UartUri | TcpUri = overTcp
    ? parseTcp(uri, place.slice("tcp:".length))
    : { kind: "uart", place: parseSerialPlace(place, uri), baudRate: baud };
  return { kind: "buspirate", bus, line, waitMs: wait, power, pullUps: pullups };
}

function parseLinuxI2c(uri: string, text: string): LinuxI2cUri {
  const [path, { wait }] = split(uri, text, ["wait"]);
  const bus = /^\/dev\/i2c-(\d{1,4})$/.exec(path)?.[1];
  if (bus === undefined) throw invalid(uri, `an I2C bus is i2c:/dev/i2c-N, such as i2c:/dev/i2c-1, not "${uri}"`);
  return { kind: "i2c", path, bus: Number(bus), waitMs: wait };
}

function parseLinuxSpi(uri: string, text: string): LinuxSpiUri {
  const [path, { wait, speed = DEFAULT_SPI_SPEED }] = split(uri, text, ["wait", "speed"]);
  const [, bus, device] = /^\/dev\/spidev(\d{1,4})\.(\d{1,4})$/.exec(path) ?? [];
  if (bus === undefined || device === undefined) {
    throw invalid(uri, `an SPI device is spi:/dev/spidevB.C, such as spi:/dev/spidev0.0, not "${uri}"`);
  }
  if (wait !== undefined && wait > LINUX_SPI_WAIT_MS_MAX) {
    throw invalid(uri, `at an SPI device of Linux a wait is ${LINUX_SPI_WAIT_MS_MAX} ms at most, not ${wait}`);
  }
  return { kind: "spi", path, bus: Number(bus), device: Number(device), waitMs: wait, speed };
}

/** The baud rate that may stand behind a serial port's `?`, nothing else. @throws SakuraError INVALID_ARGUMENT */
export function splitBaudRate(uri: string): { readonly place: string; readonly baudRate: number | undefined } {
  const [place, { baud }] = split(uri, uri, ["baud"]);
  return { place, baudRate: baud };
}

/** What stands before the `?`, and the settings behind it. */
function split(uri: string, text: string, allowed: readonly (keyof Settings)[]): [string, Settings] {
  const at = text.indexOf("?");
  if (at < 0) return [text, {}];
  const read: Settings = {};
  for (const part of text.slice(at + 1).split("&")) {
    const [, key = "", value = ""] = /^([^=]*)=?(.*)$/s.exec(part) ?? [];
    const name = allowed.find((known) => known === key);
    if (name === undefined) {
      throw invalid(
        uri,
        `behind the ? of this port comes ${allowed.map((known) => `${known}=…`).join(" or ")}, not "${part}"`,
      );
    }
    if (name in read) throw invalid(uri, `${name} is there twice in "${uri}"`);
    set(read, name, value, uri);
  }
  return [text.slice(0, at), read];
}

function set<Name extends keyof Settings>(into: Settings, name: Name, text: string, uri: string): void {
  const { schema, says } = settings[name];
  const result = schema.safeParse(text);
  if (!result.success) throw invalid(uri, `${says}, not "${text}"`);
  Object.assign(into, { [name]: result.data });
}

function unless<Value>(value: Value, usual: Value): Value | undefined {
  return value === usual ? undefined : value;
}

function query(parts: Readonly<Record<string, string | number | undefined>>): string {
  const said = Object.entries(parts).filter(([, value]) => value !== undefined);
  return said.length === 0 ? "" : `?${said.map(([name, value]) => `${name}=${value}`).join("&")}`;
}

function tcpText({ host, port }: TcpUri): string {
  return `tcp:${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function invalid(uri: string, message: string): SakuraError {
  return new SakuraError("INVALID_ARGUMENT", message, { context: { uri } });
}
