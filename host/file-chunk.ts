/** How many bytes of a file to ask for at once: as many as can be, and on a bad line so many that most of them arrive. */

/** `AT*CMD=`, four bytes, LF; and `*CMD:`, three bytes, CR LF: what a part costs beside its own digits (§3). */
const CHARACTERS_AROUND = 16 + 13;
/** Fewer are not worth a request of their own. */
const BYTES_MIN = 8;
/** What counts of a part when the next one has been seen. */
const MEMORY = 0.95;
/** As if so many characters had arrived well before the first. */
const CHARACTERS_BEFORE = 1000;

/**
 * Where one character in c is damaged, n bytes (2 n characters) arrive with a chance of about e^(-2n/c), and n times
 * that is most at n = c/2.
 */
export class ChunkSize {
  readonly #max: number;
  #failures = 0;
  #characters = CHARACTERS_BEFORE;

  /** @param max 1 to 255 */
  constructor(max: number) {
    this.#max = max;
  }

  arrived(bytes: number): void {
    this.#count(0, CHARACTERS_AROUND + 2 * bytes);
  }

  /** A part of so many bytes was asked for and did not arrive. */
  failed(bytes: number): void {
    // The damage lies anywhere in it.
    this.#count(1, (CHARACTERS_AROUND + 2 * bytes) / 2);
  }

  /** @param share of the best size: less of it arrives more surely */
  bytes(share = 1): number {
    if (this.#failures === 0) return this.#max;
    const best = (share * this.#characters) / (2 * this.#failures);
    return Math.min(this.#max, Math.max(BYTES_MIN, Math.floor(best)));
  }

  #count(failures: number, characters: number): void {
    this.#failures = this.#failures * MEMORY + failures;
    this.#characters = this.#characters * MEMORY + characters;
  }
}
