import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AtAnswerEvent,
  AtAnswerParser,
  type AtRequestEvent,
  AtRequestParser,
  ERROR_LINE,
  encodeAnswerLines,
  encodeCommandLine,
  LINE_END,
  LINE_MAX,
  OK_LINE,
} from "../../protocol/index.ts";
import { exchangeVectors, lineVectors } from "../vectors/at.ts";
import { asciiBytes, bytes } from "../vectors/bytes.ts";
import { cuts, joined, pieces, sealed, u8 } from "./arbitraries.ts";

function understood(...chunks: Uint8Array[]): AtRequestEvent[] {
  const events: AtRequestEvent[] = [];
  const parser = new AtRequestParser((event) => events.push(event));
  for (const chunk of chunks) parser.push(chunk);
  return events;
}

function answered(options: { early?: boolean }, ...chunks: Uint8Array[]): AtAnswerEvent[] {
  const events: AtAnswerEvent[] = [];
  const parser = new AtAnswerParser((event) => events.push(event), options);
  for (const chunk of chunks) parser.push(chunk);
  return events;
}

const example = bytes("01 0A 31 36 42 30 31 30 30 32 36 30 7B");

describe("the lines of §3", () => {
  it.each(exchangeVectors)("$source", ({ request, commandLine, response, answerLines }) => {
    expect(encodeCommandLine(bytes(request))).toEqual(asciiBytes(commandLine));
    expect(encodeAnswerLines(bytes(response))).toEqual(asciiBytes(answerLines));
    expect(understood(asciiBytes(commandLine))).toEqual([{ kind: "frame", frame: bytes(request) }]);
    expect(answered({}, asciiBytes(answerLines))).toEqual([{ kind: "answer", frame: bytes(response) }, { kind: "ok" }]);
    expect(answered({ early: true }, asciiBytes(answerLines))).toEqual([
      { kind: "answer", frame: bytes(response) },
      { kind: "ok" },
    ]);
  });

  it("has the other lines of the grammar as literals", () => {
    expect(OK_LINE).toEqual(asciiBytes("OK\r\n"));
    expect(ERROR_LINE).toEqual(asciiBytes("ERROR\r\n"));
    expect(understood(LINE_END)).toEqual([]);
    expect(LINE_MAX).toBe(1100);
  });

  it("carries every byte as two upper-case digits", () => {
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const line = String.fromCharCode(...encodeCommandLine(all));
    expect(line).toMatch(/^AT\*CMD=[0-9A-F]{512}\n$/);
    expect(line).toContain("0F101112131415161718191A1B1C1D1E1F20");
    expect(understood(asciiBytes(line))).toEqual([{ kind: "frame", frame: all }]);
  });
});

