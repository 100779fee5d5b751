import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Json, parseJson } from "../../protocol/index.ts";
import { anyText } from "./arbitraries.ts";
import { onlyFailsWith, thrown } from "./thrown.ts";

/** What JSON.parse would have made of it: its rounding undone is ours redone. */
function rounded(value: Json): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(rounded);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rounded(inner)]));
}

/** The reference: an own property `__proto__` and all. */
function reference(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function agrees(text: string): void {
  const expected = reference(text);
  if (!expected) thrown("INVALID_MESSAGE", () => parseJson(text));
  else expect(rounded(parseJson(text))).toEqual(expected.value);
}

describe("parseJson", () => {
  it("keeps integers beyond 2^53 exact, both signs, and others as numbers", () => {
    expect(parseJson("-9223372036854775808")).toBe(-9_223_372_036_854_775_808n);
    expect(parseJson("9223372036854775807")).toBe(9_223_372_036_854_775_807n);
    expect(parseJson("18446744073709551615")).toBe(18_446_744_073_709_551_615n);
    expect(parseJson("9007199254740993")).toBe(9_007_199_254_740_993n);
    expect(parseJson("-9007199254740993")).toBe(-9_007_199_254_740_993n);
    expect(parseJson("9007199254740992")).toBe(9_007_199_254_740_992n);
    expect(parseJson("9007199254740991")).toBe(9_007_199_254_740_991);
    expect(parseJson("-9007199254740991")).toBe(-9_007_199_254_740_991);
  });

  it("takes anything with a point or an exponent, or too long for 64 bits, for a number", () => {
    expect(parseJson("9223372036854775807.0")).toBe(2 ** 63);
    expect(parseJson("1e19")).toBe(1e19);
    expect(parseJson("123456789012345678901")).toBe(123_456_789_012_345_680_000);
    expect(parseJson("-0")).toBe(-0);
    expect(parseJson("0")).toBe(0);
    expect(parseJson("-0.0e-1")).toBe(-0);
    expect(parseJson("1E+2")).toBe(100);
    expect(parseJson("1e400")).toBe(Number.POSITIVE_INFINITY);
  });

  it("takes __proto__ and the names of Object's own for keys like any other", () => {
    const parsed = parseJson('{"__proto__":{"a":1},"constructor":2,"toString":3}');
    expect(Object.keys(Object(parsed))).toEqual(["__proto__", "constructor", "toString"]);
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
    expect(Reflect.get(Object(parseJson("{}")), "a")).toBeUndefined();
  });

  it.each([
    ["", 0],
    [" ", 1],
    ["[", 1],
    ["[1,]", 3],
    ["[1 2]", 3],
    ["{", 1],
    ['{"a"}', 4],
    ['{"a":}', 5],
    ['{"a":1,}', 7],
    ["{a:1}", 1],
    ["{'a':1}", 1],
    ["01", 1],
    ["-", 0],
    ["+1", 0],
    [".5", 0],
    ["1.", 1],
    ["1e", 1],
    ["1e+", 1],
    ["0x10", 1],
    ["1n", 1],
    ["NaN", 0],
    ["Infinity", 0],
    ["-Infinity", 0],
    ["undefined", 0],
    ["tru", 0],
    ["nul", 0],
    ["truefalse", 4],
    ["True", 0],
    ['"', 1],
    ['"a', 2],
    ['"\\', 1],
    ['"\\x"', 1],
    ['"\\u12', 1],
    ['"\\u12"', 1],
    ['"\\u12G4"', 1],
    ['"\n"', 1],
    ['"a\u0000"', 2],
    ["\u00a01", 0],
    ["\ufeff1", 0],
    ["1 1", 2],
    ["[]]", 2],
    ["// x\n1", 0],
  ])("refuses %j as JSON.parse does, and says where", (text, position) => {
    expect(reference(text)).toBeUndefined();
    expect(thrown("INVALID_MESSAGE", () => parseJson(text)).context).toEqual({ path: "", position });
  });

  it("takes 64 levels of nesting, and no more", () => {
    const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
    agrees(nested(65));
    thrown("INVALID_MESSAGE", () => parseJson(nested(66)));
    thrown("INVALID_MESSAGE", () => parseJson('{"a":'.repeat(66)));
  });
});

const tokens = fc.constantFrom(
  ...'{}[],:"\\ -+.0123eEx\n\t'.split(""),
  '""',
  '"a"',
  '"__proto__"',
  "true",
  "false",
  "null",
  "\\u00e9",
  "\\ud800",
  "\\n",
  "1e5",
  "9007199254740993",
);

describe("properties of parseJson", () => {
  const anything = fc.jsonValue({ maxDepth: 6 });

  it("reads what JSON.stringify makes, with and without white space, as JSON.parse does", () => {
    fc.assert(
      fc.property(anything, fc.constantFrom(undefined, 1, "\t", "\r\n "), (value, space) => {
        agrees(JSON.stringify(value, null, space));
      }),
      { numRuns: 500 },
    );
  });

  it("agrees with JSON.parse on any string, as a text and as a value", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        agrees(text);
        agrees(JSON.stringify(text));
        agrees(JSON.stringify({ [text]: text }));
      }),
      { numRuns: 500 },
    );
  });

  it("agrees with JSON.parse on any pile of tokens", () => {
    fc.assert(
      fc.property(fc.array(tokens, { maxLength: 30 }), (parts) => agrees(parts.join(""))),
      { numRuns: 3000 },
    );
  });

  it("agrees with JSON.parse on JSON with a part taken out, put in or doubled", () => {
    fc.assert(
      fc.property(anything, fc.nat(), fc.nat(6), tokens, (value, place, length, token) => {
        const text = JSON.stringify(value);
        const at = place % (text.length + 1);
        agrees(text.slice(0, at) + text.slice(at + length));
        agrees(text.slice(0, at) + token + text.slice(at));
        agrees(text.slice(0, at) + text.slice(at, at + length).repeat(2) + text.slice(at + length));
      }),
      { numRuns: 1000 },
    );
  });

  it("gives every 64-bit integer back exactly", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -9_223_372_036_854_775_808n, max: 18_446_744_073_709_551_615n }), (value) => {
        const parsed = parseJson(`[${value}]`);
        expect(Array.isArray(parsed) && parsed.map((item) => `${item}`)).toEqual([`${value}`]);
      }),
    );
  });

  it("throws nothing but INVALID_MESSAGE", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          fc.array(tokens).map((parts) => parts.join("")),
        ),
        (text) => onlyFailsWith(["INVALID_MESSAGE"], () => parseJson(text)),
      ),
      { numRuns: 1000 },
    );
  });
});
