/** The services of a bridge, in their order, with the lanes that are kept for them, and for those that are gone. */
import { SakuraError } from "../../protocol/errors.ts";
import type { BridgeStats } from "./events.ts";
import type { Dropped, Outbox, OutboxLane } from "./outbox/outbox.ts";
import { Routes } from "./routes.ts";
import { type ServicePart, ServicePlace } from "./service-place.ts";

export class ServicePlaces {
  readonly #outbox: Outbox;
  readonly #places = new Map<string, ServicePlace>();
  readonly #routes = new Routes();

  /** @param parts each with a name of its own */
  constructor(parts: readonly ServicePart[], outbox: Outbox) {
    this.#outbox = outbox;
    for (const part of parts) this.#places.set(part.name, new ServicePlace(part));
    this.#reroute();
  }

  all(): readonly ServicePlace[] {
    return [...this.#places.values()];
  }

  find(name: string): ServicePlace | undefined {
    return this.#places.get(name);
  }

  /** @throws SakuraError INVALID_ARGUMENT when there is none of this name */
  get(name: string): ServicePlace {
    const place = this.#places.get(name);
    if (place) return place;
    throw new SakuraError("INVALID_ARGUMENT", `there is no service ${name}`);
  }

  /** The services that a module's messages go to. */
  servicesOf(module: string): readonly string[] {
    return this.#routes.of(module);
  }

  /** Whether the module is one of the service's. */
  serves(name: string, module: string): boolean {
    return this.#routes.has(name, module);
  }

  add(part: ServicePart): ServicePlace {
    const place = new ServicePlace(part);
    this.#places.set(part.name, place);
    this.#reroute();
    return place;
  }

  /** Puts another service in a place, where its name is the same. */
  replace(part: ServicePart): void {
    this.get(part.name).part = part;
    this.#reroute();
  }

  delete(name: string): void {
    this.#places.delete(name);
    this.#reroute();
  }

  /** The same under another name, with the lane. @throws SakuraError as the outbox's `rename`, nothing having changed */
  async rename(from: string, part: ServicePart): Promise<void> {
    // Of a service that was here once, and left nothing.
    const isEmpty = this.#outbox.lanes().includes(part.name) && this.keptFor(part.name) === 0;
    if (isEmpty) await this.#outbox.remove(part.name);
    await this.#outbox.rename(from, part.name);
    this.get(from).part = part;
    // In the old one's place, so that the order stays.
    const places = this.all();
    this.#places.clear();
    for (const place of places) this.#places.set(place.name, place);
    this.#reroute();
  }

  /** How much is kept for a service, or in the lane of one that is gone; dead letters too. */
  keptFor(name: string): number {
    if (!this.#places.has(name) && !this.#outbox.lanes().includes(name)) return 0;
    const { messages, deadLetters } = this.#outbox.lane(name);
    return messages + deadLetters;
  }

  stats(): BridgeStats["services"] {
    return this.all().map((place) => {
      const lane = this.#outbox.lane(place.name);
      const { name, published } = place;
      return { name, state: place.state(), published, ...keptIn(lane), dropped: lane.dropped };
    });
  }

  orphans(): BridgeStats["orphans"] {
    return this.#outbox.lanes().flatMap((service) => {
      if (this.#places.has(service) || this.keptFor(service) === 0) return [];
      return [{ service, ...keptIn(this.#outbox.lane(service)) }];
    });
  }

  /** What the lanes have dropped since this was asked the last time. */
  newlyDropped(): readonly { readonly service: string; readonly messages: number; readonly why: keyof Dropped }[] {
    return this.all().flatMap((place) => {
      const { dropped } = this.#outbox.lane(place.name);
      const before = place.droppedBefore;
      place.droppedBefore = { ...dropped };
      return (["full", "expired", "damaged"] as const)
        .map((why) => ({ service: place.name, messages: dropped[why] - before[why], why }))
        .filter(({ messages }) => messages > 0);
    });
  }

  #reroute(): void {
    this.#routes.set(this.all().map(({ part }) => part));
  }
}

/** What is kept in a lane, as the stats have it. */
function keptIn(lane: OutboxLane) {
  const { messages: waiting, bytes: waitingBytes, oldestAt, deadLetters } = lane;
  return { waiting, waitingBytes, oldestAt, deadLetters };
}
