/** Why a serial port did not open, found out afterwards, and what to do about it. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { isatty } from "node:tty";
import { errnoOf, reasonOf, SakuraError, type SakuraErrorCode } from "../../protocol/errors.ts";
import { explainDenial } from "./port-access.ts";
import { findPortHolder, holderText } from "./port-holder.ts";
import type { SerialPortInfo } from "./serial-list.ts";

/**
 * Asks the system, which names its errors, since the library only has text: the port is opened once more, and only
 * then. (Beforehand it would move the modem lines of a good port, and reset what hangs on them.)
 *
 * @param cause what the library said
 * @param ports the serial ports that are there, for the message
 * @param alias what the caller knows the port by, where that is not its path
 */
export async function explainOpenFailure(
  path: string,
  cause: unknown,
  ports: readonly SerialPortInfo[],
  alias?: string,
): Promise<SakuraError> {
  const found = process.platform === "win32" ? diagnoseByText(path, cause) : await diagnose(path, cause);
  const about = alias === undefined ? "" : `${alias} is ${path}: `;
  return new SakuraError(found.code, `${about}${found.says}; ${describePorts(ports)}`, {
    context: { port: path, alias, ...(found.holder === undefined ? {} : { holder: found.holder }) },
    cause,
  });
}

interface Diagnosis {
  readonly code: SakuraErrorCode;
  readonly says: string;
  /** The process that has the port. */
  readonly holder?: number;
}

/** `serial ports here: /dev/ttyUSB0 (FTDI, 0403:6001), /dev/ttyACM0`. */
export function describePorts(ports: readonly SerialPortInfo[]): string {
  if (ports.length === 0) return "no serial port is there";
  const one = ({ path, manufacturer, vendorId, productId }: SerialPortInfo): string => {
    const facts = [manufacturer, vendorId && `${vendorId}:${productId ?? "?"}`].filter((fact) => fact);
    return facts.length > 0 ? `${path} (${facts.join(", ")})` : path;
  };
  return `serial ports here: ${ports.map(one).join(", ")}`;
}

async function diagnose(path: string, cause: unknown): Promise<Diagnosis> {
  const probed = await probe(path);
  switch (probed) {
    case "terminal":
      if (isLockFailure(cause)) return busy(path);
      return { code: "PORT_FAILED", says: `${path} cannot be set up: ${reasonOf(cause)}` };
    case "other":
    case "EISDIR":
      return { code: "PORT_FAILED", says: `${path} is not a serial port` };
    case "ENOENT":
    case "ENOTDIR":
      return { code: "PORT_NOT_FOUND", says: `there is no ${path}: check the name and the cable` };
    case "ENXIO":
    case "ENODEV":
      return { code: "PORT_NOT_FOUND", says: `no hardware is behind ${path}: check the cable` };
    case "EACCES":
    case "EPERM":
      return { code: "PORT_DENIED", says: await explainDenial(path, probed) };
    case "EBUSY":
      return busy(path);
    default:
      return { code: "PORT_FAILED", says: `${path} cannot be opened: ${reasonOf(cause)}` };
  }
}

/** What opening the path comes to: the system's error, or what it is that opened. */
async function probe(path: string): Promise<string> {
  try {
    const handle = await open(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    try {
      return isatty(handle.fd) ? "terminal" : "other";
    } finally {
      await handle.close();
    }
  } catch (error) {
    return errnoOf(error) ?? "unknown";
  }
}

/**
 * The one test by text for Linux and macOS: a refused lock opens well, and the library reports it without a code.
 * The tested words are the library's own; the system's, before them, vary with the language.
 */
function isLockFailure(cause: unknown): boolean {
  return reasonOf(cause).endsWith("Cannot lock port");
}

/** The one test by text for Windows, whose errors reach us as the library's English words only. */
function diagnoseByText(path: string, cause: unknown): Diagnosis {
  const text = reasonOf(cause);
  if (text.endsWith("File not found")) {
    return { code: "PORT_NOT_FOUND", says: `there is no ${path}: check the name and the cable` };
  }
  // Windows has no permissions on COM ports: it denies access to a port that somebody has open.
  if (text.endsWith("Access denied")) {
    return { code: "PORT_BUSY", says: `another program has ${path} open: end that program` };
  }
  return { code: "PORT_FAILED", says: `${path} cannot be opened: ${text}` };
}

async function busy(path: string): Promise<Diagnosis> {
  const holder = await findPortHolder(path);
  if (holder === undefined) {
    return { code: "PORT_BUSY", says: `another program has ${path} open: end that program` };
  }
  const { pid } = holder;
  if (pid === process.pid) {
    return { code: "PORT_BUSY", says: `this program has ${path} open already: name each port once`, holder: pid };
  }
  return { code: "PORT_BUSY", says: `${holderText(holder)} has ${path} open: end that program`, holder: pid };
}
