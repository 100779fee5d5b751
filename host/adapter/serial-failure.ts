/** Why a serial port did not open, found out afterwards, and what to do about it. */
import { constants } from "node:fs";
import { open, readdir, readFile, readlink, realpath, stat } from "node:fs/promises";
import { isatty } from "node:tty";
import { errnoOf, reasonOf, SakuraError, type SakuraErrorCode } from "../../protocol/errors.ts";
import type { SerialPortInfo } from "./serial-list.ts";

/**
 * Asks the system, which names its errors, since the library only has text: the port is opened once more, and only
 * then. (Beforehand it would move the modem lines of a good port, and reset what hangs on them.)
 *
 * @param cause what the library said
 * @param ports the serial ports that are there, for the message
 */
export async function explainOpenFailure(
  path: string,
  cause: unknown,
  ports: readonly SerialPortInfo[],
): Promise<SakuraError> {
  const found = process.platform === "win32" ? diagnoseByText(path, cause) : await diagnose(path, cause);
  return new SakuraError(found.code, `${found.says}; ${describePorts(ports)}`, {
    context: { port: path, ...(found.holder === undefined ? {} : { holder: found.holder }) },
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
  const holder = await findHolder(path);
  if (holder === undefined) {
    return { code: "PORT_BUSY", says: `another program has ${path} open: end that program` };
  }
  if (holder === process.pid) {
    return { code: "PORT_BUSY", says: `this program has ${path} open already: name each port once`, holder };
  }
  const name = (await readFile(`/proc/${holder}/comm`, "utf8").catch(() => "")).trim();
  const who = name ? `${name} (process ${holder})` : `process ${holder}`;
  return { code: "PORT_BUSY", says: `${who} has ${path} open: end that program`, holder };
}

async function findHolder(path: string): Promise<number | undefined> {
  if (process.platform !== "linux") return undefined;
  try {
    return (await findLocker(path)) ?? (await findOpener(path));
  } catch {
    // The name is a courtesy: without it the message says that the port is busy all the same.
    return undefined;
  }
}

/** `/proc/locks`: `1: FLOCK ADVISORY WRITE PID MAJOR:MINOR:INODE 0 EOF`, the device numbers in hexadecimal. */
async function findLocker(path: string): Promise<number | undefined> {
  const { dev, ino } = await stat(path, { bigint: true });
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
  const hex = (value: bigint): string => value.toString(16).padStart(2, "0");
  const file = `${hex(major)}:${hex(minor)}:${ino}`;
  for (const line of (await readFile("/proc/locks", "utf8")).split("\n")) {
    const [, kind, , , pid, where] = line.trim().split(/\s+/);
    if (kind === "FLOCK" && where === file && Number(pid) > 0) return Number(pid);
  }
  return undefined;
}

/** For a holder without a lock: whoever has the device among its open files, as far as this user may look. */
async function findOpener(path: string): Promise<number | undefined> {
  const device = await realpath(path);
  const pids = (await readdir("/proc")).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  for (const pid of pids) {
    const fds = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const fd of fds) {
      if ((await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")) === device) return pid;
    }
  }
  return undefined;
}

async function explainDenial(path: string, code: "EACCES" | "EPERM"): Promise<string> {
  if (code === "EPERM") {
    return `the system does not let this program use ${path}: if it runs in a container, hand it over with --device`;
  }
  const group = await owningGroup(path);
  if (group === undefined) return `no permission to open ${path}: its owner (see \`ls -l ${path}\`) has to allow it`;
  const remedy =
    process.platform === "linux" ? `sudo usermod -a -G ${group} $USER` : `sudo dseditgroup -o edit -a $USER ${group}`;
  return `no permission to open ${path}: it belongs to the group ${group}; run \`${remedy}\` and log in again`;
}

/** The group that may read and write the device, by name where it has one; none when joining it would not help. */
async function owningGroup(path: string): Promise<string | undefined> {
  const facts = await stat(path).catch(() => undefined);
  if (!facts) return undefined;
  return groupThatMayOpen(facts, await readFile("/etc/group", "utf8").catch(() => ""));
}

/** @param groups the text of `/etc/group` */
export function groupThatMayOpen(
  facts: { readonly mode: number; readonly gid: number },
  groups: string,
): string | undefined {
  // Nobody should be told to join the administrators' group for a serial port.
  if ((facts.mode & 0o060) !== 0o060 || facts.gid === 0) return undefined;
  for (const line of groups.split("\n")) {
    const [name, , gid] = line.split(":");
    if (gid === String(facts.gid)) return name;
  }
  return String(facts.gid);
}
