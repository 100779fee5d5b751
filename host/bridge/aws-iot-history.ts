/**
 * What happened to a client id before. One close without a word has many causes, and AWS says none of them; the same
 * close again and again has fewer (aws-iot §3).
 */
import type { Phase } from "./aws-iot-failure.ts";

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

/** Another client that is thrown out itself comes back within seconds, or within a minute when it is patient. */
const SOON_MS = 60_000;

export class FailureHistory {
  #repeats: Repeats = { atConnect: 0, afterPublish: 0, soon: 0 };

  note({ phase, silently, onlineMs, afterPublish }: Ended): Repeats {
    const { atConnect, afterPublish: published, soon } = this.#repeats;
    const closedOnline = phase === "online" && silently;
    this.#repeats = {
      atConnect: phase === "connack" && silently ? atConnect + 1 : 0,
      // A try that did not get that far tells nothing of what happens online.
      afterPublish: phase !== "online" ? published : closedOnline && afterPublish ? published + 1 : 0,
      soon: phase !== "online" ? soon : closedOnline && !afterPublish && onlineMs < SOON_MS ? soon + 1 : 0,
    };
    return this.#repeats;
  }
}
