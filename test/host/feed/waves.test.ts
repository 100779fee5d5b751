/** The feed's waves, against numbers worked out by hand. */
import { describe, expect, it } from "vitest";
import { type Wave, waveRounds } from "../../../host/feed/wave-rounds.ts";
import { parseWave } from "../../../host/feed/wave-text.ts";
import { asShown, dice, ramp, sine, walk } from "../../../host/feed/waves.ts";
import { failsWith } from "../../support/errors.ts";

const range = { min: 20, max: 30 };

describe("a wave", () => {
  it.each([
    [0, 25],
    [5_000, 27.5],
    [15_000, 30],
    [30_000, 25],
    [45_000, 20],
    [60_000, 25],
  ])("sine at %i ms of 60 s", (ms, value) => {
    expect(sine({ ...range, periodMs: 60_000 }, ms)).toBeCloseTo(value, 10);
  });

  it.each([
    [0, 20],
    [15_000, 22.5],
    [59_999, 29.99983],
    [60_000, 20],
    [75_000, 22.5],
  ])("ramp at %i ms of 60 s", (ms, value) => {
    expect(ramp({ ...range, periodMs: 60_000 }, ms)).toBeCloseTo(value, 4);
  });

  it.each([
    [25, 0.5, 25],
    [25, 1, 27],
    [25, 0, 23],
    // Thrown back at either end.
    [29, 1, 29],
    [21, 0, 21],
  ])("walk from %d with a roll of %d", (from, roll, to) => {
    expect(walk({ ...range, step: 2 }, from, roll)).toBe(to);
  });

  it("walk stays inside even where a step is longer than the range", () => {
    expect(walk({ min: 0, max: 1, step: 10 }, 0.5, 1)).toBe(0);
    expect(walk({ min: 0, max: 1, step: 10 }, 0.5, 0)).toBe(1);
  });

  it("rolls the same dice on every machine", () => {
    expect(dice(1, 2, 3)).toBe(DICE);
    expect(dice(2, 2, 3)).not.toBe(DICE);
  });

  it.each([
    [23.456789, 20, 30, 23.46],
    [0.123456, 0, 1, 0.123],
    [1234.5678, 0, 5000, 1235],
    [-0.0000001, -1, 1, 0],
    [7, 7, 7, 7],
  ])("%d between %d and %d is shown as %d", (value, min, max, shown) => {
    expect(asShown(value, { min, max })).toBe(shown);
  });
});

/** sha256 of "1 2 3" begins with the bytes 7c8f5059: little-endian, over 2^32. */
const DICE = 0.3488855054602027;

describe("rounds of waves", () => {
  const take = (waves: readonly Wave[], rounds: number, seed?: number) =>
    [...waveRounds(waves, { everyMs: 1000, rounds, seed })].map(({ values }) => values);

  it("have a value of each wave, of its type", () => {
    const waves = [
      parseWave("sine", "1:f=20..30/4s"),
      parseWave("ramp", "0:I=0..8/4s"),
      parseWave("ramp", "2:l=-4000000000..4000000000/4s"),
    ];
    expect(take(waves, 3)).toEqual([
      [
        { channel: 1, type: "f", value: 25 },
        { channel: 0, type: "I", value: 0 },
        { channel: 2, type: "l", value: -4000000000n },
      ],
      [
        { channel: 1, type: "f", value: 30 },
        { channel: 0, type: "I", value: 2 },
        { channel: 2, type: "l", value: -2000000000n },
      ],
      [
        { channel: 1, type: "f", value: 25 },
        { channel: 0, type: "I", value: 4 },
        { channel: 2, type: "l", value: 0n },
      ],
    ]);
  });

  it("walk the same way for the same seed", () => {
    const waves = [parseWave("walk", "2:d=0..100/5")];
    expect(take(waves, 50, 7)).toEqual(take(waves, 50, 7));
    expect(take(waves, 50, 7)).not.toEqual(take(waves, 50, 8));
    expect(take(waves, 1, 7)).toEqual([[{ channel: 2, type: "d", value: 50 }]]);
  });

  it.each([
    [[]],
    [[parseWave("sine", "1"), parseWave("ramp", "1")]],
    [[parseWave("sine", "1:I=-1..5")]],
    [[parseWave("ramp", "1:i=5..1")]],
    [[parseWave("ramp", "1:i=0..5/0s")]],
    [[parseWave("ramp", "128")]],
    [[parseWave("ramp", "1:l=0..9223372036854775807")]],
  ])("are refused: %j", async (waves) => {
    await failsWith("INVALID_ARGUMENT", (async () => waveRounds(waves, { everyMs: 1000 }))());
  });
});

describe("a wave's text", () => {
  it.each([
    ["sine", "", { shape: "sine", channel: 1, type: "f", min: 20, max: 30, periodMs: 60_000 }],
    ["sine", "7", { shape: "sine", channel: 7, type: "f", min: 20, max: 30, periodMs: 60_000 }],
    ["sine", "7/5m", { shape: "sine", channel: 7, type: "f", min: 20, max: 30, periodMs: 300_000 }],
    ["ramp", "3:I", { shape: "ramp", channel: 3, type: "I", min: 0, max: 100, periodMs: 60_000 }],
    ["ramp", "3:d=-1.5..+1e3/500ms", { shape: "ramp", channel: 3, type: "d", min: -1.5, max: 1000, periodMs: 500 }],
    ["walk", "", { shape: "walk", channel: 2, type: "f", min: 0, max: 100, step: 5 }],
    ["walk", "2:i=0..40", { shape: "walk", channel: 2, type: "i", min: 0, max: 40, step: 2 }],
    ["walk", "2:i=0..40/0.5", { shape: "walk", channel: 2, type: "i", min: 0, max: 40, step: 0.5 }],
  ] as const)("%s %s", (shape, text, wave) => {
    expect(parseWave(shape, text)).toEqual(wave);
  });

  it.each([
    ["sine", "x"],
    ["sine", "1:b"],
    ["sine", "1:q=1..2"],
    ["sine", "1:f=20"],
    ["sine", "1:f=20..30/60"],
    ["sine", "1:f=20..30/60d"],
    ["walk", "1:f=20..30/5s"],
  ] as const)("%s %s is refused with an example", async (shape, text) => {
    const error = await failsWith("INVALID_ARGUMENT", (async () => parseWave(shape, text))());
    expect(error.message).toMatch(/looks like \d:f=/);
  });
});
