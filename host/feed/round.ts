/** What a feed sends: rounds of values. */
import type { ChannelEntry } from "../../protocol/channel.ts";

/** Values that are sent together: one message, or several where there are more than 16. */
export interface FeedRound {
  readonly values: readonly ChannelEntry[];
  /**
   * When they were read, in ms from the feed's start: not sent sooner, and with an offset (§2) when later. Without it
   * they are taken for read when the feed asks for the round, at the pace of its `everyMs`.
   */
  readonly atMs?: number | undefined;
}

export type FeedSource = Iterable<FeedRound> | AsyncIterable<FeedRound>;
