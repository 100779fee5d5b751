/** Serial ports: a USB-serial adapter, an on-board UART, an emulated module's pseudo-terminal. */
import type { SerialPort } from "serialport";
import type { ByteDuplex } from "../../protocol/bus.ts";
import { duplexOverStream } from "../../protocol/duplex.ts";
import { reasonOf, SakuraError } from "../../protocol/errors.ts";
import { PolledPort } from "./polled-port.ts";
import { explainOpenFailure } from "./serial-failure.ts";
import { listLinuxPorts, printable, type SerialPortInfo } from "./serial-list.ts";

export type { SerialPortInfo } from "./serial-list.ts";

export interface SerialPortOptions {
  /** `/dev/ttyUSB0`, `/dev/tty.usbserial-10`, `COM3`. */
  readonly path: string;
  /** Bits per second; 115200 unless told. The line is 8 data bits, no parity, one stop bit, no flow control. */
  readonly baudRate?: number | undefined;
  /** What the caller knows it by, for messages: `usb:0403:6001:A50285BI`. */
  readonly alias?: string | undefined;
  /** Gives up the opening. A port that opens nevertheless is closed as soon as it has. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a serial port for this program alone (an exclusive lock). What was received before is dropped.
 *
 * @throws SakuraError INVALID_ARGUMENT, ABORTED; PORT_NOT_FOUND, PORT_DENIED, PORT_BUSY (context.holder is the process
 *   that has it, where that can be seen) or PORT_FAILED, whose messages name the serial ports that are there
 */
export async function openSerialPort(options: SerialPortOptions): Promise<ByteDuplex> {
  const { path, baudRate = 115200, alias, signal } = options;
  if (path === "") throw new SakuraError("INVALID_ARGUMENT", "a serial port needs a path, such as /dev/ttyUSB0");
  if (!Number.isInteger(baudRate) || baudRate <= 0) {
    throw new SakuraError("INVALID_ARGUMENT", `a baud rate is a whole number above 0, not ${baudRate}`);
  }
  throwIfAborted(path, signal);
  const { SerialPort } = await loadLibrary();
  throwIfAborted(path, signal);
  const port = new SerialPort({ path, baudRate, lock: true, autoOpen: false });
  try {
    await opened(port, signal);
  } catch (cause) {
    if (signal?.aborted) throw abortedError(path, signal);
    throw await explainOpenFailure(path, cause, await listForMessage(), alias);
  }
  return duplexOver(port, path, alias);
}

/**
 * The serial ports that are there: those with a USB id first, then by name.
 *
 * @throws SakuraError UNSUPPORTED when the library does not load here; PORT_FAILED when the system cannot tell
 */
export async function listSerialPorts(): Promise<SerialPortInfo[]> {
  const ports = process.platform === "linux" ? await listLinuxPorts() : await listByLibrary();
  return ports.sort(
    (a, b) =>
      Number(b.vendorId !== undefined) - Number(a.vendorId !== undefined) ||
      a.path.localeCompare(b.path, "en", { numeric: true }),
  );
}

async function listByLibrary(): Promise<SerialPortInfo[]> {
  const { SerialPort } = await loadLibrary();
  try {
    const ports = await SerialPort.list();
    return ports.map(({ path, manufacturer, serialNumber, vendorId, productId, pnpId }) => ({
      path,
      manufacturer: printable(manufacturer),
      serialNumber: printable(serialNumber),
      vendorId: vendorId?.toLowerCase(),
      productId: productId?.toLowerCase(),
      pnpId,
    }));
  } catch (cause) {
    throw new SakuraError("PORT_FAILED", `the system does not list its serial ports: ${reasonOf(cause)}`, { cause });
  }
}

/** For the end of an error message, which must come even if the list does not. */
async function listForMessage(): Promise<SerialPortInfo[]> {
  return listSerialPorts().catch(() => []);
}

/** Not before a port is wanted: loading takes longer than most other work of a short command. */
async function loadLibrary(): Promise<typeof import("serialport")> {
  try {
    return await import("serialport");
  } catch (cause) {
    throw new SakuraError("UNSUPPORTED", `serial ports cannot be used on this system: ${reasonOf(cause)}`, { cause });
  }
}

function opened(port: SerialPort, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    port.open((error) => {
      signal?.removeEventListener("abort", onAbort);
      if (error) reject(error);
      else if (signal?.aborted) port.close(() => undefined);
      else resolve();
    });
  });
}

function duplexOver(port: SerialPort, path: string, alias: string | undefined): ByteDuplex {
  const called = alias === undefined ? path : `${alias}, which was ${path},`;
  const closePort = (): Promise<void> =>
    // The library's only complaint is that it is closed already, as after a loss.
    new Promise((resolve) => port.close(() => resolve()));
  let disconnected: Error | undefined;
  const lost = (cause: Error | undefined): SakuraError => {
    const why = cause ?? disconnected;
    return new SakuraError(
      "PORT_LOST",
      `${called} went away${why ? `: ${why.message}` : ""}; check its cable and power`,
      {
        context: { port: path, alias },
        cause: why,
      },
    );
  };

  const binding = port.port;
  if (binding && "poller" in binding && binding.fd !== null) {
    const polled = new PolledPort(binding.fd, binding.poller);
    const release = (): Promise<void> => {
      polled.stop();
      return closePort();
    };
    return duplexOverStream(polled, { name: path, release, lost });
  }
  // Windows has no descriptor to poll. The library gives the reason with its close event alone.
  port.on("close", (error?: Error | null) => {
    disconnected = error ?? undefined;
  });
  return duplexOverStream(port, { name: path, release: closePort, lost });
}

function throwIfAborted(path: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortedError(path, signal);
}

function abortedError(path: string, signal: AbortSignal): SakuraError {
  return new SakuraError("ABORTED", `opening ${path} was given up`, { context: { port: path }, cause: signal.reason });
}
