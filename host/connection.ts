/** The port under a module's client: open, lost and perhaps coming back, or closed. */
import type { Clock } from "../protocol/bus.ts";
import { isSakuraError, reasonOf, SakuraError } from "../protocol/errors.ts";
import type { FrameEvent, FrameExchange, StrayEvent } from "./transport/exchange.ts";

export type PortState =
  | { readonly kind: "open" }
  | {
      readonly kind: "lost";
      readonly reason: SakuraError;
      /** Unix ms of the next attempt to open it; nothing while one is under way, and where it is not opened again. */
      readonly nextAttempt: number | undefined;
    }
  | { readonly kind: "closed" };

export interface ConnectionOptions {
  readonly clock: Clock;
  /** Opens the port again after a loss; without it a lost port stays lost. */
  readonly reopen?: ((signal: AbortSignal) => Promise<FrameExchange>) | undefined;
}

/** The first attempt to open a lost port again comes after this; each wait is twice the one before, up to the most. */
const REOPEN_MS = 200;
const REOPEN_MS_MAX = 2000;

export class Connection {
  readonly #clock: Clock;
  readonly #reopen: ((signal: AbortSignal) => Promise<FrameExchange>) | undefined;
  readonly #stateListeners = new Set<(state: PortState) => void>();
  readonly #frameListeners = new Set<(frame: FrameEvent) => void>();
  readonly #strayListeners = new Set<(stray: StrayEvent) => void>();
  readonly #stop = new AbortController();
  #state: PortState = { kind: "open" };
  #exchange: FrameExchange | undefined;
  #name: string;
  #cancelAttempt: () => void = () => undefined;
  #waitMs = REOPEN_MS;
  #closing: Promise<void> | undefined;

  /** Takes the port over. */
  constructor(exchange: FrameExchange, { clock, reopen }: ConnectionOptions) {
    this.#name = exchange.name;
    this.#clock = clock;
    this.#reopen = reopen;
    this.#adopt(exchange);
  }

  /** Where the module is, for people: an adapter may come back under another name. */
  get name(): string {
    return this.#name;
  }

  get state(): PortState {
    return this.#state;
  }

  /** The open port, if it is. */
  get exchange(): FrameExchange | undefined {
    return this.#exchange;
  }

  /** Whether a lost port is opened again. */
  get reopens(): boolean {
    return this.#reopen !== undefined;
  }

  /** Calls the listener with each new state. Returns its removal. */
  onState(listener: (state: PortState) => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  /** As FrameExchange.onFrame, through every loss. */
  onFrame(listener: (frame: FrameEvent) => void): () => void {
    this.#frameListeners.add(listener);
    return () => this.#frameListeners.delete(listener);
  }

  /** As FrameExchange.onStray, through every loss. */
  onStray(listener: (stray: StrayEvent) => void): () => void {
    this.#strayListeners.add(listener);
    return () => this.#strayListeners.delete(listener);
  }

  /**
   * Gives the open port. Waits for a lost one that is opened again, so long at most; without `timeoutMs` for ever.
   * @throws SakuraError PORT_LOST when it is not there in time, or not opened again; ABORTED; CLOSED
   */
  whenOpen({ timeoutMs, signal }: { timeoutMs?: number; signal?: AbortSignal | undefined }): Promise<FrameExchange> {
    if (this.#exchange) return Promise.resolve(this.#exchange);
    return new Promise((resolve, reject) => {
      const settle = (): boolean => {
        const state = this.#state;
        if (this.#exchange) resolve(this.#exchange);
        else if (state.kind === "closed") reject(closedError(this.name));
        else if (signal?.aborted) reject(new SakuraError("ABORTED", `waiting for ${this.name} was given up`));
        else if (state.kind === "lost" && !this.#reopen) reject(state.reason);
        else return false;
        return true;
      };
      if (settle()) return;
      const finish = (): void => {
        cancel();
        stopListening();
        signal?.removeEventListener("abort", onChange);
      };
      const onChange = (): void => {
        if (settle()) finish();
      };
      const onTime = (): void => {
        finish();
        reject(this.#state.kind === "lost" ? this.#state.reason : closedError(this.name));
      };
      const cancel = timeoutMs === undefined ? () => undefined : this.#clock.after(timeoutMs, onTime);
      const stopListening = this.onState(onChange);
      signal?.addEventListener("abort", onChange, { once: true });
    });
  }

  /** Lets go of the port; whatever waits for it is rejected with CLOSED. Further calls do nothing more. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#cancelAttempt();
    this.#stop.abort();
    this.#set({ kind: "closed" });
    await exchange?.close();
  }

  #adopt(exchange: FrameExchange): void {
    this.#exchange = exchange;
    this.#name = exchange.name;
    this.#waitMs = REOPEN_MS;
    exchange.onFrame((frame) => {
      for (const listener of this.#frameListeners) listener(frame);
    });
    exchange.onStray((stray) => {
      for (const listener of this.#strayListeners) listener(stray);
    });
    // Last: a port that has gone already says so at once.
    exchange.onClose((reason) => this.#lost(exchange, reason));
  }

  #lost(exchange: FrameExchange, reason: SakuraError | undefined): void {
    if (this.#exchange !== exchange) return;
    this.#exchange = undefined;
    // Somebody who shares the port has closed it: for us it is as good as lost.
    this.#wait(reason ?? new SakuraError("PORT_LOST", `${this.name} was closed`, { context: { port: this.name } }));
  }

  #wait(reason: SakuraError): void {
    if (!this.#reopen) {
      this.#set({ kind: "lost", reason, nextAttempt: undefined });
      return;
    }
    const ms = this.#waitMs;
    this.#waitMs = Math.min(REOPEN_MS_MAX, ms * 2);
    const reopen = this.#reopen;
    this.#cancelAttempt = this.#clock.after(ms, () => void this.#attempt(reopen, reason));
    this.#set({ kind: "lost", reason, nextAttempt: this.#clock.now() + ms });
  }

  async #attempt(reopen: (signal: AbortSignal) => Promise<FrameExchange>, reason: SakuraError): Promise<void> {
    this.#set({ kind: "lost", reason, nextAttempt: undefined });
    try {
      const exchange = await reopen(this.#stop.signal);
      if (this.#stop.signal.aborted) {
        await exchange.close();
        return;
      }
      this.#adopt(exchange);
      if (this.#exchange) this.#set({ kind: "open" });
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#wait(stillLost(reason, error, this.name));
    }
  }

  #set(state: PortState): void {
    this.#state = state;
    for (const listener of [...this.#stateListeners]) listener(state);
  }
}

/** PORT_LOST as before, and why it does not come back yet. */
function stillLost(before: SakuraError, error: unknown, port: string): SakuraError {
  if (isSakuraError(error, "PORT_LOST")) return error;
  const cause = before.cause ?? before;
  return new SakuraError("PORT_LOST", `${port} went away and is not back: ${reasonOf(error)}`, {
    context: { port, ...(isSakuraError(error) && { attempt: error.code }) },
    cause,
  });
}

function closedError(port: string): SakuraError {
  return new SakuraError("CLOSED", `${port} was closed`, { context: { port } });
}
