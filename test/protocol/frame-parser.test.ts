import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commandByCode, FrameParser, frameProblem } from "../../protocol/index.ts";
import { bytes } from "../vectors/bytes.ts";
import { code, cuts, joined, pieces, sealed, u8 } from "./arbitraries.ts";

const isCode = (head: number) => commandByCode(head) !== undefined;
/** 0 to 7: the statuses and one that is none. */
const isStatus = (head: number) => head >= 1 && head <= 7;

interface Found {
  readonly frames: Uint8Array[];
  readonly discarded: Uint8Array[];
  /** Everything that came out, in its order. */
  readonly all: Uint8Array[];
}

function setup(canBegin: (head: number) => boolean): { parser: FrameParser; found: Found } {
  const found: Found = { frames: [], discarded: [], all: [] };
  const parser = new FrameParser(canBegin, (event) => {
    if (event.kind === "frame") found.frames.push(event.frame);
    else found.discarded.push(event.bytes);
    found.all.push(event.kind === "frame" ? event.frame : event.bytes);
  });
  return { parser, found };
}

function parse(canBegin: (head: number) => boolean, chunks: readonly Uint8Array[], flush = true): Found {
  const { parser, found } = setup(canBegin);
  for (const chunk of chunks) parser.push(chunk);
  if (flush) parser.flush();
  return found;
}

const noiseFor = (canBegin: (head: number) => boolean) => {
  const heads = Array.from({ length: 256 }, (_, head) => head).filter((head) => !canBegin(head));
  return fc.array(fc.constantFrom(...heads), { maxLength: 20 }).map((noise) => Uint8Array.from(noise));
};

describe("FrameParser", () => {
  it("finds frames one after the other, and says what lay between", () => {
    const { parser, found } = setup(isCode);
    parser.push(bytes("A1 00 A1 FF FE 01 00 01 05"));
    expect(found).toEqual({
      frames: [bytes("A1 00 A1"), bytes("01 00 01")],
      discarded: [bytes("FF FE"), bytes("05")],
      all: [bytes("A1 00 A1"), bytes("FF FE"), bytes("01 00 01"), bytes("05")],
    });
  });

  it("hands a frame out with its last byte", () => {
    const { parser, found } = setup(isCode);
    for (const byte of bytes("0F 02 41 42")) parser.push(Uint8Array.of(byte));
    expect(found.all).toEqual([]);
    parser.push(bytes("0E"));
    expect(found.all).toEqual([bytes("0F 02 41 42 0E")]);
  });

  it("gives up one byte, not a frame's length, when a parity is wrong", () => {
    // 20 with a length of 5 and a wrong parity; the frame A1 00 A1 begins within.
    expect(parse(isCode, [bytes("20 05 A1 00 A1 00 00 00")], false)).toEqual({
      frames: [bytes("A1 00 A1")],
      discarded: [bytes("20 05"), bytes("00 00 00")],
      all: [bytes("20 05"), bytes("A1 00 A1"), bytes("00 00 00")],
    });
  });

  it("holds what may still become a frame until it is flushed, and then looks within it", () => {
    const { parser, found } = setup(isCode);
    parser.push(bytes("20 FF A1 00 A1"));
    expect(found.all).toEqual([]);
    parser.flush();
    expect(found.all).toEqual([bytes("20 FF"), bytes("A1 00 A1")]);
    parser.flush();
    expect(found.all).toHaveLength(2);
    parser.push(bytes("A1 00 A1"));
    expect(found.frames).toHaveLength(2);
  });

  it("discards half a frame at the end of the stream", () => {
    expect(parse(isCode, [bytes("0F 02 41")]).all).toEqual([bytes("0F 02 41")]);
    expect(parse(isCode, [bytes("0F")]).all).toEqual([bytes("0F")]);
    expect(parse(isCode, []).all).toEqual([]);
  });

  it("takes the longest frame", () => {
    const longest = Uint8Array.from([0x0f, 0xff, ...new Uint8Array(255).fill(0x5a), 0xaa]);
    expect(parse(isCode, [longest], false).all).toEqual([longest]);
  });

  it("keeps its own copy of what it was given and of what it gave", () => {
    const { parser, found } = setup(isCode);
    const chunk = bytes("A1 00 A1 0F 01");
    parser.push(chunk);
    chunk.fill(0);
    parser.push(bytes("41 4F"));
    expect(found.frames).toEqual([bytes("A1 00 A1"), bytes("0F 01 41 4F")]);
  });
});

describe("properties of FrameParser", () => {
  for (const [name, canBegin, head] of [
    ["requests", isCode, code],
    ["answers", isStatus, fc.integer({ min: 1, max: 7 })],
  ] as const) {
    const stretch = fc.record({ noise: noiseFor(canBegin), frame: sealed(head) });

    it(`${name}: finds every frame, split anywhere, after any noise that cannot begin one`, () => {
      fc.assert(
        fc.property(fc.array(stretch, { maxLength: 6 }), noiseFor(canBegin), cuts, (stretches, tail, places) => {
          const sent = joined([...stretches.flatMap(({ noise, frame }) => [noise, frame]), tail]);
          const found = parse(canBegin, pieces(sent, places), false);
          expect(found.frames).toEqual(stretches.map(({ frame }) => frame));
          expect(joined(found.discarded)).toEqual(joined([...stretches.map(({ noise }) => noise), tail]));
          expect(joined(found.all)).toEqual(sent);
        }),
        { numRuns: 300 },
      );
    });

    it(`${name}: any bytes come out once each, in order, and only whole frames as frames`, () => {
      const any = fc
        .array(
          fc.oneof(
            fc.uint8Array({ maxLength: 60 }),
            fc.array(head).map((heads) => Uint8Array.from(heads)),
            sealed(u8),
          ),
        )
        .map(joined);
      fc.assert(
        fc.property(any, cuts, (sent, places) => {
          const found = parse(canBegin, pieces(sent, places));
          expect(joined(found.all)).toEqual(sent);
          for (const frame of found.frames) {
            expect(frameProblem(frame)).toBeUndefined();
            expect(canBegin(frame[0] ?? 0)).toBe(true);
          }
          for (const noise of found.discarded) expect(noise.length).toBeGreaterThan(0);
          expect(found.frames).toEqual(parse(canBegin, [sent]).frames);
        }),
        { numRuns: 500 },
      );
    });
  }
});
