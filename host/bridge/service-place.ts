/** A service's place in the bridge: its name and its lane stay while one service object follows the other. */
import type { Clock } from "../../protocol/bus.ts";
import { endsWithin } from "./backoff.ts";
import { LaneLease } from "./outbox/lane-lease.ts";
import type { Dropped, OutboxLane, OutboxMessage } from "./outbox/outbox.ts";
import type { Service, ServiceEvents, ServiceState } from "./service.ts";

/** A service, and the modules whose messages go to it: all when there is no list. */
export interface ServicePart {
  readonly name: string;
  readonly modules?: readonly string[] | undefined;
  /** Where the outcome of its downlink messages is told. */
  readonly resultTopic?: string | undefined;
  /** Makes the service, and starts nothing. @param lane what it hands over; it is taken away when another follows */
  create(lane: OutboxLane): Service;
}

/** What a service may take beyond its draining. */
const CLOSE_MS = 1_000;

export interface PlaceEvents extends ServiceEvents {
  readonly onState: (state: ServiceState) => void;
  readonly onDeadLetter: (message: OutboxMessage, reason: string) => void;
}

export class ServicePlace {
  part: ServicePart;
  /** Messages that the service has got, of all that stood here. */
  published = 0;
  /** What its lane had dropped when somebody looked. */
  droppedBefore: Dropped = { full: 0, expired: 0, damaged: 0 };
  #running: { readonly service: Service; readonly lease: LaneLease; readonly deafen: () => void } | undefined;

  constructor(part: ServicePart) {
    this.part = part;
  }

  get name(): string {
    return this.part.name;
  }

  start(lane: OutboxLane, events: PlaceEvents): void {
    const lease = new LaneLease(lane, events.onDeadLetter);
    const service = this.part.create(lease);
    this.#running = { service, lease, deafen: service.onState(events.onState) };
    events.onState(service.state());
    service.start({
      onDownlink: events.onDownlink,
      onPublished: (message) => {
        this.published++;
        events.onPublished(message);
      },
    });
  }

  /** Ends the service that stands here, and takes its lane away. */
  async stop(drainMs: number, clock: Clock): Promise<void> {
    const running = this.#running;
    if (!running) return;
    await endsWithin(clock, drainMs + CLOSE_MS, running.service.close(drainMs));
    running.lease.end();
    running.deafen();
  }

  state(): ServiceState {
    return this.#running?.service.state() ?? { state: "stopped", since: 0 };
  }

  retry(): void {
    this.#running?.service.retry();
  }

  tell(topic: string, payload: Uint8Array): void {
    this.#running?.service.tell(topic, payload);
  }
}
