/** Rounds of made-up readings: one value for each wave. */
import { CHANNEL_MAX, type ChannelEntry, type ChannelType, valueProblem } from "../../protocol/channel.ts";
import { SakuraError } from "../../protocol/errors.ts";
import type { FeedRound } from "./round.ts";
import { asShown, dice, type Range, ramp, sine, walk } from "./waves.ts";

interface OnChannel extends Range {
  /** 0 to 127. */
  readonly channel: number;
  /** Eight bytes have no wave. An integer is the nearest to the wave. */
  readonly type: Exclude<ChannelType, "b">;
}

export type Wave =
  | (OnChannel & { readonly shape: "sine" | "ramp"; readonly periodMs: number })
  /** `step`: the most that it goes up or down in a round. */
  | (OnChannel & { readonly shape: "walk"; readonly step: number });

export interface WaveOptions {
  /** The time between two rounds that the waves go by, in ms: what the feed's `everyMs` is. */
  readonly everyMs: number;
  /** How many rounds; without end unless told. */
  readonly rounds?: number | undefined;
  /** Of the random walks; 1 unless told. */
  readonly seed?: number | undefined;
}

/**
 * One value for each wave a round, the same for the same options on every run. A wave goes by the rounds and not by the
 * clock: a module that is slow makes it slow.
 *
 * @throws SakuraError INVALID_ARGUMENT for no wave, a channel that is there twice, a range outside its type
 */
export function waveRounds(waves: readonly Wave[], options: WaveOptions): Generator<FeedRound, void> {
  checkWaves(waves);
  return rounds(waves, options);
}

function* rounds(
  waves: readonly Wave[],
  { everyMs, rounds: end = Number.POSITIVE_INFINITY, seed = 1 }: WaveOptions,
): Generator<FeedRound, void> {
  /** Where each random walk is. */
  const walks = new Map<Wave, number>();
  const valueAt = (wave: Wave, round: number): number => {
    if (wave.shape !== "walk") return (wave.shape === "sine" ? sine : ramp)(wave, round * everyMs);
    const before = walks.get(wave);
    const at = before === undefined ? (wave.min + wave.max) / 2 : walk(wave, before, dice(seed, wave.channel, round));
    walks.set(wave, at);
    return at;
  };
  for (let round = 0; round < end; round++) {
    yield { values: waves.map((wave) => entryOf(wave, valueAt(wave, round))) };
  }
}

function entryOf({ channel, type, min, max }: Wave, value: number): ChannelEntry {
  switch (type) {
    case "f":
    case "d":
      return { channel, type, value: asShown(value, { min, max }) };
    case "l":
    case "L":
      return { channel, type, value: BigInt(Math.round(value)) };
    default:
      return { channel, type, value: Math.round(value) + 0 };
  }
}

function checkWaves(waves: readonly Wave[]): void {
  if (waves.length === 0) throw new SakuraError("INVALID_ARGUMENT", "a feed needs one wave at least");
  const channels = new Set<number>();
  for (const wave of waves) {
    const problem = waveProblem(wave) ?? (channels.has(wave.channel) ? "it has a wave already" : undefined);
    if (problem !== undefined) {
      throw new SakuraError("INVALID_ARGUMENT", `the ${wave.shape} on channel ${wave.channel}: ${problem}`, {
        context: { channel: wave.channel, shape: wave.shape },
      });
    }
    channels.add(wave.channel);
  }
}

function waveProblem(wave: Wave): string | undefined {
  const { channel, min, max } = wave;
  if (!Number.isInteger(channel) || channel < 0 || channel > CHANNEL_MAX)
    return `a channel is an integer from 0 to ${CHANNEL_MAX}`;
  if (!(Number.isFinite(max - min) && min <= max))
    return `a range goes from the lesser to the greater, not ${min}..${max}`;
  if (wave.shape === "walk" ? !(wave.step >= 0) : !(wave.periodMs > 0))
    return wave.shape === "walk" ? "a step is 0 or more" : "a period is more than 0 ms";
  return valueProblem(entryOf(wave, min)) ?? valueProblem(entryOf(wave, max));
}
