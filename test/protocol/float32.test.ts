import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJson, shortestFloat32 } from "../../protocol/index.ts";
import { float32Vectors } from "../vectors/float32.ts";
import { float32 } from "./arbitraries.ts";

function fromBits(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits);
  return view.getFloat32(0);
}

/** A positive number as a fraction of integers: exact, without a floating-point operation that could round. */
interface Fraction {
  readonly top: bigint;
  readonly bottom: bigint;
}

function decimal(digits: bigint, exponent: number): Fraction {
  return exponent >= 0
    ? { top: digits * 10n ** BigInt(exponent), bottom: 1n }
    : { top: digits, bottom: 10n ** BigInt(-exponent) };
}

/**
 * Whether a reader without a double gets this float32 from the decimal: it lies between the middles to both neighbours,
 * or on one when the float32 is the even one (IEEE 754, ties to even). `bits` is positive and finite.
 */
function readsAs({ top, bottom }: Fraction, bits: number): boolean {
  const exponent = Math.max(bits >>> 23, 1);
  const mantissa = BigInt(bits >>> 23 === 0 ? bits : (bits & 0x7f_ffff) | 0x80_0000);
  // In quarters of the last place: the neighbour below a power of two is half as far.
  const power = bits >>> 23 > 1 && (bits & 0x7f_ffff) === 0;
  const low = 4n * mantissa - (power ? 1n : 2n);
  const high = 4n * mantissa + 2n;
  const scale = exponent - 150 - 2;
  const [left, right] = scale >= 0 ? [top, bottom << BigInt(scale)] : [top << BigInt(-scale), bottom];
  const even = bits % 2 === 0;
  return even ? left >= low * right && left <= high * right : left > low * right && left < high * right;
}

/** The digits of a decimal without its sign, point, leading and trailing zeros, and the power of ten behind them. */
function parts(text: string): { digits: bigint; length: number; exponent: number } {
  const [mantissa = "", exponent = "0"] = text.replace(/^-/, "").split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  const all = (whole + fraction).replace(/^0+/, "");
  const short = all.replace(/0+$/, "");
  return {
    digits: BigInt(short || "0"),
    length: short.length,
    exponent: Number(exponent) - fraction.length + (all.length - short.length),
  };
}

const readers = (text: string, value: number, bits: number): [boolean, boolean] => {
  const { digits, exponent } = parts(text);
  return [Object.is(Math.fround(Number(text)), value), readsAs(decimal(digits, exponent), bits & 0x7fff_ffff)];
};

function checkShortest(value: number): void {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  const bits = view.getUint32(0);
  const text = shortestFloat32(value);
  expect(Object.is(parseJson(text), value) || Math.fround(Number(parseJson(text))) === value).toBe(true);
  if (value === 0) return;
  expect([text, ...readers(text, value, bits)]).toEqual([text, true, true]);
  const { length, digits, exponent } = parts(text);
  if (length === 1) return;
  // Only the two decimals of one digit less on both sides of the value could do; a wider search would find no other.
  for (const candidate of [digits / 10n, digits / 10n + 1n]) {
    const shorter = `${value < 0 ? "-" : ""}${candidate}e${exponent + 1}`;
    expect([shorter, ...readers(shorter, value, bits)]).not.toEqual([shorter, true, true]);
  }
}

describe("shortestFloat32", () => {
  it.each(float32Vectors)("$text ($source)", ({ bits, text }) => {
    expect(shortestFloat32(fromBits(bits))).toBe(text);
  });

  it("is JSON for the hard ones, which reads back with a double and without", () => {
    for (const { bits } of float32Vectors) checkShortest(fromBits(bits));
  });

  it("is the shortest at every power of two, and beside it", () => {
    for (let exponent = 1; exponent < 255; exponent++)
      for (const beside of [-1, 0, 1]) checkShortest(fromBits(exponent * 0x80_0000 + beside));
    for (let bit = 0; bit < 23; bit++) for (const beside of [0, 1]) checkShortest(fromBits(2 ** bit + beside));
  });

  it("gives a decimal of up to six digits back as it was written", () => {
    const written = fc.tuple(fc.integer({ min: 1, max: 999_999 }), fc.integer({ min: -37, max: 31 }));
    fc.assert(
      fc.property(written, ([digits, exponent]) => {
        const literal = `${digits}e${exponent}`;
        expect(shortestFloat32(Math.fround(Number(literal)))).toBe(`${Number(literal)}`);
      }),
      { numRuns: 1000 },
    );
  });

  it("reads back as the same float32, with a double and without, and no shorter decimal does", () => {
    fc.assert(
      fc.property(
        fc.oneof(float32, fc.float({ noNaN: true })).filter((value) => Number.isFinite(value)),
        checkShortest,
      ),
      { numRuns: 3000 },
    );
  });
});
