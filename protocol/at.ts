/**
 * The AT grammar of the UART (§3), for both sides of the line:
 *
 *     → AT*CMD=A100A1\n
 *     ← *CMD:010A313642303130303236307B\r\n
 *     ← OK\r\n
 */
import { FRAME_OVERHEAD } from "./frame.ts";
import { hexDigit, writeHex } from "./hex.ts";

/** Characters that a line may have before its end; a longer one is dropped up to its end (§3, choice). */
export const LINE_MAX = 1100;

const CR = 0x0d;
const LF = 0x0a;
const COMMAND = "AT*CMD=";
const ANSWER = "*CMD:";

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const COMMAND_BYTES = ascii(COMMAND);
const ANSWER_BYTES = ascii(ANSWER);
const ANSWER_END = ascii("\r\nOK\r\n");

/** What a module says to `AT` alone, and after every answer. */
export const OK_LINE = ascii("OK\r\n");
/** What a module says to a line that is no command. */
export const ERROR_LINE = ascii("ERROR\r\n");
/** Ends whatever half a line the module may hold; alone it is a blank line, which is ignored. */
export const LINE_END = ascii("\n");

/** The line that carries a request frame. */
export function encodeCommandLine(frame: Uint8Array): Uint8Array {
  const line = new Uint8Array(COMMAND_BYTES.length + 2 * frame.length + 1);
  line.set(COMMAND_BYTES);
  writeHex(frame, line, COMMAND_BYTES.length);
  line[line.length - 1] = LF;
  return line;
}

/** The two lines that carry a response frame: `*CMD:` and the `OK` after it. */
export function encodeAnswerLines(frame: Uint8Array): Uint8Array {
  const lines = new Uint8Array(ANSWER_BYTES.length + 2 * frame.length + ANSWER_END.length);
  lines.set(ANSWER_BYTES);
  writeHex(frame, lines, ANSWER_BYTES.length);
  lines.set(ANSWER_END, lines.length - ANSWER_END.length);
  return lines;
}

/**
 * Collects the characters of a line, up to CR or LF. Both end a line, so that CR LF gives a blank line after it, which
 * counts for nothing, and a person at a terminal, whose Enter sends CR alone, is understood too.
 */
class LineBuffer {
  readonly #bytes = new Uint8Array(LINE_MAX);
  length = 0;
  overlong = false;

  add(byte: number): void {
    if (this.length < LINE_MAX) this.#bytes[this.length++] = byte;
    else this.overlong = true;
  }

  at(index: number): number {
    return this.#bytes[index] ?? 0;
  }

  clear(): void {
    this.length = 0;
    this.overlong = false;
  }

  text(from = 0): string {
    let text = "";
    for (let i = from; i < this.length; i++) text += String.fromCharCode(this.at(i));
    return text;
  }

  matches(part: Uint8Array, from: number): boolean {
    if (from < 0 || from + part.length > this.length) return false;
    for (let i = 0; i < part.length; i++) if (this.at(from + i) !== part[i]) return false;
    return true;
  }

  /** The bytes behind the digits from `from` to the end of the line, or nothing when they are not digits in pairs. */
  hexFrom(from: number, to = this.length): Uint8Array | undefined {
    const size = to - from;
    if (size % 2 !== 0) return undefined;
    const bytes = new Uint8Array(size / 2);
    for (let i = 0; i < bytes.length; i++) {
      const high = hexDigit(this.at(from + 2 * i));
      const low = hexDigit(this.at(from + 2 * i + 1));
      if (high < 0 || low < 0) return undefined;
      bytes[i] = high * 16 + low;
    }
    return bytes;
  }
}

/** What the module's side of the line finds. */
export type AtRequestEvent =
  /** `AT*CMD=` with a frame of at least 3 bytes, whole or not: the frame's own checks come after. */
  | { readonly kind: "frame"; readonly frame: Uint8Array }
  /** `AT` alone: answered `OK`. */
  | { readonly kind: "at" }
  /** A line that is neither: answered `ERROR`. */
  | { readonly kind: "error"; readonly line: string }
  /** Bytes outside ASCII before a line: ignored. */
  | { readonly kind: "noise"; readonly bytes: number };

/** The module's side: bytes of a driver in, lines understood or not out. Linear in the bytes; holds one line at most. */
export class AtRequestParser {
  readonly #emit: (event: AtRequestEvent) => void;
  readonly #line = new LineBuffer();
  #noise = 0;

  constructor(emit: (event: AtRequestEvent) => void) {
    this.#emit = emit;
  }

  push(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (byte === CR || byte === LF) this.#end();
      else if (byte > 0x7f && this.#line.length === 0) this.#noise++;
      else this.#line.add(byte);
    }
    this.#reportNoise();
  }

  #reportNoise(): void {
    if (this.#noise > 0) this.#emit({ kind: "noise", bytes: this.#noise });
    this.#noise = 0;
  }

