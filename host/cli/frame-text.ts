/**
 * Frames that go by, for people: a line each, its columns aligned.
 *
 *     02:03:04.567 → TX_ENQUEUE                  20 0A 01 69 19 00 00 00 00 00 00 00 5B  1:i=25
 *     02:03:04.579 ← OK  12.0 ms                 01 00 01
 */
import { commandByCode } from "../../protocol/commands.ts";
import { formatDateTime } from "../../protocol/datetime.ts";
import { hexByte, toHex } from "../../protocol/hex.ts";
import { statuses, statusText } from "../../protocol/status.ts";
import { type Colour, type Paint, painter } from "./colour.ts";
import { answerMeaning, requestMeaning } from "./frame-meaning.ts";
import { printLine } from "./io.ts";

/** The longest name of a command. */
const NAME_WIDTH = 26;
/** TX_ENQUEUE's request: what is longer than that is rare. */
const HEX_WIDTH = 13 * 3 - 1;
/** What is left of the bytes on a narrow terminal, so that what they say fits too: most often this is enough for it, gap included. */
const HEX_WIDTH_MIN = 3 * 3 - 1;
const SAID_WIDTH = 22;
const GAP = "  ";
const ELLIPSIS = "…";

interface Sent {
  readonly frame: Uint8Array;
  /** Unix ms. */
  readonly at: number;
}

export interface AnswerContext {
  /** The request that it answers, where the caller knows better than that it is the last one; nothing for none. */
  readonly to: Sent | undefined;
}

type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number | undefined };

export class FrameLines {
  readonly #stream: Output;
  readonly #paint: Paint;
  /** The last request, for as long as it has no answer. */
  #waiting: Sent | undefined;

  /** On a terminal lines are cut to its width and coloured; elsewhere they are whole, and plain. */
  constructor(stream: Output) {
    this.#stream = stream;
    this.#paint = painter(stream);
  }

  /** @param at Unix ms */
  request(at: number, frame: Uint8Array): void {
    this.#waiting = { at, frame };
    const code = frame[0] ?? 0;
    const name = commandByCode(code) ?? `command ${hexByte(code)}`;
    this.#print(at, "→", { name, colour: "cyan" }, frame, requestMeaning(frame));
  }

  /** @param frame nothing for a silence that is known to be one */
  answer(at: number, frame: Uint8Array | undefined, context: AnswerContext = { to: this.#waiting }): void {
    const { to } = context;
    const took = this.#took(at, to);
    this.#waiting = undefined;
    if (!frame) return this.#print(at, "←", { name: "(silent)", colour: "yellow" }, new Uint8Array(0), "");
    const name = statusText(frame[0] ?? 0);
    const colour = frame[0] === statuses.values.NONE ? "green" : "red";
    const meaning = to
      ? answerMeaning(frame, to.frame)
      : `answers nothing that was asked ${answerMeaning(frame, undefined)}`;
    this.#print(at, "←", { name, colour, took }, frame, meaning.trimEnd());
  }

  /** Bytes that came where an answer was due. They may still be followed by it. */
  noise(at: number, bytes: Uint8Array): void {
    const text = Buffer.from(bytes)
      .toString("latin1")
      .replace(/[\r\n]+$/, "");
    const said = `"${text.replaceAll(/[^\x20-\x7e]/g, ".")}"`;
    this.#print(at, "←", { name: "(no frame)", colour: "yellow", took: this.#took(at) }, bytes, said);
  }

  /** Nothing that could be an answer came in time. It may still come late. */
  missing(at: number): void {
    const word = { name: "(no answer)", colour: "red", took: this.#took(at) } as const;
    this.#print(at, "←", word, new Uint8Array(0), "");
  }

  /** What is no frame. */
  note(text: string): void {
    const cut = this.#columns === undefined ? text : shorten(text, this.#columns - GAP.length - 4);
    printLine(this.#stream, `${this.#paint("yellow", "line")}${GAP}${cut}`);
  }

  #took(at: number, to = this.#waiting): string {
    return to && at > to.at ? `${GAP}${(at - to.at).toFixed(1)} ms` : "";
  }

  get #columns(): number | undefined {
    // Not into the last column: there some terminals wrap.
    return this.#stream.isTTY ? (this.#stream.columns || 80) - 1 : undefined;
  }

  #print(
    at: number,
    arrow: string,
    { name, colour, took = "" }: { readonly name: string; readonly colour: Colour; readonly took?: string },
    frame: Uint8Array,
    meaning: string,
  ): void {
    const time = formatDateTime(at).slice(11, 23);
    const space = " ".repeat(Math.max(0, NAME_WIDTH - name.length - took.length));
    const start = time.length + 1 + arrow.length + 1 + NAME_WIDTH + GAP.length;
    const [hex, said] = fitted(toHex(frame, " "), meaning, this.#columns, start);
    const paint = this.#paint;
    const line = `${paint("dim", time)} ${arrow} ${paint(colour, name)}${paint("dim", took)}${space}${GAP}${hex}${said}`;
    printLine(this.#stream, line.trimEnd());
  }
}

/** The bytes and what they say, aligned; cut so that both end where the terminal does. */
function fitted(hex: string, meaning: string, columns: number | undefined, start: number): [string, string] {
  const said = meaning === "" ? "" : `${GAP}${meaning}`;
  const left = columns === undefined ? Number.POSITIVE_INFINITY : columns - start;
  const width = Math.min(HEX_WIDTH, Math.max(HEX_WIDTH_MIN, left - SAID_WIDTH));
  const whole = said === "" ? hex : hex.padEnd(width);
  if (whole.length + said.length <= left) return [whole, said];
  // What the bytes say is worth more than the bytes.
  const cut = shorten(whole, Math.max(width, left - said.length));
  return [cut, shorten(said, left - cut.length)];
}

function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}${ELLIPSIS}`;
}
