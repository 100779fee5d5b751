/** The demo's MCU: what its firmware would send, for the feed to send. */
import type { FeedRound } from "../../feed/round.ts";

/** A counter and a temperature each round, without end. */
export function* mcuRounds(): Generator<FeedRound, void> {
  for (let round = 1; ; round++) {
    yield {
      values: [
        { channel: 0, type: "i", value: round },
        { channel: 1, type: "f", value: Math.round(200 + 50 * Math.sin(round / 5)) / 10 },
      ],
    };
  }
}