describe("AtRequestParser, the module's side", () => {
  for (const [name, end] of [
    ["LF", "\n"],
    ["CR", "\r"],
    ["CR LF", "\r\n"],
  ] as const)
    it.each(lineVectors)(`$source: "$line" with ${name}`, ({ line, understood: expected }) => {
      const event =
        expected.kind === "frame"
          ? { kind: "frame", frame: bytes(expected.frame) }
          : expected.kind === "error"
            ? { kind: "error", line }
            : expected;
      expect(understood(asciiBytes(line + end))).toEqual([event]);
      expect(understood(...Array.from(asciiBytes(line + end), (byte) => Uint8Array.of(byte)))).toEqual([event]);
    });

  it("says nothing before the end of a line", () => {
    expect(understood(asciiBytes("AT*CMD=A100A1"))).toEqual([]);
  });

  it("ignores blank lines", () => {
    expect(understood(asciiBytes("\r\n\n\n\rAT\r\n\r\n"))).toEqual([{ kind: "at" }]);
  });

  it("ignores bytes outside ASCII before a line, and tells how many", () => {
    expect(understood(bytes("FF 80"), bytes("C3"), asciiBytes("AT\n"))).toEqual([
      { kind: "noise", bytes: 2 },
      { kind: "noise", bytes: 1 },
      { kind: "at" },
    ]);
    expect(understood(joined([bytes("FF FE"), asciiBytes("AT\r\n"), bytes("80")]))).toEqual([
      { kind: "noise", bytes: 2 },
      { kind: "at" },
      { kind: "noise", bytes: 1 },
    ]);
  });

  it("takes a byte outside ASCII within a line for a part of it: the line is damaged", () => {
    expect(understood(joined([asciiBytes("AT*CMD=A1"), bytes("C3"), asciiBytes("00A1\n")]))).toEqual([
      { kind: "error", line: "AT*CMD=A1\u00c300A1" },
    ]);
  });

  it("takes the longest line that digits in pairs can make, and no longer one", () => {
    // 7 characters and 1092 digits; 1100 and 1102 characters cannot hold pairs, 1101 can.
    const digits = (count: number) => `AT*CMD=${"00".repeat(count / 2)}`;
    expect(digits(1092)).toHaveLength(1099);
    expect(understood(asciiBytes(`${digits(1092)}\n`))).toEqual([{ kind: "frame", frame: new Uint8Array(546) }]);
    expect(digits(1094)).toHaveLength(1101);
    expect(understood(asciiBytes(`${digits(1094)}\n`))).toEqual([{ kind: "error", line: digits(1094).slice(0, 1100) }]);
  });

  it("keeps a line of 1100 characters whole, and drops the end of one of 1101", () => {
    expect(understood(asciiBytes(`${"x".repeat(1099)}y\n`))).toEqual([{ kind: "error", line: `${"x".repeat(1099)}y` }]);
    expect(understood(asciiBytes(`${"x".repeat(1100)}y\n`))).toEqual([{ kind: "error", line: "x".repeat(1100) }]);
  });

  it("answers an over-long line once, at its end, and understands the next", () => {
    const chunk = asciiBytes("AT*CMD=A100A1".repeat(100));
    expect(understood(chunk, chunk, chunk)).toEqual([]);
    const events = understood(chunk, chunk, chunk, asciiBytes("\r\nAT*CMD=A100A1\r\n"));
    expect(events.map((event) => event.kind)).toEqual(["error", "frame"]);
  });

  it("counts the characters of a line without the noise before it", () => {
    expect(understood(new Uint8Array(5000).fill(0xff), asciiBytes("AT*CMD=A100A1\n"))).toEqual([
      { kind: "noise", bytes: 5000 },
      { kind: "frame", frame: bytes("A1 00 A1") },
    ]);
  });

  it("works when its listener hands it more bytes", () => {
    const kinds: string[] = [];
    const parser: AtRequestParser = new AtRequestParser((event) => {
      kinds.push(event.kind);
      if (event.kind === "frame") parser.push(asciiBytes("AT\n"));
    });
    parser.push(asciiBytes("AT*CMD=A100A1\nnonsense\n"));
    expect(kinds).toEqual(["frame", "at", "error"]);
  });
});

