/**
 * The bridge core: joins any number of links to any number of services.
 *
 *     link ──take──▶ stamp, encode once ──▶ outbox ──▶ service ──▶ cloud
 *     link ◀─deliver── route by module id ◀──────────── service ◀── subscribe topic
 */
import type { Clock, Uplink } from "../../protocol/bus.ts";
import { formatDateTime } from "../../protocol/datetime.ts";
import { isSakuraError, reasonOf, SakuraError } from "../../protocol/errors.ts";
import { encodeMessage, nonFiniteValues, type PlatformMessage, type UplinkMessage } from "../../protocol/message.ts";
import { endsWithin } from "./backoff.ts";
import { DownlinkRouter } from "./downlink.ts";
import type { BridgeEvent, BridgeStats, UplinkRefusal } from "./events.ts";
import type { Link } from "./link.ts";
import type { Outbox, OutboxLane } from "./outbox/outbox.ts";
import type { Service } from "./service.ts";

/** A service, and the modules whose messages go to it: all when there is no list. */
export interface ServicePart {
  readonly service: Service;
  readonly lane: OutboxLane;
  readonly modules?: readonly string[] | undefined;
}

export interface BridgeParts {
  /** Each with a module id of its own. */
  readonly links: readonly Link[];
  /** Each with a name of its own. */
  readonly services: readonly ServicePart[];
  readonly outbox: Outbox;
  readonly clock: Clock;
}

/** AWS's bound for one payload; past it the connection is lost, and with it what is in flight. */
const PAYLOAD_MAX = 128 * 1024;
/** Together these stay well under the five seconds that a stop may take. */
const CLOSE_LINKS_MS = 1_200;
const DRAIN_MS = 1_200;
const CLOSE_SERVICES_MS = DRAIN_MS + 800;
const CLOSE_OUTBOX_MS = 400;

interface ServiceEntry extends ServicePart {
  published: number;
}

export class Bridge {
  readonly #links: ReadonlyMap<string, Link>;
  readonly #services: readonly ServiceEntry[];
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #router: DownlinkRouter;
  readonly #listeners = new Set<(event: BridgeEvent) => void>();
  readonly #startedAt: number;
  readonly #uplink = { accepted: 0, refused: 0, unrouted: 0, nonFinite: 0 };
  readonly #downlink = { accepted: 0, refused: 0 };
  #closed: Promise<void> | undefined;

