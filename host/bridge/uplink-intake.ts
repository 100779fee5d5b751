/** The way up: what a module sends is stamped and encoded once, and kept for all of its services or for none. */
import type { Clock } from "../../protocol/bus.ts";
import { formatDateTime } from "../../protocol/datetime.ts";
import { isSakuraError, reasonOf, SakuraError } from "../../protocol/errors.ts";
import { encodeMessage, nonFiniteValues, type PlatformMessage, type UplinkMessage } from "../../protocol/message.ts";
import type { BridgeEvent, BridgeStats, UplinkRefusal } from "./events.ts";
import type { Outbox } from "./outbox/outbox.ts";

export interface UplinkIntakeOptions {
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly servicesOf: (module: string) => readonly string[];
  readonly report: (event: BridgeEvent) => void;
  /** Whether anybody looks: an event for each message costs. */
  readonly isWatched: () => boolean;
}

/** AWS's bound for one payload; past it the connection is lost, and with it what is in flight. */
const PAYLOAD_MAX = 128 * 1024;

export class UplinkIntake {
  readonly #options: UplinkIntakeOptions;
  readonly #counts = { accepted: 0, refused: 0, unrouted: 0, nonFinite: 0 };
  #held: Promise<void> | undefined;
  #closed = false;

  constructor(options: UplinkIntakeOptions) {
    this.#options = options;
  }

  counts(): BridgeStats["uplink"] {
    return { ...this.#counts };
  }

  /** Keeps messages waiting while the work is done, well or badly: no lane gets any. */
  async holdDuring<T>(work: Promise<T>): Promise<T> {
    const over = work.then(
      () => undefined,
      () => undefined,
    );
    this.#held = over;
    try {
      return await work;
    } finally {
      if (this.#held === over) this.#held = undefined;
    }
  }

  /** Refuses everything from now on. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Takes one message. Stamped once: one that waits keeps its time. The id is the link's: what a link says of other
   * modules is not believed.
   * @throws SakuraError REFUSED, context.reason an UplinkRefusal
   */
  async take(unnamed: UplinkMessage, module: string): Promise<void> {
    const { outbox, clock, servicesOf, report, isWatched } = this.#options;
    if (this.#closed) throw this.#refuse(module, "closing", "the bridge stops");
    const message = stamped(unnamed, module, formatDateTime(clock.now()));
    const payload = Buffer.from(encodeMessage(message));
    if (payload.length > PAYLOAD_MAX) {
      const words = `a message of ${payload.length} bytes; AWS IoT takes ${PAYLOAD_MAX}`;
      throw this.#refuse(module, "too-large", words);
    }
    while (this.#held !== undefined) await this.#held;
    const services = servicesOf(module);
    try {
      await outbox.append({ module, payload }, services);
    } catch (error) {
      const full = isSakuraError(error, "REFUSED") && error.context["reason"] !== "outbox-failed";
      throw this.#refuse(module, full ? "outbox-full" : "outbox-failed", reasonOf(error), error);
    }
    const nonFinite = nonFiniteValues(message);
    this.#counts.accepted++;
    this.#counts.nonFinite += nonFinite;
    if (services.length === 0) this.#counts.unrouted++;
    if (isWatched()) report({ type: "message", message, services, nonFinite });
  }

  #refuse(module: string, reason: UplinkRefusal, message: string, cause?: unknown): SakuraError {
    this.#counts.refused++;
    this.#options.report({ type: "message-refused", module, reason, message });
    return new SakuraError("REFUSED", message, { context: { reason, module }, ...(cause !== undefined && { cause }) });
  }
}

/** Written out, because a spread that adds a key costs more than all the rest of an encoding. */
function stamped(message: UplinkMessage, module: string, datetime: string): PlatformMessage {
  switch (message.type) {
    case "channels":
      return { module, type: message.type, datetime, payload: message.payload };
    case "connection":
      return { module, type: message.type, datetime, payload: message.payload };
    case "location":
      return { module, type: message.type, datetime, payload: message.payload };
  }
}
