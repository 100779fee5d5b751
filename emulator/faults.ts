/** Faults with a seed: flipped bits, dropped bytes, BUSY answers and late ones, the same again on every run. */
import { z } from "zod";
import { SakuraError } from "../protocol/errors.ts";

const probability = z.coerce.number().min(0).max(1);
const specSchema = z.strictObject({
  /** The probability for each byte, either way, that one of its bits is flipped. */
  flip: probability.default(0),
  /** The probability for each byte, either way, that it is lost. */
  drop: probability.default(0),
  /** The probability for each command that it is answered BUSY and not carried out. */
  busy: probability.default(0),
  /** Every answer comes this much later, in ms. */
  delay: z.coerce.number().min(0).max(60_000).default(0),
  /** What the dice start from. */
  seed: z.coerce.number().int().min(0).max(0xffff_ffff).default(1),
});

export type FaultSpec = z.infer<typeof specSchema>;

export const noFaults: FaultSpec = specSchema.parse({});

/**
 * Reads `flip=P,drop=P,busy=P,delay=MS,seed=N`, in any order, each optional; the empty text is no faults.
 * @throws SakuraError INVALID_ARGUMENT naming the part
 */
export function parseFaults(spec: string): FaultSpec {
  const fields = new Map<string, string>();
  for (const part of spec.split(",").map((text) => text.trim())) {
    if (part === "") continue;
    const [key = "", ...values] = part.split("=").map((text) => text.trim());
    const value = values.join("=");
    if (fields.has(key)) throw notFaults(spec, `${key} is there twice`);
    // An empty value would coerce to 0.
    fields.set(key, value === "" ? "?" : value);
  }
  const result = specSchema.safeParse(Object.fromEntries(fields));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw notFaults(
    spec,
    issue?.path.length ? `${issue.path.join(".")}: ${issue.message}` : (issue?.message ?? "not understood"),
  );
}

function notFaults(spec: string, what: string): SakuraError {
  return new SakuraError(
    "INVALID_ARGUMENT",
    `faults are flip=P,drop=P,busy=P,delay=MS,seed=N with P from 0 to 1, such as flip=0.005,seed=7; in "${spec}": ${what}`,
    { context: { spec } },
  );
}

/** The dice and what they decide. */
export class Faults {
  readonly spec: FaultSpec;
  readonly #random: () => number;

  constructor(spec: FaultSpec = noFaults) {
    this.spec = spec;
    this.#random = mulberry32(spec.seed);
  }

  /** The bytes as they come out of a bad line: the same array where nothing happened. */
  damage(bytes: Uint8Array): Uint8Array {
    const { flip, drop } = this.spec;
    if (flip === 0 && drop === 0) return bytes;
    const damaged: number[] = [];
    for (const byte of bytes) {
      if (this.#random() < drop) continue;
      damaged.push(this.#random() < flip ? byte ^ (1 << Math.floor(this.#random() * 8)) : byte);
    }
    return Uint8Array.from(damaged);
  }

  /** Whether the next command meets a busy module. */
  busy(): boolean {
    return this.spec.busy > 0 && this.#random() < this.spec.busy;
  }
}

/** A small generator whose whole state is its seed; good enough for dice, and the same everywhere. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
