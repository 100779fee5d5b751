/** One CONNECT a second for each client id at an endpoint, whoever makes it: AWS throttles more (aws-iot §3). */
import type { Clock } from "../../../protocol/bus.ts";
import { monotonicMs, pause } from "../../clock.ts";

/** A second and a little: what the network delays the first by brings the next closer. */
const BETWEEN_MS = 1_100;
/** A wall's clock that is set back must not make anybody wait for longer. */
const WAIT_MAX_MS = 10_000;

/** One for a whole bridge: an edited service is another object with the same client id. */
export class ConnectPacer {
  readonly #clock: Clock;
  /** When the last CONNECT went, or the last that was promised will. */
  readonly #last = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when a CONNECT may be sent, which then must be at once; or early, when the signal is aborted. */
  async turn(endpoint: string, clientId: string, signal: AbortSignal): Promise<void> {
    const key = `${endpoint} ${clientId}`;
    const now = monotonicMs(this.#clock);
    for (const [other, at] of this.#last) if (now - at >= BETWEEN_MS) this.#last.delete(other);
    const last = this.#last.get(key);
    const wait = last === undefined ? 0 : Math.min(Math.max(0, last + BETWEEN_MS - now), WAIT_MAX_MS);
    this.#last.set(key, now + wait);
    if (wait > 0) await pause(this.#clock, wait, signal);
  }
}
