/**
 * The bridge core: joins any number of links to any number of services, which may come, change and go while it runs.
 *
 *     link ──take──▶ stamp, encode once ──▶ outbox ──▶ service ──▶ cloud
 *     link ◀─deliver── route by module id ◀──────────── service ◀── subscribe topic
 */
import type { Clock } from "../../protocol/bus.ts";
import { formatDateTime } from "../../protocol/datetime.ts";
import type { DownlinkMessage } from "../../protocol/message.ts";
import { endsWithin } from "./backoff.ts";
import type { WaitingDownlink } from "./control.ts";
import type { DownlinkBounds } from "./downlink/queue.ts";
import { type DownlinkHead, encodeDownlinkResult } from "./downlink/result.ts";
import { DownlinkRouter } from "./downlink/router.ts";
import type { BridgeEvent, BridgeStats } from "./events.ts";
import type { Link } from "./link.ts";
import type { Outbox, OutboxLane } from "./outbox/outbox.ts";
import type { ServicePart, ServicePlace } from "./service-place.ts";
import { ServicePlaces } from "./service-places.ts";
import { tellAll } from "./tell-all.ts";
import { UplinkIntake } from "./uplink-intake.ts";

export interface BridgeParts {
  /** Each with a module id of its own. */
  readonly links: readonly Link[];
  /** Each with a name of its own. */
  readonly services: readonly ServicePart[];
  readonly outbox: Outbox;
  readonly clock: Clock;
  /** 0 ≤ n < 1; default Math.random. */
  readonly random?: (() => number) | undefined;
  /** Default 100 messages for each module, for 10 minutes. */
  readonly downlinks?: DownlinkBounds | undefined;
  /** How often it is looked whether lanes have dropped messages, in ms; default only at the end. */
  readonly lookMs?: number | undefined;
}

/** Together these stay well under the five seconds that a stop may take. */
const CLOSE_LINKS_MS = 1_200;
const DRAIN_MS = 1_200;
const CLOSE_SERVICES_MS = DRAIN_MS + 800;
const CLOSE_OUTBOX_MS = 400;
/** What an edited service may still hand over before the new one takes its place. */
const EDIT_DRAIN_MS = 300;
const DOWNLINKS: DownlinkBounds = { maxWaiting: 100, maxAgeMs: 600_000 };

export class Bridge {
  readonly #links = new Map<string, Link>();
  readonly #services: ServicePlaces;
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #intake: UplinkIntake;
  readonly #router: DownlinkRouter;
  readonly #listeners = new Set<(event: BridgeEvent) => void>();
  readonly #startedAt: number;
  readonly #downlink = { accepted: 0, refused: 0 };
  readonly #refusals = new Map<string, number>();
  readonly #lookMs: number | undefined;
  #cancelLook: () => void = () => undefined;
  #closed: Promise<void> | undefined;

