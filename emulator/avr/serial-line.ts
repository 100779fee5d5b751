/** The other end of the firmware's USART, one byte at a time in each direction, in simulated time. */
import type { Board } from "./board.ts";
import { CPU_HZ } from "./registers.ts";

/** More than this, unread by the firmware's USART, is dropped: a flood from outside must not fill the memory. */
const WAITING_MOST = 1_048_576;

export class SerialLine {
  readonly #board: Board;
  /** CPU cycles of a byte on its way to the firmware. */
  readonly #byteCycles: () => number;
  #waiting: number[] = [];
  #place = 0;
  #sending = false;

  /** @param baud of what comes in, in bits a second, 10 bits a byte; the firmware's own speed where none is given */
  constructor(board: Board, baud?: number) {
    this.#board = board;
    this.#byteCycles = baud === undefined ? () => board.usart.byteCycles : () => (CPU_HZ / baud) * 10;
  }

  /** Sends bytes to the firmware, one after the other. */
  send(bytes: Iterable<number>): void {
    for (const byte of bytes) if (this.#waiting.length < WAITING_MOST) this.#waiting.push(byte);
    if (!this.#sending) this.#next();
  }

  #next(): void {
    this.#sending = this.#place < this.#waiting.length;
    if (this.#sending) this.#board.cpu.addClockEvent(this.#arrived, this.#byteCycles());
    else this.#forget();
  }

  readonly #arrived = (): void => {
    this.#board.usart.receive(this.#waiting[this.#place++] ?? 0);
    this.#next();
  };

  #forget(): void {
    this.#waiting = [];
    this.#place = 0;
  }
}
