/**
 * Linux's own I2C buses, such as a Raspberry Pi's, through the library `i2c-bus`. Plain reads and writes of the device:
 * SMBus blocks end at 32 bytes, and answers do not.
 */
import type { Clock } from "../../protocol/bus.ts";
import { errnoOf, isSakuraError, SakuraError } from "../../protocol/errors.ts";
import { hexByte } from "../../protocol/hex.ts";
import type { BusCallOptions, I2cBus } from "../bus.ts";
import { systemClock } from "../clock.ts";
import { LinuxBus, onTop, openFailure } from "./linux-bus.ts";
import { loadNativeLibrary } from "./native-library.ts";

/** The part of `i2c-bus` 5 that is used. */
export interface I2cLibrary {
  openPromisified(busNumber: number): Promise<I2cHandle>;
}
export interface I2cHandle {
  /** What the bus can do; the library opens the device with the first call that needs it, and not before. */
  i2cFuncs(): Promise<{ readonly i2c: boolean }>;
  i2cWrite(address: number, length: number, buffer: Buffer): Promise<{ readonly bytesWritten: number }>;
  i2cRead(address: number, length: number, buffer: Buffer): Promise<{ readonly bytesRead: number }>;
  close(): Promise<void>;
}

export interface LinuxI2cOptions {
  /** The N of `/dev/i2c-N`. */
  readonly bus: number;
  readonly clock?: Clock | undefined;
  /** In the place of `i2c-bus`, for tests. */
  readonly library?: I2cLibrary | undefined;
}

/** For a byte and its acknowledgement on a slow bus, 10 kHz, in ms: the system does not tell how fast it is. */
const BYTE_MS = 0.9;

/** How drivers of I2C controllers say that nobody acknowledged (Linux, Documentation/i2c/fault-codes). */
const NOT_ACKNOWLEDGED = new Set(["ENXIO", "EREMOTEIO"]);

/**
 * Opens `/dev/i2c-N`. Nothing is sent.
 * @throws SakuraError UNSUPPORTED without the library; PORT_NOT_FOUND, PORT_DENIED, PORT_BUSY, PORT_FAILED
 */
export async function openLinuxI2c({ bus, clock = systemClock, library }: LinuxI2cOptions): Promise<I2cBus> {
  const path = `/dev/i2c-${bus}`;
  const { openPromisified } = library ?? (await loadNativeLibrary("i2c-bus", isI2cLibrary));
  let handle: I2cHandle | undefined;
  try {
    handle = await openPromisified(bus);
    const { i2c } = await handle.i2cFuncs();
    if (!i2c) throw new SakuraError("UNSUPPORTED", `${path} is an SMBus alone, whose blocks end at 32 bytes`);
  } catch (cause) {
    await handle?.close().catch(() => undefined);
    if (isSakuraError(cause)) throw cause;
    const enable = `name another bus, or switch it on (Raspberry Pi: "sudo raspi-config nonint do_i2c 0")`;
    throw openFailure(path, "i2c", enable, cause);
  }
  return new LinuxI2c(path, handle, clock);
}

function isI2cLibrary(loaded: object): loaded is I2cLibrary {
  return "openPromisified" in loaded && typeof loaded.openPromisified === "function";
}

class LinuxI2c implements I2cBus {
  readonly name: string;
  readonly #handle: I2cHandle;
  readonly #system: LinuxBus;

  constructor(path: string, handle: I2cHandle, clock: Clock) {
    this.name = path;
    this.#handle = handle;
    this.#system = new LinuxBus(path, clock, () => handle.close());
  }

  async write(address: number, bytes: Uint8Array, options: BusCallOptions): Promise<void> {
    const step = `writing ${bytes.length} bytes to ${hexByte(address)}`;
    const { bytesWritten } = await this.#system.run(
      step,
      () => this.#handle.i2cWrite(address, bytes.length, Buffer.from(bytes)),
      onTop(options, BYTE_MS * bytes.length),
      (error) => this.#notAcknowledged(address, step, error),
    );
    if (bytesWritten !== bytes.length) throw this.#short(step, bytesWritten);
  }

  async read(address: number, length: number, options: BusCallOptions): Promise<Uint8Array> {
    const step = `reading ${length} bytes from ${hexByte(address)}`;
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await this.#system.run(
      step,
      () => this.#handle.i2cRead(address, length, buffer),
      onTop(options, BYTE_MS * length),
      (error) => this.#notAcknowledged(address, step, error),
    );
    if (bytesRead !== length) throw this.#short(step, bytesRead);
    return Uint8Array.from(buffer);
  }

  onClose(listener: (reason: SakuraError | undefined) => void): () => void {
    return this.#system.onClose(listener);
  }

  close(): Promise<void> {
    return this.#system.close();
  }

  #notAcknowledged(address: number, step: string, cause: unknown): SakuraError | undefined {
    if (!NOT_ACKNOWLEDGED.has(errnoOf(cause) ?? "")) return undefined;
    return new SakuraError(
      "NO_ANSWER",
      `nothing at ${hexByte(address)} on ${this.name} acknowledges: check the module's power, SDA, SCL, ground and pull-ups`,
      { context: { port: this.name, step, reached: false }, cause },
    );
  }

  #short(step: string, moved: number): SakuraError {
    return new SakuraError("PORT_FAILED", `${this.name} moved only ${moved} while ${step}`, {
      context: { port: this.name, step },
    });
  }
}
