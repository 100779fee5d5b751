/** What a firmware did that would not work, or not for long, on the real thing: told once each. */

export type NoteKind =
  // on the bus
  | "other-address"
  | "fast-clock"
  | "no-frame"
  | "surplus"
  | "nothing-asked"
  | "too-early"
  | "cut-short"
  | "not-selected"
  | "spi-mode"
  | "spi-order"
  | "spi-pins"
  | "spi-slave"
  | "baud"
  | "serial-format"
  | "serial-lost"
  | "line-error"
  | "noise"
  // in the CPU
  | "restart"
  | "clock-prescaler"
  // by its silence
  | "silent";

export interface Note {
  readonly kind: NoteKind;
  /** One line, for people. */
  readonly text: string;
  /** Simulated seconds since power-on. */
  readonly time: number;
}

/** Keeps the first note of each kind (of each address, for `other-address`), and hands it on. */
export class Notes {
  readonly all: Note[] = [];
  readonly #told = new Set<string>();
  readonly #seconds: () => number;
  readonly #onNote: (note: Note) => void;

  constructor(seconds: () => number, onNote: (note: Note) => void) {
    this.#seconds = seconds;
    this.#onNote = onNote;
  }

  tell(kind: NoteKind, text: string, key: string = kind): void {
    if (this.#told.has(key)) return;
    this.#told.add(key);
    const note = { kind, text, time: this.#seconds() };
    this.all.push(note);
    this.#onNote(note);
  }
}