describe("AtAnswerParser, the driver's side", () => {
  for (const early of [false, true])
    describe(early ? "with early answers" : "with the end of a line", () => {
      const events = (text: string) => answered({ early }, asciiBytes(text));

      it("passes over a stale OK, blank lines and noise before the answer", () => {
        expect(events("OK\r\n\r\n\n*CMD:050005\r\nOK\r\n")).toEqual([
          { kind: "ok" },
          { kind: "answer", frame: bytes("05 00 05") },
          { kind: "ok" },
        ]);
        expect(events("\u00ff\u0000~*CM*CMD:050005\r\nOK\r\n")).toEqual([
          { kind: "answer", frame: bytes("05 00 05") },
          { kind: "ok" },
        ]);
      });

      it("finds an answer after more noise than a line holds", () => {
        for (const noise of [LINE_MAX - 6, LINE_MAX - 4, LINE_MAX, 5 * LINE_MAX])
          expect(events(`${"\u00ff".repeat(noise)}*CMD:050005\r\nOK\r\n`)).toEqual([
            { kind: "answer", frame: bytes("05 00 05") },
            { kind: "ok" },
          ]);
      });

      it("takes lower-case digits, and CR or LF alone", () => {
        expect(events("*CMD:010141ff\n").map((event) => event.kind)).toEqual(["answer"]);
        expect(events("*CMD:0101ab03\rOK\r")).toEqual([
          { kind: "answer", frame: bytes("01 01 AB 03") },
          { kind: "ok" },
        ]);
      });

      it("takes the last *CMD: of a line, when the one before it was cut off", () => {
        expect(events("*CMD:010A3136*CMD:050005\r\n")).toEqual([{ kind: "answer", frame: bytes("05 00 05") }]);
      });

      it("reports noise in the middle of an answer as a line of noise, and finds the next answer", () => {
        for (const line of [
          "*CMD:010A3136\u00ff42303130303236307B",
          "*CM\u00ffD:050005",
          "*CMD:05 00 05",
          "*CMD:05000G",
        ])
          expect(events(`${line}\r\nOK\r\n*CMD:050005\r\n`)).toEqual([
            { kind: "noise", line },
            { kind: "ok" },
            { kind: "answer", frame: bytes("05 00 05") },
          ]);
      });

      it("reports less than 3 bytes, or half a byte, as noise", () => {
        for (const line of ["*CMD:", "*CMD:05", "*CMD:0500", "*CMD:05000"])
          expect(events(`${line}\r\n`)).toEqual([{ kind: "noise", line }]);
      });

      it("hands a frame of the wrong size or parity on: to judge it is the driver's part", () => {
        expect(events("*CMD:01020304\r\n")).toEqual([{ kind: "answer", frame: bytes("01 02 03 04") }]);
        expect(events("*CMD:050006\r\n")).toEqual([{ kind: "answer", frame: bytes("05 00 06") }]);
      });

      it("understands ERROR, and an echo as noise", () => {
        expect(events("AT*CMD=A100A1\r\nERROR\r\n")).toEqual([
          { kind: "noise", line: "AT*CMD=A100A1" },
          { kind: "error" },
        ]);
        expect(events("\u00ffOK\r\nOKAY\r\n")).toEqual([{ kind: "ok" }, { kind: "noise", line: "OKAY" }]);
      });

      it("holds no more than a line, and no answer longer than one", () => {
        expect(events(`*CMD:${"G0".repeat(2000)}\r\nOK\r\n`)).toEqual([
          { kind: "noise", line: `*CMD:${"G0".repeat(2000)}`.slice(0, LINE_MAX) },
          { kind: "ok" },
        ]);
        // The longest frame: 5 characters and 516 digits.
        expect(events(`*CMD:01FF${"00".repeat(255)}FE\r\n`)).toEqual([
          { kind: "answer", frame: Uint8Array.from([0x01, 0xff, ...new Uint8Array(255), 0xfe]) },
        ]);
      });

      it("forgets half a line when it is told to", () => {
        const found: AtAnswerEvent[] = [];
        const parser = new AtAnswerParser((event) => found.push(event), { early });
        parser.push(asciiBytes("*CMD:05"));
        parser.reset();
        parser.push(asciiBytes("0005\r\n*CMD:0600"));
        parser.reset();
        parser.push(asciiBytes("*CM"));
        parser.reset();
        parser.push(asciiBytes("D:060006\r\n"));
        expect(found).toEqual([
          { kind: "noise", line: "0005" },
          { kind: "noise", line: "D:060006" },
        ]);
      });
    });

  it("hands an early answer out with its last digit, and then its line's end and OK once", () => {
    const found: AtAnswerEvent[] = [];
    const parser = new AtAnswerParser((event) => found.push(event), { early: true });
    parser.push(asciiBytes("*CMD:010A313642303130303236307"));
    expect(found).toEqual([]);
    parser.push(asciiBytes("B"));
    expect(found).toEqual([{ kind: "answer", frame: example }]);
    parser.push(asciiBytes("\r"));
    parser.push(asciiBytes("\nOK\r\n"));
    expect(found).toEqual([{ kind: "answer", frame: example }, { kind: "ok" }]);
  });

  it("drops what follows an early answer on its line, and takes the next answer, there or on the next line", () => {
    const answer = { kind: "answer", frame: bytes("05 00 05") };
    expect(answered({ early: true }, asciiBytes("*CMD:0500050102\u00ff*CM\r\nOK\r\n"))).toEqual([
      answer,
      { kind: "ok" },
    ]);
    expect(answered({ early: true }, asciiBytes("*CMD:050005*CMD:060006\r\nOK\r\n*CMD:050005"))).toEqual([
      answer,
      { kind: "answer", frame: bytes("06 00 06") },
      { kind: "ok" },
      answer,
    ]);
  });

  it("without early answers says nothing before the line ends", () => {
    expect(answered({}, asciiBytes("*CMD:050005"))).toEqual([]);
  });
});

const lineEnd = fc.constantFrom("\n", "\r", "\r\n", "\r\n\r\n").map(asciiBytes);
const frame = sealed(u8, fc.uint8Array({ maxLength: 40 }));
const highBytes = fc.uint8Array({ min: 0x80, maxLength: 8 });
const withoutEnds = (least: number, most: number, maxLength: number) =>
  fc
    .uint8Array({ min: least, max: most, minLength: 1, maxLength })
    .map((line) => line.map((byte) => (byte === 10 || byte === 13 ? 35 : byte)));

