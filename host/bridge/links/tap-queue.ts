/**
 * The TX queue of a tapped module, as its answers tell it, and the messages that it sends.
 *
 * - What the module has not answered with 01 has not happened. So a value whose TX_ENQUEUE is repeated because the answer
 *   was lost is published once; and a queue whose TX_SEND had no answer goes with the next one that has.
 * - TX_LENGTH says when that was wrong: values that the module does not hold any more have been sent, if a TX_SEND was
 *   without an answer; otherwise they are gone, and who runs the bridge is told.
 * - SOFTWARE_RESET and TX_CLEAR empty it.
 */
import { type ChannelEntry, MESSAGE_CHANNELS_MAX } from "../../../protocol/channel.ts";
import { commandByCode } from "../../../protocol/commands.ts";
import { formatDateTime } from "../../../protocol/datetime.ts";
import { isSakuraError } from "../../../protocol/errors.ts";
import { decodeResponse } from "../../../protocol/frame.ts";
import type { TimedChannel } from "../../../protocol/message.ts";
import { statuses } from "../../../protocol/status.ts";
import type { LinkNoteKind } from "../link.ts";
import type { TapRequest } from "./tap-decoder.ts";

export interface TapQueueEvents {
  /** One message's channels, 1 to 16 (§7). */
  readonly onMessage: (channels: readonly TimedChannel[]) => void;
  readonly onNote: (note: LinkNoteKind, message: string) => void;
}

interface Queued {
  readonly number: number;
  readonly channel: TimedChannel;
}

/** No module's queue is longer (§2: its length is one byte). */
const QUEUE_MAX = 255;

export class TapQueue {
  readonly #events: TapQueueEvents;
  /** In the order of their requests. */
  #queue: Queued[] = [];
  /** Numbers of requests: the last TX_SEND with a good answer, and the last one without. */
  #sent = 0;
  #perhapsSent = 0;

  constructor(events: TapQueueEvents) {
    this.#events = events;
  }

  get length(): number {
    return this.#queue.length;
  }

  unanswered({ decoded, number }: TapRequest): void {
    if (decoded.ok && decoded.name === "TX_SEND") this.#perhapsSent = number;
  }

  /** @param answer a whole frame */
  answered(request: TapRequest, answer: Uint8Array): void {
    if (answer[0] !== statuses.values.NONE) return;
    const { decoded, number, at } = request;
    if (!decoded.ok) return this.#notUnderstood(request);
    switch (decoded.name) {
      case "TX_ENQUEUE": {
        const { offset, ...entry } = decoded.request;
        return this.#enqueued({ number, channel: timed(entry, at, offset) });
      }
      case "TX_SENDIMMED": {
        const { channels, offset } = decoded.request;
        return this.#events.onMessage(channels.map((entry) => timed(entry, at, offset)));
      }
      case "TX_SEND":
        this.#sent = number;
        return this.#send(this.#takeBefore(number));
      case "TX_CLEAR":
      case "SOFTWARE_RESET":
        this.#takeBefore(number);
        return;
      case "TX_LENGTH":
        return this.#compare(number, answer);
      default:
        return;
    }
  }

  #enqueued(queued: Queued): void {
    // Its answer came late, behind that of the TX_SEND that took it.
    if (queued.number < this.#sent) return this.#send([queued]);
    const later = this.#queue.findIndex(({ number }) => number > queued.number);
    this.#queue.splice(later < 0 ? this.#queue.length : later, 0, queued);
    if (this.#queue.length > QUEUE_MAX) this.#leave(MESSAGE_CHANNELS_MAX);
  }

  /** The module's own count of what it holds. */
  #compare(number: number, answer: Uint8Array): void {
    const held = this.#queue.filter((queued) => queued.number < number).length;
    try {
      const { queued } = decodeResponse("TX_LENGTH", answer);
      if (queued < held) this.#leave(held - queued);
    } catch (error) {
      if (!isSakuraError(error)) throw error;
    }
  }

  /** The oldest are not in the module any more, and it was not seen why. */
  #leave(count: number): void {
    const gone = this.#queue.splice(0, count);
    this.#send(gone.filter(({ number }) => number < this.#perhapsSent));
    const lost = gone.filter(({ number }) => number > this.#perhapsSent).length;
    if (lost === 0) return;
    this.#events.onNote(
      "values-gone",
      `${lost} values left the module's TX queue without having been seen to be sent, and are not published: was it reset?`,
    );
  }

  #takeBefore(number: number): Queued[] {
    const taken = this.#queue.filter((queued) => queued.number < number);
    this.#queue = this.#queue.filter((queued) => queued.number > number);
    return taken;
  }

  #send(queued: readonly Queued[]): void {
    for (let at = 0; at < queued.length; at += MESSAGE_CHANNELS_MAX) {
      this.#events.onMessage(queued.slice(at, at + MESSAGE_CHANNELS_MAX).map(({ channel }) => channel));
    }
  }

  #notUnderstood({ frame }: TapRequest): void {
    const name = commandByCode(frame[0] ?? 0);
    if (name !== "TX_ENQUEUE" && name !== "TX_SENDIMMED") return;
    this.#events.onNote(
      "not-understood",
      `the module took a ${name} that this program cannot read; it is not published`,
    );
  }
}

/** A channel's time is taken when it is enqueued, not when it is sent (§7). */
function timed(entry: ChannelEntry, at: number, offset: bigint | undefined): TimedChannel {
  return { ...entry, datetime: formatDateTime(at + Number(offset ?? 0n)) };
}
