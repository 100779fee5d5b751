/** Frames as lines for people: aligned, cut to a terminal, in colour where there is some. */
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { painter } from "../../host/cli/colour.ts";
import { answerMeaning, requestMeaning } from "../../host/cli/frame-meaning.ts";
import { FrameLines } from "../../host/cli/frame-text.ts";
import { bytes } from "../vectors/bytes.ts";

const AT = Date.UTC(2026, 10, 25, 2, 3, 4, 567);
const ENQUEUE = bytes("20 0A 01 69 19 00 00 00 00 00 00 00 5B");
const ECHO_255 = bytes(`0F FF ${"5A ".repeat(255)}AA`);

/** What is printed on a terminal so many columns wide; piped without. */
function printed(columns: number | undefined, print: (lines: FrameLines) => void): string {
  const stream = Object.assign(new PassThrough({ encoding: "utf8" }), { isTTY: columns !== undefined, columns });
  print(new FrameLines(stream));
  return String(stream.read() ?? "");
}

beforeEach(() => {
  for (const name of ["NO_COLOR", "NODE_DISABLE_COLORS", "FORCE_COLOR"]) vi.stubEnv(name, undefined);
  vi.stubEnv("TERM", "xterm");
});
afterEach(() => vi.unstubAllEnvs());

describe("piped", () => {
  it("are aligned, whole and plain", () => {
    const text = printed(undefined, (lines) => {
      lines.request(AT, ENQUEUE);
      lines.answer(AT + 12, bytes("01 00 01"));
      lines.request(AT + 20, bytes("02 00 02"));
      lines.answer(AT + 120.25, bytes("01 01 05 05"));
      lines.request(AT + 200, bytes("24 00 24"));
      lines.answer(AT + 201, bytes("05 00 05"));
      lines.request(AT + 300, bytes("99 00 99"));
      lines.answer(AT + 301, undefined);
      lines.answer(AT + 302, bytes("01 01 05 05"));
      lines.note("2 bytes of noise from the MCU");
    });
    expect(text.split("\n")).toEqual([
      "02:03:04.567 → TX_ENQUEUE                  20 0A 01 69 19 00 00 00 00 00 00 00 5B  1:i=25",
      "02:03:04.579 ← OK  12.0 ms                 01 00 01",
      "02:03:04.587 → GET_SIGNAL_QUALITY          02 00 02",
      "02:03:04.687 ← OK  100.3 ms                01 01 05 05                             signal 5",
      "02:03:04.767 → TX_SEND                     24 00 24",
      "02:03:04.768 ← RUNTIME  1.0 ms             05 00 05                                cannot be done now: the queue is full or empty, or no download is running",
      "02:03:04.867 → command 0x99                99 00 99                                this firmware has no such command",
      "02:03:04.868 ← (silent)",
      "02:03:04.869 ← OK                          01 01 05 05                             answers nothing that was asked",
      "line  2 bytes of noise from the MCU",
      "",
    ]);
  });

  it("show what came instead of an answer, and that none did; a late one has its request's time", () => {
    const text = printed(undefined, (lines) => {
      lines.request(AT, bytes("02 00 02"));
      lines.noise(AT + 3, Buffer.from("ERROR\r\n"));
      lines.request(AT + 20, bytes("02 00 02"));
      lines.noise(AT + 22, Buffer.from("\xff\x1b[2J", "latin1"));
      lines.missing(AT + 1020);
      lines.answer(AT + 1021, bytes("01 01 05 05"));
    });
    expect(text.split("\n")).toEqual([
      "02:03:04.567 → GET_SIGNAL_QUALITY          02 00 02",
      '02:03:04.570 ← (no frame)  3.0 ms          45 52 52 4F 52 0D 0A                    "ERROR"',
      "02:03:04.587 → GET_SIGNAL_QUALITY          02 00 02",
      '02:03:04.589 ← (no frame)  2.0 ms          FF 1B 5B 32 4A                          "..[2J"',
      "02:03:05.587 ← (no answer)  1000.0 ms",
      "02:03:05.588 ← OK  1001.0 ms               01 01 05 05                             signal 5",
      "",
    ]);
  });

  it("are whole however long", () => {
    const text = printed(undefined, (lines) => lines.request(AT, ECHO_255));
    expect(text).toBe(`02:03:04.567 → ECHO_BACK                   0F FF ${"5A ".repeat(255)}AA  255 bytes\n`);
  });
});

describe("on a terminal of 80 columns", () => {
  beforeEach(() => vi.stubEnv("NO_COLOR", "1"));

  it("are cut before its last column, the bytes first", () => {
    const text = printed(80, (lines) => {
      lines.request(AT, ECHO_255);
      lines.request(AT, ENQUEUE);
      lines.request(AT, bytes("22 00 22"));
      lines.answer(AT + 1, bytes("01 02 1D 03 1D"));
      lines.answer(AT + 1, bytes("05 00 05"));
      lines.note("x".repeat(100));
    });
    expect(text.split("\n")).toEqual([
      "02:03:04.567 → ECHO_BACK                   0F FF 5A 5A 5A 5A 5A 5A …  255 bytes",
      "02:03:04.567 → TX_ENQUEUE                  20 0A 01 69 19 00 00 00 00 …  1:i=25",
      "02:03:04.567 → TX_LENGTH                   22 00 22",
      "02:03:04.568 ← OK  1.0 ms                  01 02 1D 03 1D  tx 3 queued, 29 free",
      "02:03:04.568 ← RUNTIME                     05 00 05        answers nothing tha…",
      `line  ${"x".repeat(72)}…`,
      "",
    ]);
  });

  it("keep within it at any width", () => {
    for (let columns = 60; columns < 140; columns++) {
      const text = printed(columns, (lines) => {
        lines.request(AT, ECHO_255);
        lines.request(AT, bytes("A2 00 A2"));
        lines.answer(AT + 1, bytes("05 00 05"));
      });
      for (const line of text.split("\n")) expect(line.length).toBeLessThan(columns);
    }
  });
});

