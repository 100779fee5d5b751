/** What the buses carry frames to and from: an emulated module, or a recorded one. */
import type { Clock } from "../protocol/bus.ts";
import type { Faults } from "./faults.ts";

/** An answer, and how long it takes. */
export interface TimedAnswer {
  readonly frame: Uint8Array;
  /** In ms, on a UART. On I2C and SPI it is the master that decides when an answer is read. */
  readonly afterMs: number;
  /** On a UART the `OK` behind it does not come. */
  readonly withoutOk?: boolean | undefined;
}

/** On a UART, bytes that are no answer: noise, or an answer that was damaged. */
export interface TimedNoise {
  readonly noise: Uint8Array;
  /** In ms. */
  readonly afterMs: number;
}

export interface FrameAnswerer {
  readonly clock: Clock;
  /** The dice of its bad line, which the buses throw for every byte. */
  readonly faults: Pick<Faults, "spec" | "damage">;
  /** Whether it answers nothing at all, on any bus. */
  readonly silent: boolean;
  /** Takes one request: its answer; none for silence; several where a late one of an earlier request, or noise, comes with it. */
  answersTo(request: Uint8Array): readonly (TimedAnswer | TimedNoise)[];
}

export function isAnswer(timed: TimedAnswer | TimedNoise): timed is TimedAnswer {
  return "frame" in timed;
}

/** What a bus without lines carries of it: noise is a UART's. */
export function firstFrame(timed: readonly (TimedAnswer | TimedNoise)[]): Uint8Array | undefined {
  return timed.find(isAnswer)?.frame;
}
