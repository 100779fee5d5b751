/**
 * The module's side of I2C (§4), byte by byte: a simulated microcontroller, a Bus Pirate or a test moves it as a wire
 * would. What unmodified drivers do to it is in the tests, one by one.
 */
import { I2C_ADDRESS } from "../../protocol/wiring.ts";
import { choices } from "../choices.ts";
import { type FrameAnswerer, firstFrame } from "../frame-answerer.ts";

/** A device on an I2C bus, as the wire sees it. Its address is the master's to compare. */
export interface I2cTarget {
  readonly address: number;
  /** A START, or a repeated one, with its address. Returns whether it acknowledges. */
  start(direction: "write" | "read"): boolean;
  /** A byte from the master. Returns whether it acknowledges. */
  write(byte: number): boolean;
  /** The next byte to the master. */
  read(): number;
  stop(): void;
}

/** What a driver did that no exchange begins with or ends on: for logs, and for tests of drivers. */
export type I2cEvent =
  /** A write that is no whole frame; the next answer is `04 00 04`. */
  | { readonly kind: "no-frame"; readonly bytes: number }
  /** More was written than the frame has. */
  | { readonly kind: "surplus"; readonly bytes: number }
  /** Nothing was ever asked, so there is nothing to read. */
  | { readonly kind: "nothing-asked" }
  /** The answer was read before it was ready; only 0x00 came. */
  | { readonly kind: "too-early" };

export interface I2cOptions {
  /** From the request's last byte to the answer, in ms. */
  readonly readyAfterMs?: number | undefined;
  readonly onEvent?: ((event: I2cEvent) => void) | undefined;
}

/** Writes shorter than this are not looked at: an address probe, the lone 0x20 of an SMBus block read (§4). */
const REQUEST_MIN = 2;

/** Puts a module on an I2C bus. Its faults damage bytes in both directions and delay its answers. */
export function attachI2c(module: FrameAnswerer, options: I2cOptions = {}): I2cTarget {
  return new ModuleOnI2c(module, options);
}

class ModuleOnI2c implements I2cTarget {
  readonly address = I2C_ADDRESS;
  readonly #module: FrameAnswerer;
  readonly #readyAfterMs: number;
  readonly #onEvent: (event: I2cEvent) => void;
  /** The bytes of the write that is under way. */
  #request: number[] = [];
  /** The write's frame was whole, and its command has run. */
  #ran = false;
  #surplus = 0;
  #answer: Uint8Array | undefined;
  #readyAt = 0;
  /** Where the read that is under way has got to; beyond the answer for one that came too early. */
  #place = 0;

  constructor(module: FrameAnswerer, { readyAfterMs = choices.busReadyMs, onEvent = () => undefined }: I2cOptions) {
    this.#module = module;
    this.#readyAfterMs = readyAfterMs;
    this.#onEvent = onEvent;
  }

  start(direction: "write" | "read"): boolean {
    this.#endWrite();
    if (this.#module.silent) return false;
    if (direction === "read") this.#beginRead();
    return true;
  }

  write(byte: number): boolean {
    // A byte that the module misses is one that it does not acknowledge.
    const [heard] = this.#module.faults.damage(Uint8Array.of(byte));
    if (heard === undefined) return false;
    if (this.#ran) {
      this.#surplus++;
      return true;
    }
    this.#request.push(heard);
    // The command runs at the parity byte, whenever STOP comes (§4).
    if (this.#request.length >= 3 && this.#request.length === (this.#request[1] ?? 0) + 3) this.#run();
    return true;
  }

  read(): number {
    for (;;) {
      const byte = this.#answer?.[this.#place++] ?? choices.busFiller;
      const [sent] = this.#module.faults.damage(Uint8Array.of(byte));
      if (sent !== undefined) return sent;
      // Lost: behind the answer there is nothing that could come in its place.
      if (this.#place > (this.#answer?.length ?? 0)) return choices.busFiller;
    }
  }

  stop(): void {
    this.#endWrite();
  }

  #run(): void {
    this.#ran = true;
    this.#answer = firstFrame(this.#module.answersTo(Uint8Array.from(this.#request)));
    this.#readyAt = this.#module.clock.now() + this.#readyAfterMs + this.#module.faults.spec.delay;
  }

  #endWrite(): void {
    const bytes = this.#request.length;
    if (this.#ran) {
      if (this.#surplus > 0) this.#onEvent({ kind: "surplus", bytes: this.#surplus });
    } else if (bytes >= REQUEST_MIN) {
      this.#onEvent({ kind: "no-frame", bytes });
      this.#run();
    }
    this.#request = [];
    this.#ran = false;
    this.#surplus = 0;
  }

  /** Each read starts again at the status byte (§4). */
  #beginRead(): void {
    this.#place = 0;
    if (!this.#answer) {
      this.#onEvent({ kind: "nothing-asked" });
    } else if (this.#module.clock.now() < this.#readyAt) {
      this.#place = this.#answer.length;
      this.#onEvent({ kind: "too-early" });
    }
  }
}
