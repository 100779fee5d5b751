/** Which process has a serial port open. Nothing is opened for it: opening moves the modem lines of a good port. */
import { readdir, readFile, readlink, realpath, stat } from "node:fs/promises";

export interface PortHolder {
  /** Process id; this program's own where it has the port itself. */
  readonly pid: number;
  /** The process's name, as the system has it (15 characters at most); nothing where this user may not look. */
  readonly name: string | undefined;
  /**
   * Whether it holds the exclusive lock that serial programs take: then nobody else's opening succeeds. Without it the
   * process has the device open, as `cat` has; the maker of a pseudo-terminal may keep its other end so too.
   */
  readonly locked: boolean;
}

/** Linux only; nothing elsewhere, and nothing for a process that this user may not look at. */
export async function findPortHolder(path: string): Promise<PortHolder | undefined> {
  if (process.platform !== "linux") return undefined;
  try {
    const locker = await findLocker(path);
    const pid = locker ?? (await findOpener(path));
    if (pid === undefined) return undefined;
    return { pid, name: await nameOf(pid), locked: locker !== undefined };
  } catch {
    // The name is a courtesy: without it a message says that the port is busy all the same.
    return undefined;
  }
}

/** `picocom (process 4711)`. */
export function holderText({ pid, name }: PortHolder): string {
  return name === undefined ? `process ${pid}` : `${name} (process ${pid})`;
}

async function nameOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
  return text.trim() || undefined;
}

/**
 * The process that has a file locked, of `/proc/locks`: `1: FLOCK ADVISORY WRITE PID MAJOR:MINOR:INODE 0 EOF`, the device
 * numbers in hexadecimal.
 *
 * @param wanted the kind of lock: serial ports have `FLOCK`, LevelDB's stores `POSIX`
 * @throws what the system says, where the file or the list of locks cannot be seen
 */
export async function findLocker(path: string, wanted: "FLOCK" | "POSIX" = "FLOCK"): Promise<number | undefined> {
  const { dev, ino } = await stat(path, { bigint: true });
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
  const hex = (value: bigint): string => value.toString(16).padStart(2, "0");
  const file = `${hex(major)}:${hex(minor)}:${ino}`;
  for (const line of (await readFile("/proc/locks", "utf8")).split("\n")) {
    const [, kind, , , pid, where] = line.trim().split(/\s+/);
    if (kind === wanted && where === file && Number(pid) > 0) return Number(pid);
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
