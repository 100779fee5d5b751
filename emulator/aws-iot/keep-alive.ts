/** Ends a connection that has gone silent (aws-iot.md §3; MQTT 3.1.1 §3.1.2.10). */
import type { Clock } from "../../protocol/bus.ts";
import type { Objection } from "./rules.ts";
import type { Timers } from "./timers.ts";

/** What AWS makes of other keep-alive periods, in seconds. 0, which asks for none, gets the longest. */
const KEEP_ALIVE_MIN = 30;
const KEEP_ALIVE_MAX = 1_200;

export class KeepAlive {
  readonly #clock: Clock;
  #lastHeard: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastHeard = clock.now();
  }

  /** A packet has come. */
  heard(): void {
    this.#lastHeard = this.#clock.now();
  }

  /**
   * Watches from now on.
   * @param seconds as the CONNECT has them
   * @param onSilence called once, after one and a half periods without a packet
   */
  watch(seconds: number, timers: Timers, onSilence: (why: Objection) => void): void {
    const patience = Math.min(Math.max(seconds || KEEP_ALIVE_MAX, KEEP_ALIVE_MIN), KEEP_ALIVE_MAX) * 1_500;
    const check = (): void => {
      const silence = this.#clock.now() - this.#lastHeard;
      if (silence < patience) {
        timers.after(patience - silence, check);
        return;
      }
      const message = `nothing for ${silence / 1_000} s; the limit is ${patience / 1_000} s`;
      onSilence({ reason: "keep-alive", message });
    };
    timers.after(patience, check);
  }
}
