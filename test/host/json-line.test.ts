import { describe, expect, it } from "vitest";
import { jsonLine } from "../../host/cli/json-line.ts";

describe("a line of JSON", () => {
  it.each([
    [18446744073709551615n, "18446744073709551615"],
    [-9223372036854775808n, "-9223372036854775808"],
    [-0, "-0"],
    [0.1, "0.1"],
    [Number.NaN, "null"],
    ['"\n\u2028', '"\\"\\n\u2028"'],
    [null, "null"],
    [[], "[]"],
    [{}, "{}"],
    [{ a: [1n, { b: undefined, c: true }], d: undefined, 'e"': "" }, '{"a":[1,{"c":true}],"e\\"":""}'],
  ])("%o is %s", (value, text) => {
    expect(jsonLine(value)).toBe(text);
  });
});
