/** Echoes that are told apart from every answer, and from each other. */
import { encodeRequest, FRAME_OVERHEAD, frameProblem } from "../../protocol/frame.ts";
import { statuses } from "../../protocol/status.ts";

const MARK_SIZE = 6;
const SIZE = MARK_SIZE + 4;
/** Bytes of the mark that are right in no answer but an echo's. */
const MARK_ALIKE = 4;

export class Pings {
  /** The mark of this opening of the port, then the ping's number. */
  readonly #payload = new Uint8Array(SIZE);
  readonly #view = new DataView(this.#payload.buffer);
  #sent = 0;

  /** @param openedAt Unix ms with a fraction: no other opening of the port has the same */
  constructor(openedAt: number) {
    const time = new DataView(new ArrayBuffer(8));
    time.setFloat64(0, openedAt);
    // The sign and most of the exponent are the same for centuries.
    this.#payload.set(new Uint8Array(time.buffer, 8 - MARK_SIZE));
  }

  /** The next request. */
  next(): Uint8Array {
    this.#sent++;
    this.#view.setUint32(MARK_SIZE, this.#sent, true);
    return encodeRequest("ECHO_BACK", this.#payload);
  }

  /** The number of the last one. */
  get sent(): number {
    return this.#sent;
  }

  /**
   * The number of the request that this frame answers; nothing for any other answer. `damaged` for one that is not
   * what was sent, also where the parity does not show it because the same bit of two bytes has changed.
   */
  numberOf(answer: Uint8Array): number | "damaged" | undefined {
    if (answer.length !== SIZE + FRAME_OVERHEAD || this.#sent === 0) return undefined;
    if (answer[0] !== statuses.values.NONE || answer[1] !== SIZE) return undefined;
    let alike = 0;
    for (let i = 0; i < MARK_SIZE; i++) if (answer[2 + i] === this.#payload[i]) alike++;
    if (alike < MARK_ALIKE) return undefined;
    const number = new DataView(answer.buffer, answer.byteOffset).getUint32(2 + MARK_SIZE, true);
    const whole = alike === MARK_SIZE && frameProblem(answer) === undefined;
    return whole && number >= 1 && number <= this.#sent ? number : "damaged";
  }
}
