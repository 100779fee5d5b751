/** What a tap makes of the bytes that pass: messages for the bridge, counts, notes. Outlives a lost line. */
import type { Clock, Uplink } from "../../../protocol/bus.ts";
import { reasonOf } from "../../../protocol/errors.ts";
import { statuses } from "../../../protocol/status.ts";
import type { LinkNote, LinkNoteKind } from "../link.ts";
import { TapDecoder, type TapEvent } from "./tap-decoder.ts";
import type { TapSide, TapWatcher } from "./tap-pipe.ts";
import { TapPublisher } from "./tap-publisher.ts";
import { TapQueue } from "./tap-queue.ts";

export interface TapSessionOptions {
  readonly module: string;
  readonly uplink: Uplink;
  readonly clock: Clock;
  readonly random?: (() => number) | undefined;
  readonly note: (note: LinkNote) => void;
}

export class TapSession implements TapWatcher {
  readonly #options: TapSessionOptions;
  readonly #decoder = new TapDecoder((event) => this.#happened(event));
  readonly #queue: TapQueue;
  readonly #publisher: TapPublisher;
  readonly #counts = {
    requests: 0,
    answers: 0,
    refusals: 0,
    unanswered: 0,
    /** Answers that belong to no request. */
    stray_answers: 0,
    noise_bytes_mcu: 0,
    noise_bytes_module: 0,
    dropped_bytes_mcu: 0,
    dropped_bytes_module: 0,
    decoder_failures: 0,
  };
  /** What has been told and need not be told again before it is over. */
  readonly #told = new Set<LinkNoteKind>();

  constructor(options: TapSessionOptions) {
    const { module, uplink, clock, random } = options;
    this.#options = options;
    const onNote = (note: LinkNoteKind, message: string): void => this.#note(note, message);
    this.#publisher = new TapPublisher({ uplink, clock, random, onNote });
    this.#queue = new TapQueue({
      onMessage: (channels) => this.#publisher.push({ module, type: "channels", payload: { channels } }),
      onNote,
    });
  }

  counts(): Readonly<Record<string, number>> {
    const { published, waiting, lost } = this.#publisher.counts;
    return { ...this.#counts, queued: this.#queue.length, published, waiting, lost };
  }

  passed(from: TapSide, bytes: Uint8Array): void {
    this.#decoder.push(from, bytes, this.#options.clock.now());
  }

  dropped(from: TapSide, bytes: number): void {
    this.#counts[from === "mcu" ? "dropped_bytes_mcu" : "dropped_bytes_module"] += bytes;
    if (from === "module" || this.#told.has("bytes-dropped")) return;
    this.#told.add("bytes-dropped");
    this.#note("bytes-dropped", "the module does not take what its MCU sends, and bytes are lost: check its line");
  }

  mcuChanged(): void {
    this.#decoder.reset();
  }

  /** A line has been opened again. */
  lineChanged(): void {
    this.#decoder.reset();
    this.#told.clear();
  }

  failed(error: unknown): void {
    this.#counts.decoder_failures++;
    this.#decoder.reset();
    if (this.#told.has("decoder-failed")) return;
    this.#told.add("decoder-failed");
    this.#note("decoder-failed", `what passes could not be read, a fault of this program: ${reasonOf(error)}`);
  }

  close(): Promise<void> {
    return this.#publisher.close();
  }

  #happened(event: TapEvent): void {
    const counts = this.#counts;
    switch (event.kind) {
      case "request":
        counts.requests++;
        return;
      case "unanswered":
        counts.unanswered++;
        return this.#queue.unanswered(event.request);
      case "noise":
        counts[event.from === "mcu" ? "noise_bytes_mcu" : "noise_bytes_module"] += event.bytes;
        return;
      case "answer":
        counts.answers++;
        if (event.frame[0] !== statuses.values.NONE) counts.refusals++;
        if (event.to) this.#queue.answered(event.to, event.frame);
        else counts.stray_answers++;
    }
  }

  #note(note: LinkNoteKind, message: string): void {
    this.#options.note({ note, message: `module ${this.#options.module}: ${message}` });
  }
}
