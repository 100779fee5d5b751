/** What a firmware writes to its USART, in pieces: once for each line, or each slice of simulated time. */
import type { Board } from "./board.ts";

const NEWLINE = 0x0a;

export class SerialOutput {
  readonly #onBytes: (bytes: Uint8Array) => void;
  #bytes: number[] = [];

  /** Listens to the board's USART; `onBytes` is called from {@link flush}. */
  constructor(board: Board, onBytes: (bytes: Uint8Array) => void) {
    this.#onBytes = onBytes;
    board.usart.onByte = (byte) => {
      this.#bytes.push(byte);
      // Whoever waits for this line is to see it at its time.
      if (byte === NEWLINE) board.pause();
    };
  }

  /** Hands on what has come since the last time. */
  flush(): void {
    if (this.#bytes.length === 0) return;
    const bytes = Uint8Array.from(this.#bytes);
    this.#bytes = [];
    this.#onBytes(bytes);
  }
}

/** UTF-8, a piece at a time; what is none becomes U+FFFD. */
export function textOf(onText: (text: string) => void): (bytes: Uint8Array) => void {
  const decoder = new TextDecoder();
  return (bytes) => {
    const text = decoder.decode(bytes, { stream: true });
    if (text !== "") onText(text);
  };
}