  constructor({ links, services, outbox, clock }: BridgeParts) {
    this.#links = new Map(links.map((link) => [link.module, link]));
    this.#services = services.map((part) => ({ ...part, published: 0 }));
    this.#outbox = outbox;
    this.#clock = clock;
    this.#startedAt = clock.now();
    const byName = new Map(services.map((part) => [part.service.name, part]));
    this.#router = new DownlinkRouter({
      links: this.#links,
      clock,
      serves: (name, module) => isFor(byName.get(name), module),
      report: (event) => {
        this.#downlink[event.accepted ? "accepted" : "refused"]++;
        this.#emit(event);
      },
    });
  }

  /** Starts every service and every link, once. What cannot run yet is in state `error`, and the others run. */
  start(): void {
    for (const entry of this.#services) this.#startService(entry);
    for (const link of this.#links.values()) this.#startLink(link);
  }

  /** Calls the listener with everything that happens. Returns its removal. */
  onEvent(listener: (event: BridgeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves once every link has opened, or has failed to for the first time, or the bridge is closed. */
  async settled(): Promise<void> {
    await Promise.all([...this.#links.values()].map(linkSettled));
  }

  stats(): BridgeStats {
    return {
      startedAt: this.#startedAt,
      uplink: { ...this.#uplink },
      downlink: { ...this.#downlink },
      services: this.#services.map(({ service, lane, published }) => ({
        name: service.name,
        state: service.state(),
        published,
        waiting: lane.messages,
        waitingBytes: lane.bytes,
      })),
      links: [...this.#links.values()].map((link) => ({
        module: link.module,
        kind: link.kind,
        state: link.state(),
        counts: link.counts?.(),
      })),
    };
  }

  /** Has a service try again at once. @throws SakuraError INVALID_ARGUMENT when there is none of this name */
  retry(name: string): void {
    const entry = this.#services.find(({ service }) => service.name === name);
    if (!entry) throw new SakuraError("INVALID_ARGUMENT", `there is no service ${name}`);
    entry.service.retry();
  }

  /**
   * Stops for good, within 5 s: the links first, then what the outbox holds goes to the services that are connected,
   * for a while. What they do not get is reported as `unsent`. Further calls do nothing more.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const clock = this.#clock;
    this.#router.close();
    const links = Promise.allSettled([...this.#links.values()].map((link) => link.close()));
    await endsWithin(clock, CLOSE_LINKS_MS, links);
    const services = Promise.allSettled(this.#services.map(({ service }) => service.close(DRAIN_MS)));
    await endsWithin(clock, CLOSE_SERVICES_MS, services);
    for (const { service, lane } of this.#services) {
      if (lane.messages > 0) this.#emit({ type: "unsent", service: service.name, messages: lane.messages });
    }
    await endsWithin(clock, CLOSE_OUTBOX_MS, this.#outbox.close());
  }

  #startService(entry: ServiceEntry): void {
    const { service } = entry;
    const { name } = service;
    service.onState((state) => this.#emit({ type: "service", service: name, state }));
    this.#emit({ type: "service", service: name, state: service.state() });
    service.start({
      onDownlink: (payload) => this.#router.take(name, payload),
      onPublished: ({ module, payload }) => {
        entry.published++;
        // Many a second: an object only when somebody looks at it.
        if (this.#listeners.size > 0) this.#emit({ type: "published", service: name, module, payload });
      },
    });
  }

  #startLink(link: Link): void {
    const { module, kind } = link;
    const services = this.#services.filter((part) => isFor(part, module)).map(({ service }) => service.name);
    link.onState((state) => this.#emit({ type: "link", module, kind, state }));
    this.#emit({ type: "link", module, kind, state: link.state() });
    const uplink: Uplink = { take: (message) => this.#take(message, module, services) };
    link.start(uplink, (note) => this.#emit({ type: "link-note", module, kind, ...note }));
  }

  /**
   * One message, for all of the module's services or for none. Stamped once: a message that waits keeps its time. The
   * id is the link's: what a link says of other modules is not believed.
   */
  async #take(unnamed: UplinkMessage, module: string, services: readonly string[]): Promise<void> {
    if (this.#closed !== undefined) throw this.#refuse(module, "closing", "the bridge stops");
    const message = stamped(unnamed, module, formatDateTime(this.#clock.now()));
    const payload = Buffer.from(encodeMessage(message));
    if (payload.length > PAYLOAD_MAX) {
      const words = `a message of ${payload.length} bytes; AWS IoT takes ${PAYLOAD_MAX}`;
      throw this.#refuse(module, "too-large", words);
    }
    try {
      await this.#outbox.append({ module, payload }, services);
    } catch (error) {
      const full = isSakuraError(error, "REFUSED");
      throw this.#refuse(module, full ? "outbox-full" : "outbox-failed", reasonOf(error), error);
    }
    const nonFinite = nonFiniteValues(message);
    this.#uplink.accepted++;
    this.#uplink.nonFinite += nonFinite;
    if (services.length === 0) this.#uplink.unrouted++;
    if (this.#listeners.size > 0) this.#emit({ type: "message", message, services, nonFinite });
  }

  #refuse(module: string, reason: UplinkRefusal, message: string, cause?: unknown): SakuraError {
    this.#uplink.refused++;
    this.#emit({ type: "message-refused", module, reason, message });
    return new SakuraError("REFUSED", message, { context: { reason, module }, ...(cause !== undefined && { cause }) });
  }

  #emit(event: BridgeEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
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

function isFor(part: ServicePart | undefined, module: string): boolean {
  return part !== undefined && (part.modules === undefined || part.modules.includes(module));
}

function linkSettled(link: Link): Promise<void> {
  return new Promise((resolve) => {
    if (link.state().state !== "starting") {
      resolve();
      return;
    }
    const stop = link.onState(({ state }) => {
      if (state === "starting") return;
      stop();
      resolve();
    });
  });
}
