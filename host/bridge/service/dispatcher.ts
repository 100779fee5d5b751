/**
 * Spreads one lane over the service's connections, so that the messages of one module keep their order.
 *
 *     lane ──next──▶ ┐                    ┌▶ sender 1 ──▶ connection 1
 *     given back ──▶ ┴ module's sender? ──┼▶ sender 2 ──▶ connection 2
 *          ▲                              └▶ …
 *          └──────────── lost ──────────────┘
 *
 * A module stays with the connection that has messages of it, waiting or in flight; with none it may go to any. What a
 * lost connection had goes first, in the old order. Nothing is read ahead but what waits for its module's connection.
 */
import type { SakuraError } from "../../../protocol/errors.ts";
import type { OutboxLane, OutboxMessage } from "../outbox/outbox.ts";
import { type Delivery, type Loss, newDelivery } from "./connection.ts";
import { Probation } from "./probation.ts";
import type { Sender } from "./sender.ts";

/** Where a message goes, or why it can never go there. */
export type Address = { readonly topic: string } | { readonly problem: string };

export interface DispatcherOptions {
  readonly lane: OutboxLane;
  readonly senders: readonly Sender[];
  /** Whether the service acknowledges: where it does not, no message can be blamed for anything. */
  readonly acknowledges: boolean;
  readonly addressOf: (message: OutboxMessage) => Address;
  readonly onPublished: (message: OutboxMessage) => void;
  /** Keeps it as a dead letter; resolves when that is done, or given up because the service stops. */
  readonly setAside: (message: OutboxMessage, reason: string) => Promise<void>;
}

/** Messages that may wait for one connection while others are read for the rest. */
const LOOK_AHEAD = 1_000;

interface Route {
  readonly sender: Sender;
  outstanding: number;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  /** Modules that have messages with a sender. Kept only where there is a choice. */
  readonly #routes = new Map<string, Route>();
  readonly #probation = new Probation();
  /** What is to be sent again, the oldest at the end. */
  readonly #returned: Delivery[] = [];
  /** Messages that the service has taken. */
  #taken = 0;
  #pumping = false;
  #paused = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Hands over nothing more. */
  pause(): void {
    this.#paused = true;
  }

