/**
 * JSON with exact 64-bit integers: `JSON.parse` rounds 9223372036854775807 to 9223372036854775808 before anybody can
 * look. Here an integer beyond ±2^53 becomes a bigint; everything else is as JSON has it.
 */
import { SakuraError } from "./errors.ts";

export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json };

/** Deeper nesting than any message has is refused, so that no text can exhaust the stack. */
const DEPTH_MAX = 64;
/** Digits of the longest 64-bit integer; a longer one is a number like any other, which keeps the work linear. */
const INTEGER_DIGITS_MAX = 20;

/**
 * Parses one JSON value.
 * @throws SakuraError INVALID_MESSAGE with the position, when the text is not JSON
 */
export function parseJson(text: string): Json {
  const parser = new Parser(text);
  return parser.whole();
}

/** The first character that no value may stand after is found by these, from where they are set to look. */
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const SPACE = /[ \t\r\n]*/y;
const ESCAPES: { readonly [character: string]: string } = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Json {
    this.#space();
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) throw this.#unexpected();
    return value;
  }

  #value(depth: number): Json {
    if (depth > DEPTH_MAX) throw this.#error(`nested more than ${DEPTH_MAX} deep`);
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): Json {
    const object: { [key: string]: Json } = {};
    this.#at++;
    this.#space();
    if (this.#skip("}")) return object;
    do {
      this.#space();
      if (this.#text[this.#at] !== '"') throw this.#unexpected();
      const key = this.#string();
      this.#space();
      this.#expect(":");
      this.#space();
      // Defined, not assigned: a key "__proto__" is a key like any other.
      const value = this.#value(depth + 1);
      if (key === "__proto__")
        Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
      else object[key] = value;
      this.#space();
    } while (this.#skip(","));
    this.#expect("}");
    return object;
  }

  #array(depth: number): Json {
    const array: Json[] = [];
    this.#at++;
    this.#space();
    if (this.#skip("]")) return array;
    do {
      this.#space();
      array.push(this.#value(depth + 1));
      this.#space();
    } while (this.#skip(","));
    this.#expect("]");
    return array;
  }

  #string(): string {
    this.#at++;
    let value = "";
    for (;;) {
      PLAIN.lastIndex = this.#at;
      const plain = PLAIN.exec(this.#text)?.[0] ?? "";
      value += plain;
      this.#at += plain.length;
      const character = this.#text[this.#at];
      if (character === '"') {
        this.#at++;
        return value;
      }
      if (character !== "\\") throw this.#unexpected();
      value += this.#escape();
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? "";
    if (letter === "u") {
      const digits = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#unexpected();
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const character = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
    if (character === undefined) throw this.#unexpected();
    this.#at += 2;
    return character;
  }

  #number(): number | bigint {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (!match) throw this.#unexpected();
    const literal = match[0];
    this.#at += literal.length;
    const value = Number(literal);
    const integer = match[1] === undefined && match[2] === undefined;
    return integer && !Number.isSafeInteger(value) && literal.length <= INTEGER_DIGITS_MAX ? BigInt(literal) : value;
  }

  #word<T extends Json>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected();
    this.#at += word.length;
    return value;
  }

  #space(): void {
    SPACE.lastIndex = this.#at;
    SPACE.exec(this.#text);
    this.#at = SPACE.lastIndex;
  }

  #skip(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#skip(character)) throw this.#unexpected();
  }

  #unexpected(): SakuraError {
    const character = this.#text[this.#at];
    return this.#error(character === undefined ? "the text ends too early" : `unexpected ${JSON.stringify(character)}`);
  }

  #error(what: string): SakuraError {
    return new SakuraError("INVALID_MESSAGE", `not JSON: ${what} at character ${this.#at + 1}`, {
      context: { path: "", position: this.#at },
    });
  }
}

/**
 * The shortest decimal that reads back as the same float32: 0.001, not 0.0010000000474974513.
 * @param value a finite float32
 */
export function shortestFloat32(value: number): string {
  if (Object.is(value, -0)) return "-0";
  // Six digits are enough for every decimal that a person wrote; below the normal range fewer may do.
  const first = Math.abs(value) < 1.1754943508222875e-38 ? 1 : 6;
  const lopsided = Number.isInteger(Math.log2(Math.abs(value)));
  for (let digits = first; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (readsBack(candidate, value)) return String(candidate);
    // Below a power of two floats stand twice as dense, so the nearest decimal may miss where the next one up hits.
    const above = lopsided ? nextUp(value, digits) : candidate;
    if (readsBack(above, value)) return String(above);
  }
  return String(Number(value.toPrecision(9)));
}

/**
 * The one decimal of up to eight digits, found by trying every float32, whose nearest double lies halfway between two
 * float32: a reader that goes through a double gets one of them, a reader that does not gets the other.
 */
const HALFWAY = 7.038531e-26;

function readsBack(decimal: number, value: number): boolean {
  return Math.fround(decimal) === value && Math.abs(decimal) !== HALFWAY;
}

/** The decimal of that many digits one step further from zero than the nearest one. */
function nextUp(value: number, digits: number): number {
  const [mantissa = "0", exponent = "0"] = Math.abs(value)
    .toExponential(digits - 1)
    .split("e");
  const stepped = BigInt(mantissa.replace(".", "")) + 1n;
  return Math.sign(value) * Number(`${stepped}e${Number(exponent) - digits + 1}`);
}
