/**
 * The few calls of the C library that Node does not offer and a pseudo-terminal needs, through `koffi`: no compiler
 * and no install script. Opening, reading and writing stay with Node, which marks its descriptors close-on-exec.
 */
import { getSystemErrorName } from "node:util";
import { reasonOf, SakuraError } from "../../protocol/errors.ts";

/** Watches a descriptor from the event loop itself; libuv's thread pool is not involved. */
export interface DescriptorWatch {
  /** Whether to be called also when the descriptor takes bytes again. */
  wantWritable(wanted: boolean): void;
  /** Ends the watch. The descriptor may be closed at once afterwards. */
  stop(): void;
}

export interface TerminalCalls {
  /** Makes the device end of a controlling end's descriptor openable and returns its path, `/dev/pts/N`. */
  unlock(controllingFd: number): string;
  /** No echo, no line editing, no translation; holds until someone sets otherwise, whoever opens and closes it. */
  makeRaw(deviceFd: number): void;
  /** Takes back a driver's claim that nobody else may open the device (TIOCEXCL). */
  clearExclusive(deviceFd: number): void;
  watch(fd: number, onReady: () => void): DescriptorWatch;
}

/** termios is 60 bytes on Linux and 72 on macOS; the calls that use it know its layout, so this file need not. */
const TERMIOS_ROOM = 256;
const PATH_ROOM = 256;
/** The same on Linux and macOS. */
const TCSANOW = 0;

let loading: Promise<TerminalCalls> | undefined;

/** @throws SakuraError UNSUPPORTED on Windows, and where koffi or one of the calls is missing */
export function loadTerminalCalls(): Promise<TerminalCalls> {
  loading ??= load();
  return loading;
}

async function load(): Promise<TerminalCalls> {
  if (process.platform === "win32") throw unsupported("Windows has no pseudo-terminals that a serial program can open");
  try {
    return bind(await import("koffi"));
  } catch (cause) {
    throw unsupported(`the C library cannot be called here (${reasonOf(cause)})`, cause);
  }
}

function unsupported(why: string, cause?: unknown): SakuraError {
  return new SakuraError("UNSUPPORTED", `no pseudo-terminal: ${why}; use tcp:127.0.0.1:0 instead`, { cause });
}

function bind(koffi: typeof import("koffi")): TerminalCalls {
  const libc = koffi.load(null);
  const grantpt: (fd: number) => number = libc.func("int grantpt(int fd)");
  const unlockpt: (fd: number) => number = libc.func("int unlockpt(int fd)");
  const ptsname: (fd: number, path: Uint8Array, room: number) => number = libc.func(
    "int ptsname_r(int fd, void *path, size_t room)",
  );
  const tcgetattr: (fd: number, termios: Uint8Array) => number = libc.func("int tcgetattr(int fd, void *termios)");
  const cfmakeraw: (termios: Uint8Array) => void = libc.func("void cfmakeraw(void *termios)");
  const tcsetattr: (fd: number, when: number, termios: Uint8Array) => number = libc.func(
    "int tcsetattr(int fd, int when, const void *termios)",
  );
  const ioctl: (fd: number, request: number) => number = libc.func("int ioctl(int fd, unsigned long request, ...)");
  const TIOCNXCL = process.platform === "darwin" ? 0x2000_740e : 0x540d;

  const check = (result: number, call: string): void => {
    if (result === 0) return;
    // ptsname_r answers with the error on Linux, and with -1 elsewhere
    const errno = result > 0 ? result : koffi.errno();
    throw new SakuraError("PORT_FAILED", `no pseudo-terminal: ${call} failed with ${getSystemErrorName(-errno)}`, {
      context: { call, errno },
    });
  };

  return {
    unlock(fd) {
      check(grantpt(fd), "grantpt");
      check(unlockpt(fd), "unlockpt");
      const path = new Uint8Array(PATH_ROOM);
      check(ptsname(fd, path, path.length), "ptsname_r");
      return new TextDecoder().decode(path.subarray(0, path.indexOf(0)));
    },
    makeRaw(fd) {
      const termios = new Uint8Array(TERMIOS_ROOM);
      check(tcgetattr(fd, termios), "tcgetattr");
      cfmakeraw(termios);
      check(tcsetattr(fd, TCSANOW, termios), "tcsetattr");
    },
    clearExclusive(fd) {
      ioctl(fd, TIOCNXCL);
    },
    watch(fd, onReady) {
      const handle = koffi.node.poll(fd, { readable: true }, () => onReady());
      return {
        wantWritable: (wanted) => handle.start({ readable: true, writable: wanted }, () => onReady()),
        stop: () => handle.close(),
      };
    },
  };
}