describe("properties of the AT grammar", () => {
  it("finds every command, split anywhere, with noise before lines and garbage lines between", () => {
    const command = fc.tuple(highBytes, frame, fc.boolean(), lineEnd).map(([noise, bytes, lower, end]) => {
      const line = encodeCommandLine(bytes).slice(0, -1);
      const digits = lower ? line.map((byte, i) => (i >= 7 && byte > 0x40 ? byte + 0x20 : byte)) : line;
      return { noise: noise.length, sent: joined([noise, digits, end]), found: { kind: "frame", frame: bytes } };
    });
    const at = fc.tuple(highBytes, lineEnd).map(([noise, end]) => ({
      noise: noise.length,
      sent: joined([noise, asciiBytes("AT"), end]),
      found: { kind: "at" },
    }));
    const garbage = fc
      .tuple(highBytes, withoutEnds(0, 0xff, 60), lineEnd)
      .filter(([, line]) => (line[0] ?? 0) < 0x80 && line[0] !== 0x41)
      .map(([noise, line, end]) => ({
        noise: noise.length,
        sent: joined([noise, line, end]),
        found: { kind: "error", line: String.fromCharCode(...line) },
      }));
    fc.assert(
      fc.property(fc.array(fc.oneof(command, at, garbage), { maxLength: 8 }), cuts, (parts, places) => {
        const events = understood(...pieces(joined(parts.map((part) => part.sent)), places));
        expect(events.filter((event) => event.kind !== "noise")).toEqual(parts.map((part) => part.found));
        const noise = events.reduce((sum, event) => sum + (event.kind === "noise" ? event.bytes : 0), 0);
        expect(noise).toBe(parts.reduce((sum, part) => sum + part.noise, 0));
      }),
      { numRuns: 300 },
    );
  });

  it.each([false, true])("finds every answer, split anywhere, after any noise (early: %s)", (early) => {
    // Noise that holds no `*CMD:` of its own may end in the beginning of one.
    const noise = fc
      .tuple(
        fc.oneof(
          withoutEnds(0, 0xff, 30),
          fc.nat(3000).map((size) => new Uint8Array(size).fill(0xf0)),
        ),
        fc.nat(5),
      )
      .map(([before, cut]) => joined([before, asciiBytes("*CMD:".slice(0, cut))]))
      .filter((line) => !String.fromCharCode(...line).includes("*CMD:"));
    const before = fc
      .constantFrom("", "OK\r\n", "\r\n", "\n\n", "OK\r\n\r\n", "ERROR\r\n", "garbage\r\n")
      .map(asciiBytes);
    const answer = fc.tuple(before, noise, frame, fc.boolean()).map(([lines, dirt, bytes, ok]) => ({
      sent: joined([lines, dirt, encodeAnswerLines(bytes).slice(0, ok ? undefined : -4)]),
      frame: bytes,
    }));
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 6 }), cuts, (answers, places) => {
        const events = answered({ early }, ...pieces(joined(answers.map((part) => part.sent)), places));
        expect(events.flatMap((event) => (event.kind === "answer" ? [event.frame] : []))).toEqual(
          answers.map((part) => part.frame),
        );
      }),
      { numRuns: 300 },
    );
  });

  it("gives the same events however its bytes are split", () => {
    const text = fc
      .array(fc.constantFrom("AT", "*CMD", "=", ":", "A1", "00", "05", "OK", "ERROR", "\r", "\n", "\u00ff", "g"), {
        maxLength: 60,
      })
      .map((parts) => asciiBytes(parts.join("")));
    fc.assert(
      fc.property(text, cuts, fc.boolean(), (sent, places, early) => {
        expect(answered({ early }, ...pieces(sent, places))).toEqual(answered({ early }, sent));
        const quiet = (event: AtRequestEvent) => event.kind !== "noise";
        expect(understood(...pieces(sent, places)).filter(quiet)).toEqual(understood(sent).filter(quiet));
      }),
      { numRuns: 500 },
    );
  });

  it("throws nothing for any bytes, and reports each frame with at least 3 bytes", () => {
    const mixed = fc
      .array(
        fc.oneof(
          fc.constantFrom("AT*CMD=", "*CMD:", "010101", "\r\n").map(asciiBytes),
          fc.uint8Array({ maxLength: 20 }),
        ),
      )
      .map(joined);
    fc.assert(
      fc.property(mixed, fc.boolean(), (sent, early) => {
        for (const event of [...understood(sent), ...answered({ early }, sent)])
          if (event.kind === "frame" || event.kind === "answer") expect(event.frame.length).toBeGreaterThan(2);
      }),
      { numRuns: 1000 },
    );
  });
});