  constructor({ links, services, outbox, clock, random, downlinks = DOWNLINKS, lookMs }: BridgeParts) {
    for (const link of links) this.#links.set(link.module, link);
    this.#services = new ServicePlaces(services, outbox);
    this.#outbox = outbox;
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#lookMs = lookMs;
    const report = (event: BridgeEvent): void => this.#emit(event);
    const isWatched = (): boolean => this.#listeners.size > 0;
    this.#intake = new UplinkIntake({
      outbox,
      clock,
      servicesOf: (module) => this.#services.servicesOf(module),
      report,
      isWatched,
    });
    this.#router = new DownlinkRouter({
      linkOf: (module) => this.#links.get(module),
      serves: (name, module) => this.#services.serves(name, module),
      clock,
      random,
      bounds: downlinks,
      report: (event, head) => this.#reportDownlink(event, head),
    });
  }

  /**
   * Starts every service and every link, once. What cannot run yet is in state `error`, and the others run. Lanes of
   * services that are gone are reported.
   */
  start(): void {
    this.#outbox.onState((state) => this.#emit({ type: "outbox", state }));
    if (this.#outbox.state().state !== "ok") this.#emit({ type: "outbox", state: this.#outbox.state() });
    for (const { service } of this.#services.orphans()) this.#reportOrphan(service);
    for (const place of this.#services.all()) this.#startService(place);
    for (const link of this.#links.values()) this.#startLink(link);
    this.#look();
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
      uplink: this.#intake.counts(),
      downlink: {
        ...this.#downlink,
        waiting: this.#router.count(),
        refusals: Object.fromEntries(this.#refusals),
      },
      services: this.#services.stats(),
      outbox: this.#outbox.state(),
      orphans: this.#services.orphans(),
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
    this.#services.get(name).retry();
  }

  /** The lane of a service. @throws SakuraError INVALID_ARGUMENT when there is none of this name */
  lane(name: string): OutboxLane {
    this.#services.get(name);
    return this.#outbox.lane(name);
  }

  /** How much is kept for a service, or in the lane of one that is gone; dead letters too. */
  keptFor(name: string): number {
    return this.#services.keptFor(name);
  }

  hasService(name: string): boolean {
    return this.#services.find(name) !== undefined;
  }

  /** Starts a service that has come. What is in a lane of its name is handed over to it. */
  addService(part: ServicePart): void {
    if (this.#closed !== undefined) return;
    this.#startService(this.#services.add(part));
  }

  /**
   * Puts a service in the place of another; its name may be new. The old one ends first, and what it has not handed
   * over the new one does. No other service is touched.
   * @throws SakuraError INVALID_ARGUMENT when there is none of the old name; what the outbox's renaming throws, with
   *   the old one started again
   */
  async replaceService(name: string, part: ServicePart): Promise<void> {
    const place = this.#services.get(name);
    await place.stop(EDIT_DRAIN_MS, this.#clock);
    // Whoever closes the bridge meanwhile has the last word.
    if (this.#closed !== undefined) return;
    if (part.name === name) {
      this.#services.replace(part);
    } else {
      try {
        // No message is put in the lane's old name after it has the new one.
        await this.#intake.holdDuring(this.#services.rename(name, part));
      } catch (error) {
        if (this.#closed === undefined) this.#startService(place);
        throw error;
      }
    }
    // Closed while the lane got its name.
    if (this.#closed !== undefined) return;
    if (part.name !== name) this.#emit({ type: "service-removed", service: name, waiting: 0 });
    this.#startService(place);
  }

  /**
   * Ends a service. What it has not got stays in its lane and is reported, unless it is to be discarded; so does, or is,
   * what a service left that is gone already.
   */
  async removeService(name: string, { discard }: { readonly discard: boolean }): Promise<void> {
    const place = this.#services.find(name);
    if (place) {
      this.#services.delete(name);
      await place.stop(EDIT_DRAIN_MS, this.#clock);
    }
    if (discard || this.keptFor(name) === 0) await this.#outbox.remove(name);
    this.#emit({ type: "service-removed", service: name, waiting: this.keptFor(name) });
  }

  /** Starts a link that has come. */
  addLink(link: Link): void {
    if (this.#closed !== undefined) return;
    this.#links.set(link.module, link);
    this.#startLink(link);
    this.#router.wake(link.module);
  }

  /** Puts a link in the place of the one with its module id, which lets go of its port first. Downlinks go on waiting. */
  async replaceLink(link: Link): Promise<void> {
    const old = this.#links.get(link.module);
    if (old) await endsWithin(this.#clock, CLOSE_LINKS_MS, old.close());
    this.addLink(link);
  }

  /** Ends a link; what waits for its module is refused. */
  async removeLink(module: string): Promise<void> {
    const link = this.#links.get(module);
    if (!link) return;
    this.#links.delete(module);
    this.#router.forget(module);
    await endsWithin(this.#clock, CLOSE_LINKS_MS, link.close());
    this.#emit({ type: "link-removed", module });
  }

  /** For what comes from now on. */
  setDownlinkBounds(bounds: DownlinkBounds): void {
    this.#router.setBounds(bounds);
  }

  /**
   * Brings a message down to a module, and publishes it as the module's own where its link mirrors. Resolves when the
   * module has it; does not wait for a link that is down.
   * @throws SakuraError REFUSED, context.reason a DownlinkRefusal
   */
  async send(message: DownlinkMessage): Promise<void> {
    await this.#router.send(message);
    const { module, payload } = message;
    if (this.#links.get(module)?.mirrors !== true) return;
    const datetime = formatDateTime(this.#clock.now());
    const channels = payload.channels.map((entry) => ({ ...entry, datetime }));
    // The module has it, so this has succeeded; that it was not published is an event.
    await this.#intake.take({ module, type: "channels", payload: { channels } }, module).catch(() => undefined);
  }

  waitingDownlinks(): readonly WaitingDownlink[] {
    return this.#router.waiting();
  }

  /** Tells what the outbox has to say. */
  note(note: string): void {
    this.#emit({ type: "outbox", state: this.#outbox.state(), note });
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
    this.#cancelLook();
    this.#intake.close();
    this.#router.close();
    const links = Promise.allSettled([...this.#links.values()].map((link) => link.close()));
    await endsWithin(clock, CLOSE_LINKS_MS, links);
    const services = Promise.allSettled(this.#services.all().map((place) => place.stop(DRAIN_MS, clock)));
    await endsWithin(clock, CLOSE_SERVICES_MS, services);
    this.#look();
    for (const { name } of this.#services.all()) {
      const { messages } = this.#outbox.lane(name);
      if (messages > 0) this.#emit({ type: "unsent", service: name, messages });
    }
    await endsWithin(clock, CLOSE_OUTBOX_MS, this.#outbox.close());
  }

  /** An outbox counts what it drops, and an event for each message would be too many. */
  #look(): void {
    for (const dropped of this.#services.newlyDropped()) this.#emit({ type: "dropped", ...dropped });
    if (this.#lookMs === undefined || this.#closed !== undefined) return;
    this.#cancelLook = this.#clock.after(this.#lookMs, () => this.#look());
  }

  #startService(place: ServicePlace): void {
    place.start(this.#outbox.lane(place.name), {
      onState: (state) => this.#emit({ type: "service", service: place.name, state }),
      onDownlink: (payload) => this.#router.take(place.name, payload),
      onPublished: ({ module, payload }) => {
        // Many a second: an object only when somebody looks at it.
        if (this.#listeners.size > 0) this.#emit({ type: "published", service: place.name, module, payload });
      },
      onDeadLetter: ({ module }, reason) => this.#emit({ type: "dead-letter", service: place.name, module, reason }),
    });
  }

  #startLink(link: Link): void {
    const { module, kind } = link;
    link.onState((state) => {
      // A link that another has followed, and that would not end in time.
      if (this.#links.get(module) !== link) return;
      this.#emit({ type: "link", module, kind, state });
      if (state.state === "up") this.#router.wake(module);
    });
    this.#emit({ type: "link", module, kind, state: link.state() });
    link.start({ take: (message) => this.#intake.take(message, module) }, (note) =>
      this.#emit({ type: "link-note", module, kind, ...note }),
    );
  }

  #reportOrphan(service: string): void {
    const waiting = this.keptFor(service);
    if (waiting > 0) this.#emit({ type: "service-removed", service, waiting });
  }

  #reportDownlink(event: BridgeEvent & { readonly type: "downlink" }, head: DownlinkHead | undefined): void {
    this.#downlink[event.accepted ? "accepted" : "refused"]++;
    if (!event.accepted) this.#refusals.set(event.reason, (this.#refusals.get(event.reason) ?? 0) + 1);
    this.#emit(event);
    if (head === undefined || event.service === undefined) return;
    const place = this.#services.find(event.service);
    const topic = place?.part.resultTopic;
    if (topic !== undefined) place?.tell(topic, encodeDownlinkResult(head, event, formatDateTime(this.#clock.now())));
  }

  #emit(event: BridgeEvent): void {
    tellAll(this.#listeners, event);
  }
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
