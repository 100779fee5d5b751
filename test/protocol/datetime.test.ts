import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDateTime, parseDateTime } from "../../protocol/index.ts";
import { anyText, datetime } from "./arbitraries.ts";
import { onlyFailsWith, thrown } from "./thrown.ts";

describe("parseDateTime", () => {
  it.each([
    // aws-iot §1, the vendor's samples: nanoseconds, exact.
    ["2018-06-21T01:10:57.770020629Z", 1_529_543_457_770_020_629n],
    ["2018-06-21T01:10:57.770023483Z", 1_529_543_457_770_023_483n],
    // module-protocol §2, GET_DATETIME.
    ["2017-04-01T04:51:10.000Z", 1_491_022_270_000_000_000n],
    // RFC 3339: any width of the fraction, any zone, either case.
    ["2017-04-01T04:51:10Z", 1_491_022_270_000_000_000n],
    ["2017-04-01T04:51:10.5Z", 1_491_022_270_500_000_000n],
    ["2017-04-01T04:51:10.0000000019Z", 1_491_022_270_000_000_001n],
    ["2017-04-01t04:51:10z", 1_491_022_270_000_000_000n],
    ["2017-04-01T13:51:10+09:00", 1_491_022_270_000_000_000n],
    ["2017-03-31T18:51:10-10:00", 1_491_022_270_000_000_000n],
    ["2017-04-01T04:51:10-00:00", 1_491_022_270_000_000_000n],
    ["1970-01-01T00:00:00Z", 0n],
    ["1969-12-31T23:59:59.999999999Z", -1n],
    ["0000-01-01T00:00:00Z", -62_167_219_200_000_000_000n],
    ["9999-12-31T23:59:59.999999999Z", 253_402_300_799_999_999_999n],
    ["2016-02-29T00:00:00Z", 1_456_704_000_000_000_000n],
  ])("reads %s as nanoseconds", (text, nanoseconds) => {
    expect(parseDateTime(text)).toBe(nanoseconds);
  });

  it.each([
    "",
    "today",
    "2018-06-21",
    "2018-06-21T01:10:57",
    "2018-06-21 01:10:57Z",
    "2018-06-21T01:10Z",
    "2018-06-21T01:10:57.Z",
    "2018-06-21T01:10:57,5Z",
    "2018-06-21T01:10:57+0900",
    "2018-06-21T01:10:57Z ",
    "2018-06-21T01:10:57Z\n",
    "18-06-21T01:10:57Z",
    "+02018-06-21T01:10:57Z",
    "2018-00-21T01:10:57Z",
    "2018-13-21T01:10:57Z",
    "2018-06-00T01:10:57Z",
    "2018-06-31T01:10:57Z",
    "2018-02-29T01:10:57Z",
    "2018-02-30T01:10:57Z",
    "2018-06-21T24:00:00Z",
    "2018-06-21T25:10:57Z",
    "2018-06-21T01:60:57Z",
    "2018-06-21T01:10:61Z",
    "2018-06-21T01:10:57+24:00",
    "2018-06-21T01:10:57+09:60",
    "\u0662018-06-21T01:10:57Z",
  ])("refuses %j", (text) => {
    thrown("INVALID_ARGUMENT", () => parseDateTime(text));
  });

  it("throws nothing but INVALID_ARGUMENT", () => {
    const near = fc
      .tuple(datetime, fc.nat(), fc.nat(3), fc.string({ maxLength: 3 }))
      .map(([text, place, length, instead]) => {
        const at = place % text.length;
        return text.slice(0, at) + instead + text.slice(at + length);
      });
    const digits = fc
      .tuple(fc.nat(9999), fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(99))
      .map(([year, ...rest]) => {
        const [month, day, hour, minute, second, zone, part] = rest.map((value) => String(value).padStart(2, "0"));
        return `${String(year).padStart(4, "0")}-${month}-${day}T${hour}:${minute}:${second}+${zone}:${part}`;
      });
    fc.assert(
      fc.property(fc.oneof(anyText, near, digits), (text) =>
        onlyFailsWith(["INVALID_ARGUMENT"], () => parseDateTime(text)),
      ),
      { numRuns: 1000 },
    );
  });
});

describe("formatDateTime", () => {
  it.each([
    [1_491_022_270_000, "2017-04-01T04:51:10.000Z"],
    [1_491_022_270_007, "2017-04-01T04:51:10.007Z"],
    [0, "1970-01-01T00:00:00.000Z"],
    [-1, "1969-12-31T23:59:59.999Z"],
    [-1000, "1969-12-31T23:59:59.000Z"],
    // A fraction of a millisecond that a float64 holds exactly.
    [1000.5, "1970-01-01T00:00:01.0005Z"],
    [1000.0625, "1970-01-01T00:00:01.0000625Z"],
    [-0.5, "1969-12-31T23:59:59.9995Z"],
    // An absurd offset (module-protocol §2, i64) must not break the message.
    [Number.POSITIVE_INFINITY, "9999-12-31T23:59:59.999Z"],
    [Number.NEGATIVE_INFINITY, "0000-01-01T00:00:00.000Z"],
    [9.3e18, "9999-12-31T23:59:59.999Z"],
    [253_402_300_799_999.5, "9999-12-31T23:59:59.999Z"],
    [-62_167_219_200_000, "0000-01-01T00:00:00.000Z"],
  ])("writes %d as %s", (ms, text) => {
    expect(formatDateTime(ms)).toBe(text);
  });

  it("is read back as the same time, whichever was asked for before", () => {
    const ms = fc.oneof(
      fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }),
      // Eighths of a millisecond are exact in a float64 of today's size.
      fc.integer({ min: 0, max: 8 * 4_000_000_000_000 }).map((eighths) => eighths / 8),
    );
    fc.assert(
      fc.property(fc.array(ms, { minLength: 1, maxLength: 5 }), (times) => {
        for (const time of times) {
          expect(formatDateTime(time)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}Z$/);
          expect(parseDateTime(formatDateTime(time))).toBe(BigInt(Math.round(time * 8)) * 125_000n);
        }
      }),
      { numRuns: 500 },
    );
  });
});
