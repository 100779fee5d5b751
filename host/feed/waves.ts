/** Made-up readings: waves as pure functions of the time, or of the reading before and a roll of the dice. */
import { createHash } from "node:crypto";

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** From the middle up to `max`, down to `min` and back to the middle, in a period. */
export function sine({ min, max, periodMs }: Range & { readonly periodMs: number }, elapsedMs: number): number {
  return (min + max) / 2 + ((max - min) / 2) * Math.sin((2 * Math.PI * elapsedMs) / periodMs);
}

/** From `min` up towards `max` in a period, and then from `min` again. */
export function ramp({ min, max, periodMs }: Range & { readonly periodMs: number }, elapsedMs: number): number {
  return min + ((max - min) * (elapsedMs % periodMs)) / periodMs;
}

/**
 * The step of a random walk after `from`: up to `step` up or down, thrown back at the range's ends.
 * @param roll 0 to 1
 */
export function walk({ min, max, step }: Range & { readonly step: number }, from: number, roll: number): number {
  const to = from + (2 * roll - 1) * step;
  if (to > max) return Math.max(min, 2 * max - to);
  if (to < min) return Math.min(max, 2 * min - to);
  return to;
}

/** A roll of the dice, 0 to 1: the same for the same seed, channel and round, on every machine. */
export function dice(seed: number, channel: number, round: number): number {
  return createHash("sha256").update(`${seed} ${channel} ${round}`).digest().readUInt32LE(0) / 0x1_0000_0000;
}

/** As a sensor of that range would show it: with four digits or so, and no -0. */
export function asShown(value: number, { min, max }: Range): number {
  const span = max - min;
  if (span <= 0) return value;
  const decimals = Math.min(20, Math.max(0, 3 - Math.floor(Math.log10(span))));
  return Number(value.toFixed(decimals)) + 0;
}
