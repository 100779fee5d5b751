/** The way down: from a service's subscribe topic, or the bridge's own API, to the module that a message names. */
import type { Clock } from "../../../protocol/bus.ts";
import { reasonOf, SakuraError } from "../../../protocol/errors.ts";
import { type DownlinkMessage, downlinkFromJson } from "../../../protocol/message.ts";
import { monotonicMs } from "../../clock.ts";
import type { WaitingDownlink } from "../control.ts";
import type { BridgeEvent, DownlinkRefusal } from "../events.ts";
import type { Link } from "../link.ts";
import { type DownlinkBounds, DownlinkQueue, type QueuedDownlink } from "./queue.ts";
import { type DownlinkHead, type DownlinkOutcome, parseHead } from "./result.ts";

export interface DownlinkOptions {
  readonly linkOf: (module: string) => Link | undefined;
  /** Whether the module is one of the service's. */
  readonly serves: (service: string, module: string) => boolean;
  readonly clock: Clock;
  readonly random?: (() => number) | undefined;
  readonly bounds: DownlinkBounds;
  /** @param head what the message says of itself; of the API's none is needed */
  readonly report: (event: BridgeEvent & { readonly type: "downlink" }, head: DownlinkHead | undefined) => void;
}

const STOPPING = "the bridge stops";
const NOTHING: DownlinkHead = { module: undefined, id: undefined };
const decoder = new TextDecoder();

export class DownlinkRouter {
  readonly #options: DownlinkOptions;
  /** Of the modules for which something is on its way or waits. */
  readonly #queues = new Map<string, DownlinkQueue>();
  #bounds: DownlinkBounds;
  #closed = false;

  constructor(options: DownlinkOptions) {
    this.#options = options;
    this.#bounds = options.bounds;
  }

  /** For what comes from now on, and for how many may wait. */
  setBounds(bounds: DownlinkBounds): void {
    this.#bounds = bounds;
  }

  /** Takes one message of a service as it came. Never throws: a message that cannot be delivered is reported. */
  take(service: string, payload: Uint8Array): void {
    let head = NOTHING;
    let message: DownlinkMessage;
    try {
      const parsed = parseHead(decoder.decode(payload));
      head = parsed.head;
      message = downlinkFromJson(parsed.json);
    } catch (error) {
      this.#refuse(service, head, "invalid-message", reasonOf(error));
      return;
    }
    const { module } = message;
    if (!this.#options.linkOf(module) || !this.#options.serves(service, module)) {
      const words = `module: there is no module ${module} in service ${service}`;
      this.#refuse(service, head, "unknown-module", words);
      return;
    }
    this.#enqueue(service, message, true, (outcome) => this.#report(service, message, head, outcome));
  }

  /**
   * The same for a message of the bridge's own API, which does not wait for a link that is down.
   * @throws SakuraError REFUSED, context.reason a DownlinkRefusal
   */
  send(message: DownlinkMessage): Promise<void> {
    const { module } = message;
    return new Promise((resolve, reject) => {
      const done = (outcome: DownlinkOutcome): void => {
        this.#report(undefined, message, undefined, outcome);
        if (outcome.accepted) resolve();
        else reject(new SakuraError("REFUSED", outcome.message, { context: { reason: outcome.reason, module } }));
      };
      if (this.#options.linkOf(module)) this.#enqueue(undefined, message, false, done);
      else done({ accepted: false, reason: "unknown-module", message: `module: there is no module ${module}` });
    });
  }

  /** The link of a module has another state, or is another one. */
  wake(module: string): void {
    this.#queues.get(module)?.wake();
  }

  /** The module is gone. */
  forget(module: string): void {
    this.#close(module, "unknown-module", `module ${module} has been removed`);
  }

  /** How many wait. */
  count(): number {
    let count = 0;
    for (const queue of this.#queues.values()) count += queue.waiting().filter(({ waits }) => waits).length;
    return count;
  }

  /** The oldest first, module by module. */
  waiting(): readonly WaitingDownlink[] {
    return [...this.#queues.values()].flatMap((queue) =>
      queue
        .waiting()
        .filter(({ waits }) => waits)
        .map(({ service, message, since, maxAgeMs }) => ({
          service,
          message,
          since,
          until: since + maxAgeMs,
        })),
    );
  }

  /** Refuses what still waits, and gives up what is on its way. */
  close(): void {
    this.#closed = true;
    for (const module of [...this.#queues.keys()]) this.#close(module, "closing", STOPPING);
  }

  #close(module: string, reason: DownlinkRefusal, message: string): void {
    const queue = this.#queues.get(module);
    this.#queues.delete(module);
    queue?.close(reason, message);
  }

  #enqueue(
    service: string | undefined,
    message: DownlinkMessage,
    waits: boolean,
    done: (outcome: DownlinkOutcome) => void,
  ): void {
    if (this.#closed) {
      done({ accepted: false, reason: "closing", message: STOPPING });
      return;
    }
    const { clock } = this.#options;
    const { maxAgeMs } = this.#bounds;
    const deadline = waits ? monotonicMs(clock) + maxAgeMs : Number.POSITIVE_INFINITY;
    const item: QueuedDownlink = { service, message, waits, since: clock.now(), deadline, maxAgeMs, done };
    this.#queueOf(message.module).push(item);
  }

  #queueOf(module: string): DownlinkQueue {
    const existing = this.#queues.get(module);
    if (existing) return existing;
    const { clock, random, linkOf } = this.#options;
    const queue = new DownlinkQueue({
      module,
      clock,
      random,
      bounds: () => this.#bounds,
      link: () => linkOf(module),
      onEmpty: () => {
        if (this.#queues.get(module) === queue) this.#queues.delete(module);
      },
    });
    this.#queues.set(module, queue);
    return queue;
  }

  #report(
    service: string | undefined,
    message: DownlinkMessage,
    head: DownlinkHead | undefined,
    outcome: DownlinkOutcome,
  ): void {
    if (outcome.accepted) this.#options.report({ type: "downlink", service, accepted: true, message }, head);
    else this.#refuse(service, head ?? { module: message.module, id: undefined }, outcome.reason, outcome.message);
  }

  #refuse(service: string | undefined, head: DownlinkHead, reason: DownlinkRefusal, message: string): void {
    const { module } = head;
    this.#options.report({ type: "downlink", service, accepted: false, module, reason, message }, head);
  }
}
