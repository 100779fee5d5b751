/** Waiting for what a byte stream does. Each wait ends with the stream: none outlives it. */
import type { ByteDuplex } from "../../protocol/bus.ts";
import type { SakuraError } from "../../protocol/errors.ts";

/** Collects what arrives from now on. */
export class Received {
  #bytes: number[] = [];
  #waiting: (() => void)[] = [];
  #ended: Error | undefined;

  constructor(duplex: ByteDuplex) {
    duplex.onBytes((chunk) => {
      for (const byte of chunk) this.#bytes.push(byte);
      this.#wake();
    });
    duplex.onClose((reason) => {
      this.#ended = reason ?? new Error("closed");
      this.#wake();
    });
  }

  /** Takes exactly so many bytes, once they are there. Rejects when the stream ends before. */
  async take(length: number): Promise<Uint8Array> {
    while (this.#bytes.length < length) {
      if (this.#ended) throw this.#ended;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return Uint8Array.from(this.#bytes.splice(0, length));
  }

  /** How many have arrived that nobody took. */
  get untaken(): number {
    return this.#bytes.length;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** The reason with which the stream ends, `undefined` after `close()`. */
export function ended(duplex: ByteDuplex): Promise<SakuraError | undefined> {
  return new Promise((resolve) => duplex.onClose(resolve));
}

/** 0 to 255, each once. */
export const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);

/** Bytes that differ from place to place, so that a loss, a repeat or a swap shows. */
export function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 0xff);
}

/** For long stretches, where a comparison element by element takes its time. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