  #end(): void {
    const line = this.#line;
    if (line.length === 0) return;
    this.#reportNoise();
    const event = this.#understood(line);
    line.clear();
    this.#emit(event);
  }

  #understood(line: LineBuffer): AtRequestEvent {
    if (!line.overlong) {
      if (line.length === 2 && line.at(0) === COMMAND_BYTES[0] && line.at(1) === COMMAND_BYTES[1])
        return { kind: "at" };
      if (line.matches(COMMAND_BYTES, 0)) {
        const frame = line.hexFrom(COMMAND_BYTES.length);
        if (frame && frame.length >= FRAME_OVERHEAD) return { kind: "frame", frame };
      }
    }
    return { kind: "error", line: line.text() };
  }
}

/** What the driver's side of the line finds. */
export type AtAnswerEvent =
  /** `*CMD:` with a frame; noise before it on the same line is passed over. */
  | { readonly kind: "answer"; readonly frame: Uint8Array }
  | { readonly kind: "ok" }
  | { readonly kind: "error" }
  /** Any other line: an echo, an answer that was damaged, noise. */
  | { readonly kind: "noise"; readonly line: string };

/** The bytes of a line that is no frame, with CR LF for its end; nothing for a frame. */
export function atLineBytes(event: AtAnswerEvent): Uint8Array | undefined {
  switch (event.kind) {
    case "answer":
      return undefined;
    case "ok":
      return OK_LINE;
    case "error":
      return ERROR_LINE;
    case "noise":
      return ascii(`${event.line}\r\n`);
  }
}

/** The bytes of an MCU's line that is no frame, with LF for its end; nothing for a frame, and for what is no line. */
export function atRequestLineBytes(event: AtRequestEvent): Uint8Array | undefined {
  switch (event.kind) {
    case "frame":
    case "noise":
      return undefined;
    case "at":
      return ascii("AT\n");
    case "error":
      return ascii(`${event.line}\n`);
  }
}

/** The driver's side: bytes of a module in, answers out. Linear in the bytes; holds one line at most. */
export class AtAnswerParser {
  readonly #emit: (event: AtAnswerEvent) => void;
  readonly #early: boolean;
  readonly #line = new LineBuffer();
  /** How much of `*CMD:` the last bytes have matched. */
  #matched = 0;
  /** The line held begins with `*CMD:`. */
  #answering = false;
  /** With `early`: the answer of this line has been handed out. */
  #done = false;

  /** @param early hand an answer out with the digit that makes it whole, not with the end of its line */
  constructor(emit: (event: AtAnswerEvent) => void, { early = false }: { early?: boolean } = {}) {
    this.#emit = emit;
    this.#early = early;
  }

  push(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (byte === CR || byte === LF) this.#end();
      else this.#add(byte);
    }
  }

  /** What has come of a line that has no end yet. */
  get held(): string {
    return this.#line.text();
  }

  /** Forgets half a line: what follows is the beginning of one. */
  reset(): void {
    this.#line.clear();
    this.#matched = 0;
    this.#answering = false;
    this.#done = false;
  }

  #add(byte: number): void {
    this.#line.add(byte);
    this.#matched = byte === ANSWER_BYTES[this.#matched] ? this.#matched + 1 : byte === ANSWER_BYTES[0] ? 1 : 0;
    if (this.#matched === ANSWER_BYTES.length) this.#beginAnswer();
    else if (this.#early && this.#answering && !this.#done) this.#tryEarly();
  }

  /** Lets go of what stood before `*CMD:` on its line: however much noise it was, the answer has the room of a line. */
  #beginAnswer(): void {
    this.reset();
    for (const byte of ANSWER_BYTES) this.#line.add(byte);
    this.#answering = true;
  }

  #tryEarly(): void {
    const from = ANSWER_BYTES.length;
    const digits = this.#line.length - from;
    if (digits < 2 * FRAME_OVERHEAD || digits % 2 !== 0) return;
    const size = hexDigit(this.#line.at(from + 2)) * 16 + hexDigit(this.#line.at(from + 3));
    if (digits !== 2 * (size + FRAME_OVERHEAD)) return;
    const frame = this.#line.hexFrom(from);
    if (!frame) return;
    this.#done = true;
    this.#emit({ kind: "answer", frame });
  }

  #end(): void {
    const line = this.#line;
    if (line.length === 0) return;
    const event = this.#done ? undefined : this.#understood();
    this.reset();
    if (event) this.#emit(event);
  }

  #understood(): AtAnswerEvent {
    const line = this.#line;
    if (!line.overlong && this.#answering) {
      const frame = line.hexFrom(ANSWER_BYTES.length);
      if (frame && frame.length >= FRAME_OVERHEAD) return { kind: "answer", frame };
    }
    const text = line.text();
    const bare = text.replace(/[^\x21-\x7e]/g, "");
    if (bare === "OK") return { kind: "ok" };
    if (bare === "ERROR") return { kind: "error" };
    return { kind: "noise", line: text };
  }
}
