/** An I2C bus with one device on it, as its master moves it: what is an address and what is data depends on STARTs. */
import type { I2cTarget } from "./i2c.ts";

/** A line that nobody pulls down. */
const FLOATING = 0xff;

export class I2cLine {
  readonly #target: I2cTarget;
  /**
   * `address`: behind a START. `released`: nobody listens, because no address was acknowledged, or because a byte read
   * was not.
   */
  #phase: "idle" | "address" | "writing" | "reading" | "released" = "idle";

  constructor(target: I2cTarget) {
    this.#target = target;
  }

  /** A START, or a repeated one. */
  start(): void {
    this.#phase = "address";
  }

  /** A byte from the master. Returns whether anybody acknowledged it. */
  write(byte: number): boolean {
    switch (this.#phase) {
      case "address":
        return this.#address(byte);
      case "writing":
        return this.#target.write(byte);
      default:
        return false;
    }
  }

  /** A byte to the master. */
  read(): number {
    return this.#phase === "reading" ? this.#target.read() : FLOATING;
  }

  /** The master does not acknowledge what it has read: the device lets go of the bus. */
  nack(): void {
    if (this.#phase === "reading") this.#phase = "released";
  }

  stop(): void {
    // A STOP without anything before it is none that a device sees.
    if (this.#phase !== "idle") this.#target.stop();
    this.#phase = "idle";
  }

  #address(byte: number): boolean {
    const direction = (byte & 1) === 1 ? "read" : "write";
    if (byte >> 1 !== this.#target.address) {
      // Somebody else's address ends what the device was told before.
      this.#target.stop();
      this.#phase = "released";
      return false;
    }
    const acknowledged = this.#target.start(direction);
    if (!acknowledged) this.#phase = "released";
    else this.#phase = direction === "read" ? "reading" : "writing";
    return acknowledged;
  }
}
