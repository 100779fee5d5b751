/**
 * What a connection has and the service has not confirmed, in the order in which it was sent; it leaves from anywhere.
 * The links are in the deliveries themselves: tens of thousands a second come and go, and a Set makes garbage of each.
 */
import type { Delivery } from "./connection.ts";

export class InFlight {
  #oldest: Delivery | undefined;
  #newest: Delivery | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get oldest(): Delivery | undefined {
    return this.#oldest;
  }

  add(delivery: Delivery): void {
    delivery.inFlight = this;
    delivery.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = delivery;
    else this.#newest.newer = delivery;
    this.#newest = delivery;
    this.#size++;
  }

  /** @returns false when it is not here */
  remove(delivery: Delivery): boolean {
    if (delivery.inFlight !== this) return false;
    const { older, newer } = delivery;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    delivery.inFlight = undefined;
    delivery.older = undefined;
    delivery.newer = undefined;
    this.#size--;
    return true;
  }

  /** Empties it. @returns what was in it, the oldest first */
  takeAll(): readonly Delivery[] {
    const all: Delivery[] = [];
    for (let oldest = this.#oldest; oldest; oldest = this.#oldest) {
      this.remove(oldest);
      all.push(oldest);
    }
    return all;
  }
}