describe("colour", () => {
  const coloured = "\u001b[36mTX_SEND\u001b[39m";

  it("is on a terminal that has some", () => {
    const on = (columns: number | undefined): string =>
      printed(columns, (lines) => lines.request(AT, bytes("24 00 24")));
    expect(on(80)).toContain(coloured);
    expect(on(undefined)).not.toContain("\u001b");
    vi.stubEnv("NO_COLOR", "1");
    expect(on(80)).not.toContain("\u001b");
  });

  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: "" }, true],
    [true, { NO_COLOR: "0" }, false],
    [true, { TERM: "dumb" }, false],
    [true, { FORCE_COLOR: "0" }, false],
    [false, { FORCE_COLOR: "1" }, true],
    [false, { FORCE_COLOR: "1", NO_COLOR: "1" }, false],
    [true, { NODE_DISABLE_COLORS: "1" }, false],
  ])("with a terminal %s and %j: %s", (isTTY, env, expected) => {
    const text = painter({ isTTY }, env)("red", "x");
    expect(text).toBe(expected ? "\u001b[31mx\u001b[39m" : "x");
  });

  it("tells an answer from a refusal and a silence", () => {
    const of = (frame: Uint8Array | undefined): string => printed(80, (lines) => lines.answer(AT, frame));
    expect(of(bytes("01 00 01"))).toContain("\u001b[32mOK\u001b[39m");
    expect(of(bytes("07 00 07"))).toContain("\u001b[31mBUSY\u001b[39m");
    expect(of(undefined)).toContain("\u001b[33m(silent)\u001b[39m");
  });
});

describe("what a frame says", () => {
  it.each([
    ["20 12 01 69 19 00 00 00 00 00 00 00 1F EF FF FF FF FF FF FF 0F", "damaged: wrong parity"],
    ["20 12 01 69 19 00 00 00 00 00 00 00 1F EF FF FF FF FF FF FF B3", "1:i=25, offset -4321 ms"],
    ["20 0A 02 66 6F 12 83 3A 00 00 00 00 8B", "damaged: wrong parity"],
    ["21 0A 00 62 0F 1E 2D 3C 4B 5C 6B 7A 4F", "0:b=0f1e2d3c4b5c6b7a"],
    ["0F 01 5A 54", "1 byte"],
    ["10 01 05 14", "pin 5"],
    ["40 02 01 00 43", "file 1"],
    ["44 01 FF BA", "255 bytes at most"],
    ["A8 04 53 6B 72 61 87", ""],
    ["B0 01 02 B3", "rf-off"],
    ["20 00 20", "the request has a wrong length or field"],
    ["20 05 20", "damaged: wrong size"],
  ])("request %s: %s", (frame, meaning) => {
    expect(requestMeaning(bytes(frame))).toBe(meaning);
  });

  it.each([
    ["01 00 01", "01 01 80 80", "online"],
    ["01 00 01", "01 01 02 02", "offline, last error connection-error"],
    ["03 00 03", "01 08 CA B9 0A 20 64 01 00 00 35", "2018-06-21T01:52:11.210Z"],
    ["10 01 05 14", "01 02 00 02 01", "reads 512"],
    ["25 00 25", "01 02 02 00 01", "queue failed, immediate done"],
    ["30 00 30", "01 12 01 69 19 00 00 00 00 00 00 00 00 FF FF FF FF FF FF FF 9D", "1:i=25, offset -256 ms"],
    ["42 00 42", "01 05 02 00 01 00 00 07", "receiving, 256 bytes"],
    ["44 01 FF BA", "01 00 01", "0 bytes"],
    ["A0 00 A0", "01 02 02 00 01", "SCM-LTE-01"],
    ["A1 00 A1", "01 0A 31 36 42 30 31 30 30 32 36 30 7B", "16B0100260"],
    ["AA 00 AA", "01 01 80 80", "in progress"],
    ["B1 00 B1", "01 01 01 01", "auto-sleep"],
    ["02 00 02", "01 02 20 00 23", "does not fit GET_SIGNAL_QUALITY"],
    ["02 00 02", "01 01 05 FF", "damaged: wrong parity"],
    ["A9 00 A9", "06 00 06", "needs UNLOCK first"],
    ["A9 00 A9", "0A 00 0A", ""],
  ])("to %s, answer %s: %s", (to, frame, meaning) => {
    expect(answerMeaning(bytes(frame), bytes(to))).toBe(meaning);
  });
});
