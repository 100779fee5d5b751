/** Finds frames in a stream of bytes, and says which bytes belonged to none. */
import { FRAME_OVERHEAD, parityOf } from "./frame.ts";

export type FrameParserEvent =
  | { readonly kind: "frame"; readonly frame: Uint8Array }
  /** Bytes that cannot be part of a frame: noise, or what a cut left over. */
  | { readonly kind: "discarded"; readonly bytes: Uint8Array };

/**
 * An incremental parser for a raw byte stream (a recording, a logic analyser's export, a bus without transactions).
 * At each place it takes the frame that begins there if its first byte can begin one and its parity is right, and
 * otherwise gives up one byte. A stream may end, or pause, within what looks like a frame: `flush()` then tries the
 * places after it.
 *
 * Every byte comes out once, in a frame or as discarded. Work is linear in the bytes: a place is tried once for each
 * flush, and a frame has at most 258 bytes.
 */
export class FrameParser {
  readonly #canBegin: (head: number) => boolean;
  readonly #emit: (event: FrameParserEvent) => void;
  #held: Uint8Array = new Uint8Array(0);

  /** @param canBegin which first bytes a frame may have: command codes, or statuses */
  constructor(canBegin: (head: number) => boolean, emit: (event: FrameParserEvent) => void) {
    this.#canBegin = canBegin;
    this.#emit = emit;
  }

  push(bytes: Uint8Array): void {
    const all = this.#held.length === 0 ? bytes : concat(this.#held, bytes);
    this.#held = this.#take(all, false);
  }

  /** No more bytes for now: what is held cannot become whole. */
  flush(): void {
    this.#held = this.#take(this.#held, true);
  }

  /** @returns the bytes that may still become a frame */
  #take(bytes: Uint8Array, ended: boolean): Uint8Array {
    let noiseFrom = 0;
    let at = 0;
    const discard = (to: number): void => {
      if (to > noiseFrom) this.#emit({ kind: "discarded", bytes: bytes.slice(noiseFrom, to) });
    };
    while (at < bytes.length) {
      if (!this.#canBegin(bytes[at] ?? 0)) {
        at++;
        continue;
      }
      const end = at + 1 < bytes.length ? at + (bytes[at + 1] ?? 0) + FRAME_OVERHEAD : Number.POSITIVE_INFINITY;
      if (end > bytes.length) {
        if (!ended) break;
        at++;
      } else if (parityOf(bytes, at, end) === 0) {
        discard(at);
        this.#emit({ kind: "frame", frame: bytes.slice(at, end) });
        at = end;
        noiseFrom = end;
      } else at++;
    }
    discard(at);
    return bytes.slice(at);
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
