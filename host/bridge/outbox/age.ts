/**
 * How old a message is, on a machine whose clock may be wrong: a gateway without a battery starts in 1970 and learns the
 * time minutes later, and a clock that was ahead is set back. The rule:
 *
 * - A message of this run is as old as the monotonic clock says. Whatever is done to the wall's clock makes it neither
 *   older nor younger.
 * - A message of an earlier run was, when this run began, as old as the wall's clock says, if the time at which it was
 *   taken and the time at which this run began are both plausible (2020 or later) and in that order. Where they are not,
 *   nobody knows, and it counts as new: it stays too long rather than too short, at most `max_age` more for each run.
 *   From there on the monotonic clock counts.
 */
import { randomBytes } from "node:crypto";
import type { Clock } from "../../../protocol/bus.ts";

const PLAUSIBLE = Date.UTC(2020, 0, 1);

/** When something was taken. */
export interface Stamp {
  /** Unix ms, as the wall's clock had it. */
  readonly at: number;
  /** Names the run of the program. */
  readonly run: string;
  /** ms, monotonic within the run. */
  readonly mono: number;
}

export class Ages {
  readonly #clock: Clock;
  readonly #wall: () => number;
  readonly #run = randomBytes(8).toString("hex");
  readonly #begun: { readonly wall: number; readonly mono: number };

  /**
   * @param clock only goes forward
   * @param wall Unix ms as the system has it, which may jump
   */
  constructor(clock: Clock, wall: () => number) {
    this.#clock = clock;
    this.#wall = wall;
    this.#begun = { wall: wall(), mono: clock.now() };
  }

  stamp(): Stamp {
    return { at: this.#wall(), run: this.#run, mono: this.#clock.now() };
  }

  /** ms */
  of({ at, run, mono }: Stamp): number {
    const now = this.#clock.now();
    if (run === this.#run) return now - mono;
    const { wall } = this.#begun;
    const before = at >= PLAUSIBLE && wall >= at ? wall - at : 0;
    return before + now - this.#begun.mono;
  }

  /** When it was taken, Unix ms by what the wall's clock says now: right also for what came while the clock was wrong. */
  takenAt(stamp: Stamp): number {
    return Math.round(this.#wall() - this.of(stamp));
  }
}
