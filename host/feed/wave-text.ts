/** A wave as the command line takes it: `1:f=20..30/60s`, whose parts may be left out from the right. */
import { isChannelType } from "../../protocol/channel.ts";
import { SakuraError } from "../../protocol/errors.ts";
import type { Wave } from "./wave-rounds.ts";

/** What each shape is when nothing is said of it: on three channels, so that all of them go together. */
export const defaultWaves = {
  sine: { shape: "sine", channel: 1, type: "f", min: 20, max: 30, periodMs: 60_000 },
  ramp: { shape: "ramp", channel: 0, type: "i", min: 0, max: 100, periodMs: 60_000 },
  walk: { shape: "walk", channel: 2, type: "f", min: 0, max: 100, step: 5 },
} as const satisfies { readonly [S in Wave["shape"]]: Wave };

/** Of a walk's range, the step that nobody named. */
const STEP_PART = 20;

const NUMBER = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?`;
const WAVE = new RegExp(
  String.raw`^(\d{1,3})(?::([^=/]*))?(?:=(${NUMBER})\.\.(${NUMBER}))?(?:/(\d+(?:\.\d+)?)(ms|s|m|h)?)?$`,
  "i",
);
const UNITS: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Reads `CH:TYPE=MIN..MAX/PERIOD` for a sine or a ramp, `CH:TYPE=MIN..MAX/STEP` for a walk. The empty text is the default.
 * @throws SakuraError INVALID_ARGUMENT with an example
 */
export function parseWave(shape: Wave["shape"], text: string): Wave {
  const usual = defaultWaves[shape];
  if (text === "") return usual;
  const match = WAVE.exec(text);
  if (!match) throw notWave(shape, text, "not understood");
  const [, channel = "", type = usual.type, low, high, tail, unit] = match;
  if (!isChannelType(type) || type === "b") throw notWave(shape, text, "the types of a wave are i I l L f d");
  const min = low === undefined ? usual.min : Number(low);
  const max = high === undefined ? usual.max : Number(high);
  const on = { channel: Number(channel), type, min, max };
  if (usual.shape === "walk") {
    if (unit !== undefined) throw notWave(shape, text, "what follows the / is a walk's greatest step, without a unit");
    const step = tail !== undefined ? Number(tail) : low === undefined ? usual.step : (max - min) / STEP_PART;
    return { ...on, shape: usual.shape, step };
  }
  if (tail !== undefined && unit === undefined) throw notWave(shape, text, "a period has a unit: ms, s, m or h");
  const periodMs = tail === undefined ? usual.periodMs : Number(tail) * (UNITS[(unit ?? "").toLowerCase()] ?? 1);
  return { ...on, shape: usual.shape, periodMs };
}

function notWave(shape: Wave["shape"], text: string, problem: string): SakuraError {
  const example = shape === "walk" ? "2:f=0..100/5" : "1:f=20..30/60s";
  return new SakuraError("INVALID_ARGUMENT", `"${text}": ${problem}; a ${shape} looks like ${example}`, {
    context: { argument: text },
  });
}
