/**
 * Work grows with the input and not faster, shown by counting it, never by a clock: each test feeds n and 10 n of the
 * same and compares what was done, or bounds what is held. What cannot be counted from outside (the steps within one
 * regular expression) is fed a megabyte: a quadratic path would take 10^12 steps there and not come back.
 */
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  AtAnswerParser,
  AtRequestParser,
  commandByCode,
  FrameParser,
  fromHex,
  LINE_MAX,
  moduleIdSchema,
  parseDateTime,
  parseDownlink,
  parseJson,
  parsePlatformMessage,
} from "../../protocol/index.ts";
import { asciiBytes } from "../vectors/bytes.ts";
import { onlyFailsWith, thrown } from "./thrown.ts";

const done = vi.hoisted(() => ({ digits: 0 }));
// at.ts looks at every digit through hexDigit: counted, and otherwise the real one.
vi.mock(import("../../protocol/hex.ts"), async (original) => {
  const actual = await original();
  return {
    ...actual,
    hexDigit(code: number) {
      done.digits++;
      return actual.hexDigit(code);
    },
  };
});

const MEGABYTE = 1_000_000;
const fill = (pattern: string, length: number) => pattern.repeat(Math.ceil(length / pattern.length)).slice(0, length);

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("FrameParser", () => {
  /** Feeds byte by byte, and counts the places that were tried. */
  function work(pattern: readonly number[], length: number): { tried: number; held: number } {
    let tried = 0;
    let held = 0;
    let most = 0;
    const canBegin = (head: number) => {
      tried++;
      return commandByCode(head) !== undefined;
    };
    const parser = new FrameParser(canBegin, (event) => {
      held -= event.kind === "frame" ? event.frame.length : event.bytes.length;
    });
    for (let i = 0; i < length; i++) {
      held++;
      parser.push(Uint8Array.of(pattern[i % pattern.length] ?? 0));
      most = Math.max(most, held);
    }
    return { tried, held: most };
  }

  it.each([
    ["bytes that begin nothing", [0x00]],
    ["bytes that begin a short frame, never with its parity", [0x22, 0x01]],
    ["bytes that begin a long frame, never with its parity", [0x0f, 0xff, 0x0f, 0xfe]],
    ["bytes that each begin a frame", [0x20, 0x21, 0x22, 0x23, 0x24, 0x25]],
    ["whole frames", [0xa1, 0x00, 0xa1]],
  ])("tries a place once, and the one it waits at once a push: %s", (_, pattern) => {
    // A place costs at most the parity of one frame, 258 bytes, and a push the copy of what is held, so that work is
    // linear when both the tries and what is held are bounded.
    for (const length of [2_000, 20_000]) {
      const { tried, held } = work(pattern, length);
      expect(tried).toBeLessThanOrEqual(2 * length);
      expect(held).toBeLessThanOrEqual(258);
    }
  });

  it("flushes no more than one frame's bytes", () => {
    let tried = 0;
    const parser = new FrameParser(
      () => {
        tried++;
        return true;
      },
      () => undefined,
    );
    parser.push(new Uint8Array(30_000).fill(0xff));
    tried = 0;
    parser.flush();
    expect(tried).toBeLessThanOrEqual(257);
  });
});

const endless: readonly [string, string][] = [
  ["a line without end", "x"],
  ["digits without end", "0"],
  ["a command without end", "AT*CMD=00"],
  ["an answer that begins again and again", "*CMD:"],
  ["an answer that is whole again and again", "*CMD:010001"],
  ["an answer that is never whole", "*CMD:01FF0G"],
  ["stars", "*"],
  ["noise", "\u00ff"],
  ["short lines", "*CMD:01000\n"],
  ["blank lines", "\r\n"],
];

describe("the AT parsers", () => {
  type Parser = { push(bytes: Uint8Array): void };
  type Make = (emit: (event: { line?: string }) => void) => Parser;
  const makers: readonly [string, Make][] = [
    ["AtRequestParser", (emit) => new AtRequestParser((event) => emit(event.kind === "error" ? event : {}))],
    ["AtAnswerParser", (emit) => new AtAnswerParser((event) => emit(event.kind === "noise" ? event : {}))],
    [
      "AtAnswerParser, early",
      (emit) => new AtAnswerParser((event) => emit(event.kind === "noise" ? event : {}), { early: true }),
    ],
  ];

  /** Digits looked at, events, and the longest line that was held. */
  function work(make: Make, text: string): { digits: number; events: number; longest: number } {
    let events = 0;
    let longest = 0;
    done.digits = 0;
    const parser = make(({ line = "" }) => {
      events++;
      longest = Math.max(longest, line.length);
    });
    const bytes = asciiBytes(text);
    // In two halves and byte by byte: neither may cost more than a constant for each byte.
    parser.push(bytes.subarray(0, bytes.length / 2));
    for (let i = Math.floor(bytes.length / 2); i < bytes.length; i++) parser.push(bytes.subarray(i, i + 1));
    parser.push(asciiBytes("\n"));
    return { digits: done.digits, events, longest };
  }

  for (const [name, make] of makers)
    it.each(endless)(`${name}: ten times the work for ten times of %s`, (_, pattern) => {
      const once = work(make, fill(pattern, 4_000));
      const tenfold = work(make, fill(pattern, 40_000));
      // The constant: one line, which is looked at once more at its end.
      expect(tenfold.digits).toBeLessThanOrEqual(10 * once.digits + 4 * LINE_MAX);
      expect(tenfold.events).toBeLessThanOrEqual(10 * once.events + 10);
      expect(Math.max(once.longest, tenfold.longest)).toBeLessThanOrEqual(LINE_MAX);
    });

  it("counts what it says it counts", () => {
    const [, make] = makers[1] ?? makers[0] ?? [];
    expect(make && work(make, "*CMD:010001").digits).toBe(6);
  });
});

