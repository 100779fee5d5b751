/** The bytes of a file as far as they have arrived, and how sure each of them is. */
import { crc32 } from "node:zlib";

const LEAD_MAX = 255;

/**
 * Each byte has the value that was seen most often, and its lead: how much more often than all others (Boyer and
 * Moore's majority vote). Without a lead nothing is known of it: it never arrived, or what arrived contradicts itself.
 */
export class FileBytes {
  readonly size: number;
  /** How often a byte arrived that was not as before. */
  contradictions = 0;
  #held = 0;
  readonly #values: Uint8Array;
  readonly #leads: Uint8Array;

  constructor(size: number) {
    this.size = size;
    this.#values = new Uint8Array(size);
    this.#leads = new Uint8Array(size);
  }

  /** How many bytes have a value. */
  get held(): number {
    return this.#held;
  }

  get whole(): boolean {
    return this.#held === this.size;
  }

  /** What arrived for the bytes from there on. What lies beyond the end is left out. */
  see(at: number, bytes: Uint8Array): void {
    const end = Math.min(this.size, at + bytes.length);
    for (let i = at; i < end; i++) this.#seeByte(i, bytes[i - at] ?? 0);
  }

  /** Nothing is known of these any more. */
  forget(from: number, to: number): void {
    for (let i = from; i < Math.min(to, this.size); i++) {
      if (this.#leads[i] !== 0) this.#held--;
      this.#leads[i] = 0;
    }
  }

  /** The first byte from there on whose lead is below this; the size where there is none. */
  nextBelow(lead: number, from = 0): number {
    let i = from;
    while (i < this.size && (this.#leads[i] ?? 0) >= lead) i++;
    return i;
  }

  /** The first byte from there on whose lead is not below this, `to` at most. */
  endBelow(lead: number, from: number, to: number): number {
    const end = Math.min(to, this.size);
    let i = from;
    while (i < end && (this.#leads[i] ?? 0) < lead) i++;
    return i;
  }

  /** A copy. */
  slice(from = 0, to = this.size): Uint8Array {
    return this.#values.slice(from, to);
  }

  crc32(): number {
    return crc32(this.#values);
  }

  #seeByte(at: number, value: number): void {
    const lead = this.#leads[at] ?? 0;
    if (lead === 0) {
      this.#values[at] = value;
      this.#leads[at] = 1;
      this.#held++;
    } else if (this.#values[at] === value) {
      this.#leads[at] = Math.min(LEAD_MAX, lead + 1);
    } else {
      this.contradictions++;
      this.#leads[at] = lead - 1;
      if (lead === 1) this.#held--;
    }
  }
}
