/**
 * I2C and SPI as a master has them: what the transports drive and the adapters carry. Neither shows whose grammar is
 * behind it, so that another adapter is one more file in adapter/.
 */
import type { SakuraError } from "../protocol/errors.ts";

/** How long one call on a bus may take. */
export interface BusCallOptions {
  /** For the adapter and the wire, in ms. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What every bus has, whatever carries it. */
export interface Bus {
  /** Where it is, for people: `/dev/i2c-1`, `the Bus Pirate at /dev/ttyUSB0`. */
  readonly name: string;
  /** As `ByteDuplex.onClose`. */
  onClose(listener: (reason: SakuraError | undefined) => void): () => void;
  /** Lets go of it; what is under way is rejected with CLOSED. Further calls do nothing more. */
  close(): Promise<void>;
}

/**
 * An I2C bus as its master has it. One call at a time.
 *
 * Both calls reject with SakuraError:
 * - NO_ANSWER with context.reached false: the address, or a byte written, was not acknowledged
 * - PORT_FAILED, PORT_LOST: the adapter failed, or is gone; with context.reached false before anything was sent
 * - NO_ANSWER without it: the adapter did not answer in time
 * - ABORTED by the signal, CLOSED by `close()`
 */
export interface I2cBus extends Bus {
  /** START, the 7-bit address, the bytes, STOP. */
  write(address: number, bytes: Uint8Array, options: BusCallOptions): Promise<void>;
  /** START, the 7-bit address, so many bytes (1 or more) with the last one not acknowledged, STOP. */
  read(address: number, length: number, options: BusCallOptions): Promise<Uint8Array>;
}

/** What is clocked in behind a request. */
export interface SpiReading {
  /** Between the request's last byte and the first that is clocked in, in ms; never shorter. */
  readonly waitMs: number;
  /** So many bytes to begin with. */
  readonly first: number;
  /**
   * How many more are wanted, given all that have come so far; 0 ends the exchange. It ends by itself: an adapter asks
   * until then.
   */
  readonly more: (received: Uint8Array) => number;
  /** What the longest answer needs: an adapter that cannot ask in the middle of an exchange clocks that at once. */
  readonly most: number;
}

/** An SPI bus as its master has it: one device, its chip select included. One call at a time. */
export interface SpiBus extends Bus {
  /**
   * Chip select low; the bytes clocked out; a wait; bytes clocked in against 0x00; chip select high, also after a
   * failure. Gives what was clocked in behind the bytes written. Rejects as {@link I2cBus}; there is nothing that SPI
   * acknowledges.
   */
  exchange(bytes: Uint8Array, reading: SpiReading, options: BusCallOptions): Promise<Uint8Array>;
}
