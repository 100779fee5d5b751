/** Messages that have been sent past the bridge, on their way into it: in order, kept while it refuses, bounded. */
import type { Clock, Uplink } from "../../../protocol/bus.ts";
import { isSakuraError, reasonOf } from "../../../protocol/errors.ts";
import type { ChannelsUplink } from "../../../protocol/message.ts";
import { pause } from "../../clock.ts";
import { Backoff, endsWithin } from "../backoff.ts";
import type { LinkNoteKind } from "../link.ts";

export interface TapPublisherOptions {
  readonly uplink: Uplink;
  readonly clock: Clock;
  readonly random?: (() => number) | undefined;
  readonly onNote: (note: LinkNoteKind, message: string) => void;
}

/** Messages that wait at most. The MCU has been told that they are sent, so one more is lost, and not refused. */
export const TAP_WAITING_MAX = 1_000;
const BACKOFF = { minMs: 500, maxMs: 5_000 };
/** How long a close waits for what is being taken. */
const FINISH_MS = 400;

export class TapPublisher {
  readonly #options: TapPublisherOptions;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  readonly #waiting: ChannelsUplink[] = [];
  #running: Promise<void> | undefined;
  #losing = false;
  #published = 0;
  #lost = 0;

  constructor(options: TapPublisherOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ ...BACKOFF, random: options.random });
  }

  get counts(): { readonly published: number; readonly waiting: number; readonly lost: number } {
    return { published: this.#published, waiting: this.#waiting.length, lost: this.#lost };
  }

  push(message: ChannelsUplink): void {
    if (this.#stop.signal.aborted || this.#waiting.length >= TAP_WAITING_MAX) {
      this.#lose(1, `${TAP_WAITING_MAX} messages wait for the bridge to take them, and what is sent now is lost`);
      return;
    }
    this.#waiting.push(message);
    this.#running ??= this.#run();
  }

  /** What is not with the bridge then is lost, and told. */
  async close(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    if (this.#running !== undefined) await endsWithin(this.#options.clock, FINISH_MS, this.#running);
    const left = this.#waiting.splice(0).length;
    this.#losing = false;
    if (left > 0) this.#lose(left, `the bridge stops before it has taken ${left} messages, which are lost`);
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#stop.signal.aborted) await this.#next();
    this.#running = undefined;
  }

  async #next(): Promise<void> {
    const { uplink, clock, onNote } = this.#options;
    const [message] = this.#waiting;
    if (!message) return;
    try {
      await uplink.take(message);
    } catch (error) {
      if (isHopeless(error)) {
        this.#waiting.shift();
        this.#losing = false;
        this.#lose(1, `the bridge will never take a message that was sent: ${reasonOf(error)}`);
        return;
      }
      if (this.#backoff.failures === 0) onNote("waiting", `what was sent waits to be published: ${reasonOf(error)}`);
      await pause(clock, this.#backoff.fail(), this.#stop.signal);
      return;
    }
    // A close may have taken it off already.
    if (this.#waiting[0] === message) this.#waiting.shift();
    this.#published++;
    this.#backoff.reset();
    this.#losing = false;
  }

  /** Told once until messages are taken again. */
  #lose(messages: number, words: string): void {
    this.#lost += messages;
    if (!this.#losing) this.#options.onNote("values-lost", words);
    this.#losing = true;
  }
}

/** What no waiting changes. */
function isHopeless(error: unknown): boolean {
  if (!isSakuraError(error, "REFUSED")) return false;
  const { reason } = error.context;
  return reason === "too-large";
}
