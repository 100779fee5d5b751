/**
 * Messages on which the connection broke while they alone were in flight. Each is tried again while messages of other
 * modules go on in between, which shows whether it is the message or the connection; those of its own module wait behind
 * it, so that they keep their order.
 */
import type { Delivery } from "./connection.ts";

/** So many breaks, and others were acknowledged since the first: it is the message. */
const STRIKES_PROVEN = 3;
/**
 * So many without that, where at least something went through earlier: one message alone. While nothing goes through at
 * all it may be the policy for all of them, and then waiting is right.
 */
const STRIKES_UNPROVEN = 10;
/** Messages that wait behind others here. */
const HELD_MAX = 1_000;

interface Case {
  readonly head: Delivery;
  readonly behind: Delivery[];
  strikes: number;
  /** It is with a connection, or on its way to the dead letters. */
  away: boolean;
  /** What the service had taken at the first strike, and at the last. */
  readonly takenAtFirst: number;
  takenAtLast: number;
}

/** What becomes of a message after a strike. */
export interface Verdict {
  readonly setAside: boolean;
  readonly strikes: number;
  /** Others that were acknowledged since the first strike. */
  readonly others: number;
}

export class Probation {
  readonly #cases = new Map<string, Case>();
  #held = 0;
  /** What the service had taken when a message was set aside without proof: the next wants a new sign of life. */
  #takenAtUnproven = 0;

  get isEmpty(): boolean {
    return this.#cases.size === 0;
  }

  get isFull(): boolean {
    return this.#held >= HELD_MAX;
  }

  /** @param taken how many messages the service has taken by now */
  strike(module: string, delivery: Delivery, taken: number): Verdict {
    const found = this.#cases.get(module) ?? {
      head: delivery,
      behind: [],
      strikes: 0,
      away: false,
      takenAtFirst: taken,
      takenAtLast: taken,
    };
    found.strikes++;
    found.takenAtLast = taken;
    // To the end: the others have their turn first.
    this.#cases.delete(module);
    this.#cases.set(module, found);
    const { strikes } = found;
    const others = taken - found.takenAtFirst;
    const proven = strikes >= STRIKES_PROVEN && others > 0;
    const setAside = proven || (strikes >= STRIKES_UNPROVEN && taken > this.#takenAtUnproven);
    if (setAside && !proven) this.#takenAtUnproven = taken;
    found.away = setAside;
    return { setAside, strikes, others };
  }

  isOn(module: string, delivery: Delivery): boolean {
    return this.#cases.get(module)?.head === delivery;
  }

  /** Keeps a message that comes behind one on probation. @returns false when there is none of its module */
  hold(module: string, delivery: Delivery): boolean {
    const found = this.#cases.get(module);
    if (found === undefined) return false;
    found.behind.push(delivery);
    this.#held++;
    return true;
  }

  /** One whose turn it is: something else went through since it was tried, or there is nothing else to send. */
  take(taken: number, nothingElse: boolean): Delivery | undefined {
    for (const found of this.#cases.values()) {
      if (found.away || !(nothingElse || taken > found.takenAtLast)) continue;
      found.away = true;
      return found.head;
    }
    return undefined;
  }

  /** It comes back without a strike. */
  putBack(module: string): void {
    const found = this.#cases.get(module);
    if (found) found.away = false;
  }

  /** It is over. @returns what waited behind it, in order */
  release(module: string): readonly Delivery[] {
    const behind = this.#cases.get(module)?.behind ?? [];
    this.#cases.delete(module);
    this.#held -= behind.length;
    return behind;
  }
}
