/**
 * The Bus Pirate's user terminal: as much of it as programs look at before they switch to binary mode. What is typed
 * is echoed, and `#` resets it.
 */

const text = (line: string): Uint8Array => Uint8Array.from(line, (character) => character.charCodeAt(0));

const PROMPT = "HiZ>";
/** In a real one's form, which programs read the version from; the commands are those of its firmware 5.10. */
const BANNER = `\r\nBus Pirate v3 (emulated by sakuraio-kit)\r\nFirmware v5.10\r\n${PROMPT}`;

const CR = 0x0d;
const RESET = 0x23;

export class BusPirateTerminal {
  readonly #say: (bytes: Uint8Array) => void;
  #length = 0;
  #first: number | undefined;

  constructor(say: (bytes: Uint8Array) => void) {
    this.#say = say;
  }

  /** What it prints after a reset. */
  reset(): void {
    this.#clear();
    this.#say(text(BANNER));
  }

  typed(byte: number): void {
    if (byte === CR) {
      const resets = this.#length === 1 && this.#first === RESET;
      this.#say(text(resets ? "\r\nRESET\r\n" : `\r\n${PROMPT}`));
      if (resets) this.reset();
      else this.#clear();
      return;
    }
    if (byte < 0x20 || byte >= 0x7f) return;
    if (this.#length++ === 0) this.#first = byte;
    this.#say(Uint8Array.of(byte));
  }

  #clear(): void {
    this.#length = 0;
    this.#first = undefined;
  }
}
