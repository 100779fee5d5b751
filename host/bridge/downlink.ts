/** The way down: from a service's subscribe topic to the module that a message names. */
import type { Clock } from "../../protocol/bus.ts";
import { isSakuraError, reasonOf, SakuraError } from "../../protocol/errors.ts";
import { type DownlinkMessage, parseDownlink } from "../../protocol/message.ts";
import type { BridgeEvent, DownlinkRefusal } from "./events.ts";
import type { Link } from "./link.ts";

/** Messages that may wait for one link, which takes them one after the other. */
const WAITING_MAX = 100;
/** How long a link may take for one message. */
const DELIVER_TIMEOUT_MS = 30_000;
const STOPPING = "the bridge stops";

export interface DownlinkOptions {
  readonly links: ReadonlyMap<string, Link>;
  /** Whether the module is one of the service's. */
  readonly serves: (service: string, module: string) => boolean;
  readonly clock: Clock;
  readonly report: (event: BridgeEvent & { readonly type: "downlink" }) => void;
}

export class DownlinkRouter {
  readonly #options: DownlinkOptions;
  readonly #queues = new Map<string, { waiting: number; tail: Promise<void> }>();
  readonly #stop = new AbortController();

  constructor(options: DownlinkOptions) {
    this.#options = options;
  }

  /** Takes one message as it came. Never throws: a message that cannot be delivered is reported. */
  take(service: string, payload: Uint8Array): void {
    let message: DownlinkMessage;
    try {
      message = parseDownlink(new TextDecoder().decode(payload));
    } catch (error) {
      this.#refuse(service, undefined, "invalid-message", reasonOf(error));
      return;
    }
    const { module } = message;
    const link = this.#options.links.get(module);
    if (!link || !this.#options.serves(service, module)) {
      this.#refuse(service, module, "unknown-module", `module: there is no module ${module} in service ${service}`);
      return;
    }
    this.#enqueue(service, message, link);
  }

  /** Refuses what still waits, and gives up what is on its way. */
  close(): void {
    this.#stop.abort();
  }

  #enqueue(service: string, message: DownlinkMessage, link: Link): void {
    const queue = this.#queues.get(message.module) ?? { waiting: 0, tail: Promise.resolve() };
    this.#queues.set(message.module, queue);
    if (queue.waiting >= WAITING_MAX) {
      const words = `${WAITING_MAX} messages wait for module ${message.module} already: send more slowly`;
      this.#refuse(service, message.module, "link-busy", words);
      return;
    }
    queue.waiting++;
    queue.tail = queue.tail.then(async () => {
      await this.#deliver(service, message, link);
      queue.waiting--;
    });
  }

  async #deliver(service: string, message: DownlinkMessage, link: Link): Promise<void> {
    const { clock, report } = this.#options;
    const { module } = message;
    if (this.#stop.signal.aborted) {
      this.#refuse(service, module, "closing", STOPPING);
      return;
    }
    const limit = new AbortController();
    const giveUp = (): void => limit.abort();
    const cancel = clock.after(DELIVER_TIMEOUT_MS, giveUp);
    this.#stop.signal.addEventListener("abort", giveUp, { once: true });
    try {
      await Promise.race([link.deliver(message, limit.signal), rejectedAt(limit.signal, module)]);
      report({ type: "downlink", service, accepted: true, message });
    } catch (error) {
      if (this.#stop.signal.aborted) this.#refuse(service, module, "closing", STOPPING);
      else this.#refuse(service, module, refusalOf(error), reasonOf(error));
    } finally {
      cancel();
      this.#stop.signal.removeEventListener("abort", giveUp);
    }
  }

  #refuse(service: string, module: string | undefined, reason: DownlinkRefusal, message: string): void {
    this.#options.report({ type: "downlink", service, accepted: false, module, reason, message });
  }
}

function refusalOf(error: unknown): DownlinkRefusal {
  if (!isSakuraError(error)) return "failed";
  const { reason } = error.context;
  return error.code === "REFUSED" && typeof reason === "string"
    ? reason
    : error.code.toLowerCase().replaceAll("_", "-");
}

/** A link that does not mind the signal must not stop the messages behind this one. */
function rejectedAt(signal: AbortSignal, module: string): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => {
      const context = { reason: "timeout" };
      reject(new SakuraError("REFUSED", `the link of module ${module} did not take it in time`, { context }));
    });
  });
}
