/**
 * What happened to a client id before. One close without a word has many causes, and AWS says none of them; the same
 * close again and again has fewer (aws-iot §3).
 */
import type { Phase } from "./failure.ts";

/** How a connection ended, as far as it matters here. */
export interface Ended {
  readonly phase: Phase;
  /** The other side closed it, without a word. */
  readonly silently: boolean;
  /** ms; 0 when it never was. */
  readonly onlineMs: number;
  /** What was published just before, and not acknowledged. */
  readonly afterPublish: boolean;
}

/** How many times in a row, this one counted. */
export interface Repeats {
  /** Closed at the CONNECT. */
  readonly atConnect: number;
  /** Closed right after a publish. */
  readonly afterPublish: number;
  /** Closed soon after it was online, with nothing published just before. */
  readonly soon: number;
}

/** What was online for longer ended for another reason than the last time. */
const SOON_MS = 60_000;
const NONE: Repeats = { atConnect: 0, afterPublish: 0, soon: 0 };

export class FailureHistory {
  #repeats = NONE;

  note(ended: Ended): Repeats {
    this.#repeats = this.#next(ended);
    return this.#repeats;
  }

  #next({ phase, silently, onlineMs, afterPublish }: Ended): Repeats {
    const before = this.#repeats;
    switch (phase) {
      case "resolve":
      case "connect":
        // The endpoint itself was away, which explains the closes before.
        return NONE;
      case "online": {
        if (!silently) return NONE;
        const isSoon = onlineMs < SOON_MS;
        if (afterPublish) return { ...NONE, afterPublish: isSoon ? before.afterPublish + 1 : 1 };
        return { ...NONE, soon: isSoon ? before.soon + 1 : 0 };
      }
      default:
        return { ...before, atConnect: phase === "connack" && silently ? before.atConnect + 1 : 0 };
    }
  }
}
