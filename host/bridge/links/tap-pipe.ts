/**
 * The wire through a tap: what one side sends is written to the other at once, and only then looked at. Nothing that
 * looks can hold it up: not by failing, and not by taking its time over an earlier byte.
 */
import type { ByteDuplex } from "../../../protocol/bus.ts";

export type TapSide = "mcu" | "module";

export interface TapWatcher {
  /** Bytes that this side sent. They are on their way already, or were dropped. */
  passed(from: TapSide, bytes: Uint8Array): void;
  /** As many bytes of this side's were dropped, because the other side does not read, or is not there. */
  dropped(from: TapSide, bytes: number): void;
  /** Another program is the MCU now. */
  mcuChanged(): void;
  /** One of the above has thrown. Must not. */
  failed(error: unknown): void;
}

/**
 * A UART has no flow control: who does not read in time loses bytes. So much is kept for one who is only slow: more than
 * the longest line, and under what an endpoint itself would drop without a word.
 */
export const TAP_UNSENT_MAX = 256 * 1024;

export class TapPipe {
  readonly #module: ByteDuplex;
  readonly #watcher: TapWatcher;
  readonly #stopModule: () => void;
  #mcu: ByteDuplex | undefined;
  #stopMcu: () => void = () => undefined;

  /** Does not close what it is given. */
  constructor(module: ByteDuplex, watcher: TapWatcher) {
    this.#module = module;
    this.#watcher = watcher;
    this.#stopModule = module.onBytes((bytes) => this.#pass("module", bytes, this.#mcu));
  }

  /** Puts the MCU on its side, in the place of the one before. */
  connect(mcu: ByteDuplex): void {
    this.#stopMcu();
    this.#mcu = mcu;
    const stopBytes = mcu.onBytes((bytes) => this.#pass("mcu", bytes, this.#module));
    const stopClose = mcu.onClose(() => {
      if (this.#mcu === mcu) this.#mcu = undefined;
    });
    this.#stopMcu = () => {
      stopBytes();
      stopClose();
    };
    this.#tell(() => this.#watcher.mcuChanged());
  }

  close(): void {
    this.#stopModule();
    this.#stopMcu();
    this.#mcu = undefined;
  }

  #pass(from: TapSide, bytes: Uint8Array, to: ByteDuplex | undefined): void {
    const fits = to !== undefined && (to.unsent?.() ?? 0) + bytes.length <= TAP_UNSENT_MAX;
    if (fits) to.write(bytes);
    this.#tell(() => {
      if (!fits) this.#watcher.dropped(from, bytes.length);
      this.#watcher.passed(from, bytes);
    });
  }

  #tell(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#watcher.failed(error);
    }
  }
}
