/**
 * The keys of a terminal, each to whoever reads just now: the line that is edited, or a verb. What is typed while nobody
 * reads waits for the next line, so that lines may be typed ahead and pasted. Ctrl+C during a verb is the shell's.
 */
import { Readable } from "node:stream";

/** A terminal's input whose keys can be had one by one. */
export type KeySource = NodeJS.ReadableStream & { setRawMode(raw: boolean): unknown };

export function isKeySource(stream: NodeJS.ReadableStream): stream is KeySource {
  return "isTTY" in stream && stream.isTTY === true && "setRawMode" in stream;
}

const CTRL_C = 0x03;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const TAB = 0x09;
/** Of keys that wait. */
const HELD_MAX = 65_536;

/** What one reader sees: a terminal of its own, without what was typed for another. */
export class KeyStream extends Readable {
  readonly isTTY = true;
  readonly #setRaw: (raw: boolean) => void;

  constructor(setRaw: (raw: boolean) => void) {
    super({ read: () => undefined });
    this.#setRaw = setRaw;
  }

  setRawMode(raw: boolean): this {
    this.#setRaw(raw);
    return this;
  }
}

export class Keyboard {
  readonly #source: KeySource;
  readonly #onInterrupt: () => void;
  #held: Buffer = Buffer.alloc(0);
  #reader: { readonly stream: KeyStream; readonly kind: "line" | "verb" } | undefined;
  #ended = false;

  /** @param onInterrupt Ctrl+C while no line is edited */
  constructor(source: KeySource, onInterrupt: () => void) {
    this.#source = source;
    this.#onInterrupt = onInterrupt;
    source.setRawMode(true);
    source.on("data", this.#onData);
    source.on("end", this.#onEnd);
    source.on("error", this.#onEnd);
    source.resume();
  }

  /** For the editing of one line: gets the keys up to and with the next Enter. */
  forLine(): KeyStream {
    // An editor that is stopped (Ctrl+Z) gives the terminal back meanwhile; it ends when the next reader comes.
    const stream = new KeyStream((raw) => {
      if (this.#reader?.stream === stream) this.#source.setRawMode(raw);
    });
    this.#become(stream, "line");
    return stream;
  }

  /** For a verb that is to be interrupted from now on: gets what is typed for as long as it reads. */
  forVerb(): KeyStream {
    const stream = new KeyStream(() => undefined);
    this.#become(stream, "verb");
    this.#takeInterrupt();
    return stream;
  }

  /** Nobody reads any more: what is typed waits. */
  release(stream: KeyStream): void {
    if (this.#reader?.stream !== stream) return;
    this.#reader = undefined;
    this.#source.setRawMode(true);
  }

  /** Gives the terminal back as it was. */
  close(): void {
    this.#reader = undefined;
    this.#source.off("data", this.#onData);
    this.#source.off("end", this.#onEnd);
    this.#source.off("error", this.#onEnd);
    this.#source.setRawMode(false);
    this.#source.pause();
  }

  #become(stream: KeyStream, kind: "line" | "verb"): void {
    this.#reader = { stream, kind };
    // Its listeners come first.
    setImmediate(() => this.#give());
  }

  readonly #onData = (data: Buffer | string): void => {
    const keys = typeof data === "string" ? Buffer.from(data) : data;
    const interrupts = this.#reader?.kind !== "line" && keys.includes(CTRL_C);
    // Ctrl+C has its way, however much waits.
    if (interrupts) this.#held = keys;
    else if (this.#held.length < HELD_MAX) this.#held = Buffer.concat([this.#held, keys]);
    if (interrupts) this.#takeInterrupt();
    this.#give();
  };

  /** What was typed before Ctrl+C was for what is being stopped. */
  #takeInterrupt(): void {
    const at = this.#held.lastIndexOf(CTRL_C);
    if (at < 0) return;
    this.#held = this.#held.subarray(at + 1);
    this.#onInterrupt();
  }

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#give();
  };

  #give(): void {
    const { stream, kind } = this.#reader ?? {};
    if (stream === undefined) return;
    if (this.#held.length > 0 && (kind === "line" || stream.readableFlowing === true)) {
      const keys = kind === "line" ? this.#upToEnter() : this.#all();
      if (kind === "line" && keys.at(-1) === RETURN) this.#reader = undefined;
      for (const piece of kind === "line" ? aroundTabs(keys) : [keys]) stream.push(piece);
    }
    if (this.#ended && this.#held.length === 0) stream.push(null);
  }

  #upToEnter(): Buffer {
    const end = this.#held.findIndex((key) => key === RETURN || key === LINE_FEED);
    if (end < 0) return this.#all();
    const keys = Buffer.concat([this.#held.subarray(0, end), Uint8Array.of(RETURN)]);
    const pair = this.#held[end] === RETURN && this.#held[end + 1] === LINE_FEED;
    this.#held = this.#held.subarray(end + (pair ? 2 : 1));
    return keys;
  }

  #all(): Buffer {
    const keys = this.#held;
    this.#held = Buffer.alloc(0);
    return keys;
  }
}

/** Node's editor takes a Tab among other keys for one that was pasted, and completes nothing. */
function* aroundTabs(keys: Buffer): Generator<Buffer> {
  let from = 0;
  for (const [i, key] of keys.entries()) {
    if (key !== TAB) continue;
    if (i > from) yield keys.subarray(from, i);
    yield keys.subarray(i, i + 1);
    from = i + 1;
  }
  if (from < keys.length) yield keys.subarray(from);
}
