/** What a firmware writes to its USART, as text. */
import type { Board } from "./board.ts";

const NEWLINE = 0x0a;

export class SerialText {
  readonly #decoder = new TextDecoder();
  readonly #onText: (text: string) => void;
  #bytes: number[] = [];

  /** Listens to the board's USART; `onText` is called from {@link flush}. What is not UTF-8 becomes U+FFFD. */
  constructor(board: Board, onText: (text: string) => void) {
    this.#onText = onText;
    board.usart.onByte = (byte) => {
      this.#bytes.push(byte);
      // Whoever waits for this line is to see it at its time.
      if (byte === NEWLINE) board.pause();
    };
  }

  /** Hands on what has come since the last time. */
  flush(): void {
    if (this.#bytes.length === 0) return;
    const text = this.#decoder.decode(Uint8Array.from(this.#bytes), { stream: true });
    this.#bytes = [];
    if (text !== "") this.#onText(text);
  }
}
