/**
 * Linux's own SPI devices, such as a Raspberry Pi's, through the library `spi-device`. Chip select holds within one
 * message to the kernel and no longer, so request, wait and answer are one message, as long as the longest answer.
 */
import type { Clock } from "../../protocol/bus.ts";
import { SakuraError } from "../../protocol/errors.ts";
import type { BusCallOptions, SpiBus, SpiReading } from "../bus.ts";
import { systemClock } from "../clock.ts";
import { LINUX_SPI_WAIT_MS_MAX } from "../uri.ts";
import { LinuxBus, onTop, openFailure } from "./linux-bus.ts";
import { loadNativeLibrary } from "./native-library.ts";

/** One stretch of a message: bytes both ways, and a delay behind them. */
export interface SpiTransfer {
  readonly byteLength: number;
  readonly sendBuffer: Buffer;
  readonly receiveBuffer: Buffer;
  /** 0 to 65535. */
  readonly microSecondDelay: number;
}
/** The part of `spi-device` 3 that is used. */
export interface SpiLibrary {
  open(
    busNumber: number,
    deviceNumber: number,
    options: { readonly mode: 0; readonly maxSpeedHz: number },
    done: (error: Error | null | undefined) => void,
  ): SpiHandle;
}
export interface SpiHandle {
  transfer(message: SpiTransfer[], done: (error: Error | null | undefined) => void): unknown;
  close(done: (error: Error | null | undefined) => void): void;
}

export interface LinuxSpiOptions {
  /** The B and the C of `/dev/spidevB.C`. */
  readonly bus: number;
  readonly device: number;
  /** In Hz; the module takes up to 350,000 (§5). */
  readonly speed: number;
  readonly clock?: Clock | undefined;
  /** In the place of `spi-device`, for tests. */
  readonly library?: SpiLibrary | undefined;
}

const BITS_PER_BYTE = 8;
/** Between two bytes (§5), in µs. */
const GAP_US = 20;
/** The kernel takes 511 transfers a message: their 32 bytes each have to fit the 14 bits of an ioctl's size. */
const TRANSFERS_MAX = 500;

/**
 * Opens `/dev/spidevB.C` in mode 0 (§5). Nothing is sent.
 * @throws SakuraError UNSUPPORTED without the library; PORT_NOT_FOUND, PORT_DENIED, PORT_BUSY, PORT_FAILED
 */
export async function openLinuxSpi(options: LinuxSpiOptions): Promise<SpiBus> {
  const { bus, device, speed, clock = systemClock } = options;
  const path = `/dev/spidev${bus}.${device}`;
  const library = options.library ?? (await loadNativeLibrary("spi-device", isSpiLibrary));
  const handle = await new Promise<SpiHandle>((resolve, reject) => {
    const opening = library.open(bus, device, { mode: 0, maxSpeedHz: speed }, (error) => {
      if (error) {
        const enable = `name another device, or switch SPI on (Raspberry Pi: "sudo raspi-config nonint do_spi 0")`;
        reject(openFailure(path, "spi", enable, error));
      } else resolve(opening);
    });
  });
  return new LinuxSpi(path, handle, speed, clock);
}

function isSpiLibrary(loaded: object): loaded is SpiLibrary {
  return "open" in loaded && typeof loaded.open === "function";
}

class LinuxSpi implements SpiBus {
  readonly name: string;
  readonly #handle: SpiHandle;
  readonly #system: LinuxBus;
  readonly #speed: number;

  constructor(path: string, handle: SpiHandle, speed: number, clock: Clock) {
    this.name = path;
    this.#handle = handle;
    this.#speed = speed;
    this.#system = new LinuxBus(path, clock, () => called((done) => handle.close(done)));
  }

  async exchange(bytes: Uint8Array, { waitMs, most }: SpiReading, options: BusCallOptions): Promise<Uint8Array> {
    if (waitMs > LINUX_SPI_WAIT_MS_MAX) {
      throw new SakuraError(
        "INVALID_ARGUMENT",
        `${this.name} can wait ${LINUX_SPI_WAIT_MS_MAX} ms at most within an exchange, not ${waitMs}`,
        { context: { port: this.name } },
      );
    }
    const step = `exchanging ${bytes.length} bytes for up to ${most}`;
    const size = Math.ceil((bytes.length + most) / TRANSFERS_MAX);
    const request = transfers(Buffer.from(bytes), size, waitMs * 1000);
    const answer = transfers(Buffer.alloc(most), size, 0);
    const message = [...request, ...answer];
    const wireMs = (bytes.length + most) * (BITS_PER_BYTE / this.#speed + GAP_US / 1_000_000) * 1000;
    const limits = onTop(options, waitMs + wireMs);
    await this.#system.run(step, () => called((done) => this.#handle.transfer(message, done)), limits);
    return Uint8Array.from(Buffer.concat(answer.map(({ receiveBuffer }) => receiveBuffer)));
  }

  onClose(listener: (reason: SakuraError | undefined) => void): () => void {
    return this.#system.onClose(listener);
  }

  close(): Promise<void> {
    return this.#system.close();
  }
}

/** The bytes in transfers of `size`, a gap behind each; behind the last one another delay, in µs. */
function transfers(bytes: Buffer, size: number, lastDelay: number): SpiTransfer[] {
  const all: SpiTransfer[] = [];
  for (let from = 0; from < bytes.length; from += size) {
    const sendBuffer = bytes.subarray(from, from + size);
    const last = from + size >= bytes.length;
    all.push({
      byteLength: sendBuffer.length,
      sendBuffer,
      receiveBuffer: Buffer.alloc(sendBuffer.length),
      microSecondDelay: last ? lastDelay : GAP_US,
    });
  }
  return all;
}

/** The outcome of a call with a callback. */
function called(call: (done: (error: Error | null | undefined) => void) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
