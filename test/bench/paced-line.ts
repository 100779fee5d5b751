/**
 * A UART's speed on a stream that has none. Each byte takes its ten bits' time (8N1) in either direction, one after the
 * other, and is let through when that time is over and not before.
 */
import { performance } from "node:perf_hooks";
import type { ByteDuplex } from "sakuraio-kit/protocol";

/** Eight bits, a start and a stop bit. */
const BITS_PER_BYTE = 10;

/**
 * The stream at this speed. From here on the process turns without rest: a timer's millisecond would be the time of
 * twelve bytes.
 */
export function pacedLine(duplex: ByteDuplex, baudRate: number): ByteDuplex {
  const byteMs = (BITS_PER_BYTE * 1000) / baudRate;
  const listeners = new Set<(bytes: Uint8Array) => void>();
  /** The moment whose byte is being let through: what is answered to it follows it at once, however late we are. */
  let moment: number | undefined;
  const inward = new Wire(byteMs, (byte, due) => {
    moment = due;
    for (const listener of listeners) listener(byte);
    moment = undefined;
  });
  const outward = new Wire(byteMs, (byte) => duplex.write(byte));
  duplex.onBytes((bytes) => inward.push(bytes, performance.now()));

  const turn = (): void => {
    const now = performance.now();
    inward.advance(now);
    outward.advance(now);
    setImmediate(turn);
  };
  turn();

  return {
    name: duplex.name,
    write: (bytes) => outward.push(bytes, moment ?? performance.now()),
    onBytes(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onClose: (listener) => duplex.onClose(listener),
    close: () => duplex.close(),
  };
}

/** One direction. Times are in ms. */
class Wire {
  readonly #byteMs: number;
  readonly #deliver: (byte: Uint8Array, due: number) => void;
  #waiting: Uint8Array[] = [];
  /** When the last bit of the first waiting byte has passed; without one, when the wire became free. */
  #due = Number.NEGATIVE_INFINITY;

  constructor(byteMs: number, deliver: (byte: Uint8Array, due: number) => void) {
    this.#byteMs = byteMs;
    this.#deliver = deliver;
  }

  push(bytes: Uint8Array, now: number): void {
    if (bytes.length === 0) return;
    if (this.#waiting.length === 0) this.#due = Math.max(this.#due, now) + this.#byteMs;
    for (let i = 0; i < bytes.length; i++) this.#waiting.push(bytes.slice(i, i + 1));
  }

  advance(now: number): void {
    while (this.#due <= now) {
      const byte = this.#waiting.shift();
      if (!byte) return;
      const due = this.#due;
      if (this.#waiting.length > 0) this.#due += this.#byteMs;
      this.#deliver(byte, due);
    }
  }
}