  /** Hands over what there is, as far as the connections take it. */
  pump(): void {
    // A write that the socket takes at once reports back from within.
    if (this.#pumping || this.#paused) return;
    this.#pumping = true;
    try {
      for (const sender of this.#options.senders) sender.flush();
      while (this.#someHasRoom()) {
        const delivery = this.#take();
        if (delivery === undefined || !this.#dispatch(delivery)) break;
      }
    } finally {
      this.#pumping = false;
    }
  }

  /** The service has one of the lane's. */
  delivered(delivery: Delivery, message: OutboxMessage): void {
    this.#taken++;
    this.#leave(message.module);
    if (!this.#probation.isEmpty && this.#probation.isOn(message.module, delivery)) this.#release(message.module);
    this.#options.lane.forget(message);
    this.#options.onPublished(message);
  }

  /**
   * A sender has lost its connection.
   * @param loss nothing when it was ended from here
   * @returns what was in flight and is not the lane's, and how much of that is not to be tried again
   */
  lost(sender: Sender, loss: Loss | undefined): { readonly told: readonly Delivery[]; readonly givenUp: number } {
    const { sent, queued } = sender.detach();
    const blame = this.#options.acknowledges && loss?.afterPublish ? loss.reason : undefined;
    if (blame) for (const delivery of sent) delivery.suspect = true;
    const alone = blame && sent.length === 1 ? sent[0] : undefined;
    const setAside = blame && alone?.message && this.#strike(alone, alone.message, blame) ? alone : undefined;
    for (const delivery of [...sent, ...queued].reverse()) this.#giveBack(delivery, delivery === setAside);
    const told = sent.filter(({ message }) => message === undefined);
    // Nobody keeps it and nobody counts its strikes: one is enough.
    return alone !== undefined && told.length > 0 ? { told: [], givenUp: 1 } : { told, givenUp: 0 };
  }

  #someHasRoom(): boolean {
    for (const sender of this.#options.senders) if (sender.hasRoom()) return true;
    return false;
  }

  /** The next to be sent. */
  #take(): Delivery | undefined {
    for (;;) {
      const returned = this.#returned.pop();
      if (returned?.message && this.#options.lane.dropExpired(returned.message)) continue;
      if (this.#probation.isEmpty) return returned ?? this.#read();
      const delivery = returned ?? this.#probation.take(this.#taken, false) ?? this.#read();
      if (delivery === undefined) return this.#probation.take(this.#taken, true);
      const module = delivery.message?.module ?? "";
      if (this.#probation.isOn(module, delivery) || !this.#probation.hold(module, delivery)) return delivery;
    }
  }

  #read(): Delivery | undefined {
    const { lane, addressOf, setAside } = this.#options;
    if (this.#probation.isFull) return undefined;
    for (;;) {
      const message = lane.next();
      if (message === undefined) return undefined;
      const address = addressOf(message);
      if ("topic" in address) return newDelivery(message, address.topic, message.payload);
      void setAside(message, address.problem);
    }
  }

  /** @returns false when its module's connection has no place for it, so that what comes after it must wait too */
  #dispatch(delivery: Delivery): boolean {
    const { senders } = this.#options;
    const [first] = senders;
    const sender = senders.length === 1 ? first : this.#senderFor(delivery.message?.module ?? "");
    if (sender === undefined) {
      this.#returned.push(delivery);
      return false;
    }
    sender.give(delivery);
    return true;
  }

  #senderFor(module: string): Sender | undefined {
    const route = this.#routes.get(module);
    if (route !== undefined) {
      if (route.sender.queued >= LOOK_AHEAD) return undefined;
      route.outstanding++;
      return route.sender;
    }
    const sender = this.#choose(module);
    if (sender !== undefined) this.#routes.set(module, { sender, outstanding: 1 });
    return sender;
  }

  /** The same one for the same module where that can be, so that its messages seldom change places. */
  #choose(module: string): Sender | undefined {
    const { senders } = this.#options;
    const preferred = senders[hash(module) % senders.length];
    if (preferred?.hasRoom()) return preferred;
    let best: Sender | undefined;
    for (const sender of senders) {
      if (sender.hasRoom() && (best === undefined || sender.inFlight < best.inFlight)) best = sender;
    }
    return best;
  }

  #leave(module: string): void {
    const route = this.#routes.get(module);
    if (route !== undefined && --route.outstanding === 0) this.#routes.delete(module);
  }

  #giveBack(delivery: Delivery, setAside: boolean): void {
    const { message } = delivery;
    if (message === undefined) return;
    // All that the module has with senders is with this one.
    this.#routes.delete(message.module);
    if (setAside) return;
    if (this.#probation.isOn(message.module, delivery)) this.#probation.putBack(message.module);
    else this.#returned.push(delivery);
  }

  /** @returns whether the message is set aside */
  #strike(delivery: Delivery, message: OutboxMessage, reason: SakuraError): boolean {
    const { module } = message;
    const { setAside, strikes, others } = this.#probation.strike(module, delivery, this.#taken);
    if (!setAside) return false;
    const seen =
      `the connection was closed ${strikes} times right after this message to ${delivery.topic} ` +
      `(${delivery.payload.length} bytes) alone had been published, while ${others} other messages were acknowledged ` +
      `since the first time. The last time: ${reason.message}`;
    void this.#options.setAside(message, seen).then(() => {
      this.#release(module);
      this.pump();
    });
    return true;
  }

  #release(module: string): void {
    for (const delivery of [...this.#probation.release(module)].reverse()) this.#returned.push(delivery);
  }
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