describe("parseJson", () => {
  /**
   * Characters that the parser's expressions went over, and one for each call. None of them has a repetition within a
   * repetition or one that can fail after a match, so that a match costs its length.
   */
  function work(text: string): number {
    let steps = 0;
    const exec = RegExp.prototype.exec;
    vi.spyOn(RegExp.prototype, "exec").mockImplementation(function (this: RegExp, on: string) {
      const match = exec.call(this, on);
      steps += 1 + (match?.[0].length ?? 0);
      return match;
    });
    try {
      onlyFailsWith(["INVALID_MESSAGE"], () => parseJson(text));
    } finally {
      vi.restoreAllMocks();
    }
    return steps;
  }

  it.each<[string, (length: number) => string]>([
    ["a long string", (n) => `"${fill("a", n)}"`],
    ["a string without end", (n) => `"${fill("a", n)}`],
    ["escapes", (n) => `"${"\\n".repeat(n / 2)}"`],
    ["unicode escapes", (n) => `"${"\\u0041".repeat(n / 6)}"`],
    ["escaped quotes without end", (n) => `"${'\\"'.repeat(n / 2)}`],
    ["digits", (n) => fill("7", n)],
    ["minus digits", (n) => `-${fill("7", n)}`],
    ["zeros", (n) => fill("0", n)],
    ["a fraction", (n) => `0.${fill("3", n)}`],
    ["an exponent", (n) => `1e${fill("9", n)}`],
    ["digits and a bad end", (n) => `${fill("7", n)}.`],
    ["white space", (n) => `${fill(" \t\r\n", n)}1`],
    ["white space alone", (n) => fill(" ", n)],
    ["nesting", (n) => "[".repeat(n)],
    ["nested objects", (n) => '{"a":'.repeat(n / 5)],
    ["a wide array", (n) => `[${"1,".repeat(n / 2)}1]`],
    ["a wide array of strings", (n) => `[${'"",'.repeat(n / 3)}""]`],
    ["many 64-bit integers", (n) => `[${"18446744073709551615,".repeat(n / 21)}1]`],
    ["one key again and again", (n) => `{${'"a":1,'.repeat(n / 6)}"a":1}`],
    [
      "many keys",
      (n) => `{${Array.from({ length: n / 10 }, (_, i) => `"${String(i).padStart(6, "0")}":1`).join(",")}}`,
    ],
  ])("goes over each character a bounded number of times: %s", (_, make) => {
    for (const length of [3_000, 30_000]) expect(work(make(length))).toBeLessThanOrEqual(4 * length + 20);
  });

  it("makes no big integer of more digits than 64 bits have: that would be quadratic", () => {
    const made: number[] = [];
    const real = BigInt;
    vi.stubGlobal("BigInt", (text: string) => {
      made.push(text.length);
      return real(text);
    });
    expect(parseJson(fill("7", MEGABYTE))).toBe(Number.POSITIVE_INFINITY);
    expect(parseJson(`-${fill("7", 20)}`)).toBe(Number("-77777777777777777777"));
    expect(made).toEqual([]);
    parseJson("18446744073709551615");
    expect(made).toEqual([20]);
  });

  it("comes back from a megabyte of anything", () => {
    expect(parseJson(`"${fill("a", MEGABYTE)}"`)).toHaveLength(MEGABYTE);
    expect(parseJson(`"${"\\u0041".repeat(MEGABYTE / 6)}"`)).toBe("A".repeat(Math.floor(MEGABYTE / 6)));
    expect(parseJson(`0.${fill("3", MEGABYTE)}`)).toBe(1 / 3);
    expect(parseJson(`${fill(" ", MEGABYTE)}1`)).toBe(1);
    for (const text of ["[", '{"a":', '"\\', "-", "1e", '"\\u'])
      thrown("INVALID_MESSAGE", () => parseJson(fill(text, MEGABYTE)));
  });
});

describe("the other readers of text come back from a megabyte", () => {
  it("parseDateTime", () => {
    expect(parseDateTime(`2017-04-01T04:51:10.${fill("1", MEGABYTE)}Z`)).toBe(1_491_022_270_111_111_111n);
    thrown("INVALID_ARGUMENT", () => parseDateTime(`2017-04-01T04:51:10.${fill("1", MEGABYTE)}`));
    thrown("INVALID_ARGUMENT", () => parseDateTime(fill("2017-04-01T04:51:10.5", MEGABYTE)));
  });

  it("fromHex", () => {
    expect(fromHex(fill("A1 ", MEGABYTE - 1)).length).toBe(333_333);
    expect(fromHex(`A1${fill(" ", MEGABYTE)}A1`).length).toBe(2);
    thrown("INVALID_ARGUMENT", () => fromHex(`${fill(" ", MEGABYTE)}G`));
    thrown("INVALID_ARGUMENT", () => fromHex(fill("A1-", MEGABYTE)));
  });

  it("a module id, and messages with too much of anything", () => {
    expect(moduleIdSchema.safeParse(fill("u", MEGABYTE)).success).toBe(false);
    const channels = (what: string) =>
      `{"type":"channels","module":"u1","datetime":"2017-04-01T04:51:10Z","payload":{"channels":[${what.repeat(MEGABYTE / 5)}0]}}`;
    // 200 000 faults at once: still one error with a path, and not the end of the stack.
    for (const what of ["0,", "{},", "[],"]) {
      expect(thrown("INVALID_MESSAGE", () => parseDownlink(channels(what))).context["path"]).toBe("payload.channels");
      expect(thrown("INVALID_MESSAGE", () => parsePlatformMessage(channels(what))).context["path"]).toBe(
        "payload.channels",
      );
    }
  });
});
