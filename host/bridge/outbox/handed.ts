/** A message that a lane has handed out: it knows where it is, so that to forget it nobody has to look for it. */
import type { LanePart } from "./lane-part.ts";
import type { OutboxMessage } from "./outbox.ts";

export class Handed implements OutboxMessage {
  readonly module: string;
  readonly payload: Uint8Array;
  readonly #lane: object;
  readonly #part: LanePart;
  readonly #position: number;

  constructor({ module, payload }: OutboxMessage, lane: object, part: LanePart, position: number) {
    this.module = module;
    this.payload = payload;
    this.#lane = lane;
    this.#part = part;
    this.#position = position;
  }

  isOf(lane: object): boolean {
    return this.#lane === lane;
  }

  get part(): LanePart {
    return this.#part;
  }

  get position(): number {
    return this.#position;
  }
}
