/**
 * The life of a link whose other end may not be there yet, may go, and may come back: opened, lost, opened again.
 * What opening and delivering mean is each link's own.
 */
import type { Clock, Uplink } from "../../../protocol/bus.ts";
import { reasonOf, SakuraError } from "../../../protocol/errors.ts";
import type { DownlinkMessage } from "../../../protocol/message.ts";
import { pause } from "../../clock.ts";
import { Backoff } from "../backoff.ts";
import type { Link, LinkKind, LinkNote, LinkRefusal, LinkState } from "../link.ts";
import { StateHolder } from "../state-holder.ts";

/** What an opening gives. */
export interface OpenLink {
  /** Where the other end is reached, for people and programs. */
  readonly endpoint: string;
  /** Resolves when it is lost, with the reason. Never rejects; may stay pending after `close`. */
  readonly lost: Promise<SakuraError>;
  /** @throws SakuraError REFUSED, see {@link LinkRefusal} */
  deliver(message: DownlinkMessage, signal: AbortSignal | undefined): Promise<void>;
  /** Called once, also after a loss. */
  close(): Promise<void>;
}

export interface RetryingLinkOptions {
  readonly module: string;
  readonly kind: LinkKind;
  /** See {@link Link.mirrors}. */
  readonly mirrors?: boolean | undefined;
  readonly clock: Clock;
  readonly random?: (() => number) | undefined;
  /**
   * Opens it. A rejection is the reason of state `error`, and it is called again.
   * @param signal aborted when the link is closed meanwhile
   * @param note see {@link Link.start}
   */
  open(uplink: Uplink, signal: AbortSignal, note: (note: LinkNote) => void): Promise<OpenLink>;
}

/** A port that is plugged in again should be back while its user is still looking. */
const LINK_BACKOFF = { minMs: 500, maxMs: 5_000 };

export function retryingLink(options: RetryingLinkOptions): Link {
  return new RetryingLink(options);
}

class RetryingLink implements Link {
  readonly module: string;
  readonly kind: LinkKind;
  readonly mirrors: boolean;
  readonly #options: RetryingLinkOptions;
  readonly #state: StateHolder<LinkState>;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  #open: OpenLink | undefined;
  #life: Promise<void> = Promise.resolve();

  constructor(options: RetryingLinkOptions) {
    this.module = options.module;
    this.kind = options.kind;
    this.mirrors = options.mirrors ?? false;
    this.#options = options;
    this.#state = new StateHolder<LinkState>({ state: "starting", since: options.clock.now() });
    this.#backoff = new Backoff({ ...LINK_BACKOFF, random: options.random });
  }

  start(uplink: Uplink, note: (note: LinkNote) => void = () => undefined): void {
    this.#life = this.#live(uplink, note);
  }

  state(): LinkState {
    return this.#state.current;
  }

  onState(listener: (state: LinkState) => void): () => void {
    return this.#state.onChange(listener);
  }

  async deliver(message: DownlinkMessage, signal?: AbortSignal): Promise<void> {
    if (!this.#open) throw linkRefusal("link-down", `the link of module ${this.module} is not up: ${this.#whyDown()}`);
    await this.#open.deliver(message, signal);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#life;
    if (this.#state.current.state !== "stopped") {
      this.#state.set({ state: "stopped", since: this.#options.clock.now() });
    }
  }

  async #live(uplink: Uplink, note: (note: LinkNote) => void): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const reason = await this.#once(uplink, signal, note);
      if (signal.aborted) return;
      const wait = this.#backoff.fail();
      this.#fail(reason, clock.now() + wait);
      await pause(clock, wait, signal);
      if (!signal.aborted) this.#fail(reason, undefined);
    }
  }

  /** Opens it, and waits until it is lost or to be closed. */
  async #once(uplink: Uplink, signal: AbortSignal, note: (note: LinkNote) => void): Promise<string> {
    let open: OpenLink | undefined;
    try {
      open = await this.#options.open(uplink, signal, note);
      if (signal.aborted) return "stopped";
      this.#open = open;
      this.#backoff.reset();
      this.#state.set({ state: "up", since: this.#options.clock.now(), endpoint: open.endpoint });
      const lost = await lostOrAborted(open.lost, signal);
      return lost ? lost.message : "stopped";
    } catch (error) {
      return reasonOf(error);
    } finally {
      this.#open = undefined;
      // What cannot be let go after a loss is gone already; the loss itself is reported.
      await open?.close().catch(() => undefined);
    }
  }

  #fail(reason: string, nextAttempt: number | undefined): void {
    const { current } = this.#state;
    const since = current.state === "error" ? current.since : this.#options.clock.now();
    this.#state.set({ state: "error", since, reason, attempt: this.#backoff.failures, nextAttempt });
  }

  #whyDown(): string {
    const { current } = this.#state;
    return current.state === "error" ? current.reason : current.state;
  }
}

export function linkRefusal(reason: LinkRefusal, message: string, cause?: unknown): SakuraError {
  return new SakuraError("REFUSED", message, { context: { reason }, ...(cause !== undefined && { cause }) });
}

function lostOrAborted(lost: Promise<SakuraError>, signal: AbortSignal): Promise<SakuraError | undefined> {
  return new Promise((resolve) => {
    const finish = (reason: SakuraError | undefined): void => {
      signal.removeEventListener("abort", onAbort);
      resolve(reason);
    };
    const onAbort = (): void => finish(undefined);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    void lost.then(finish);
  });
}
