/**
 * The Bus Pirate's user terminal: as much of it as programs use before they switch to binary mode. What is typed is
 * echoed, `#` resets it, and `b` asks for another serial speed, which changes nothing here: the line has none.
 */

const text = (line: string): Uint8Array => Uint8Array.from(line, (character) => character.charCodeAt(0));

const PROMPT = "HiZ>";
/** In a real one's form, which programs read the version from; the commands are those of its firmware 5.10. */
const BANNER = `\r\nBus Pirate v3 (emulated by sakuraio-kit)\r\nFirmware v5.10\r\n${PROMPT}`;

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
/** Of a line, so much is looked at. */
const LINE_MAX = 8;
/** The speed menu's choice of a divisor of one's own. */
const OWN_DIVISOR = "10";

/** What a typed line answers: the prompt, the speed menu, its divisor, or, a single key, that the speed was changed. */
type Asking = "command" | "speed" | "divisor" | "adjusted";

export class BusPirateTerminal {
  readonly #say: (bytes: Uint8Array) => void;
  #line = "";
  #asking: Asking = "command";

  constructor(say: (bytes: Uint8Array) => void) {
    this.#say = say;
  }

  /** What it prints after a reset. */
  reset(): void {
    this.#ask("command", BANNER);
  }

  typed(byte: number): void {
    if (this.#asking === "adjusted") {
      if (byte === SPACE) this.#ask("command", `\r\n${PROMPT}`);
      return;
    }
    if (byte === CR || byte === LF) return this.#entered(this.#line);
    if (byte < 0x20 || byte >= 0x7f) return;
    if (this.#line.length < LINE_MAX) this.#line += String.fromCharCode(byte);
    this.#say(Uint8Array.of(byte));
  }

  #entered(line: string): void {
    if (this.#asking === "speed" && line === OWN_DIVISOR) return this.#ask("divisor", "\r\nDivisor\r\n(34)>");
    if (this.#asking !== "command") return this.#ask("adjusted", "\r\nAdjust your terminal, then press space\r\n");
    if (line === "b") return this.#ask("speed", "\r\nSerial speed, 1 to 9, or 10 for a divisor\r\n(9)>");
    if (line !== "#") return this.#ask("command", `\r\n${PROMPT}`);
    this.#say(text("\r\nRESET\r\n"));
    this.reset();
  }

  #ask(asking: Asking, words: string): void {
    this.#asking = asking;
    this.#line = "";
    this.#say(text(words));
  }
}
