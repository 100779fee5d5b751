/** What Linux's I2C and SPI have in common as adapters: calls that cannot be cancelled, and an end. */
import type { Clock } from "../../protocol/bus.ts";
import { errnoOf, reasonOf, SakuraError } from "../../protocol/errors.ts";
import type { BusCallOptions } from "../bus.ts";

/** For what the system is doing when the bus is closed. */
const CLOSE_MS = 2000;

export class LinuxBus {
  readonly name: string;
  readonly #clock: Clock;
  readonly #release: () => Promise<void>;
  readonly #listeners = new Set<(reason: SakuraError | undefined) => void>();
  #end: { readonly reason: SakuraError | undefined; readonly released: Promise<void> } | undefined;
  /** Settles when the system has done what it was asked last: also after a caller has given up. */
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(name: string, clock: Clock, release: () => Promise<void>) {
    this.name = name;
    this.#clock = clock;
    this.#release = release;
  }

  /**
   * Has the system do one thing, after whatever it still does.
   * @param step in words, for messages: `writing 3 bytes to 0x4F`
   * @param explain what an error of the system means, where it is one of this bus's own
   * @throws SakuraError as `I2cBus`
   */
  run<T>(
    step: string,
    work: () => Promise<T>,
    { timeoutMs, signal }: BusCallOptions,
    explain: (error: unknown) => SakuraError | undefined = () => undefined,
  ): Promise<T> {
    if (this.#end) return Promise.reject(this.#end.reason ?? this.#closed(step));
    if (signal?.aborted) return Promise.reject(this.#aborted(step, signal));
    return new Promise((resolve, reject) => {
      let over = false;
      const finish = (): void => {
        over = true;
        cancel();
        stopClose();
        signal?.removeEventListener("abort", onAbort);
      };
      const giveUp = (error: SakuraError): void => {
        finish();
        reject(error);
      };
      const onAbort = (): void => giveUp(this.#aborted(step, signal));
      const cancel = this.#clock.after(timeoutMs, () => giveUp(this.#late(step, timeoutMs)));
      const stopClose = this.onClose((reason) => giveUp(reason ?? this.#closed(step)));
      signal?.addEventListener("abort", onAbort, { once: true });
      const done = this.#underWay.then(async () => {
        // What was given up while it waited for the system is not done any more.
        if (over) return;
        const value = await work();
        finish();
        resolve(value);
      });
      this.#underWay = done.catch((error: unknown) => giveUp(explain(error) ?? this.#failed(step, error)));
    });
  }

  onClose(listener: (reason: SakuraError | undefined) => void): () => void {
    if (this.#end) {
      listener(this.#end.reason);
      return () => undefined;
    }
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    return this.#finish(undefined);
  }

  #finish(reason: SakuraError | undefined): Promise<void> {
    if (this.#end) return this.#end.released;
    this.#end = { reason, released: this.#released() };
    // After a loss there is nobody to tell; after close() its caller holds the same promise.
    this.#end.released.catch(() => undefined);
    for (const listener of [...this.#listeners]) listener(reason);
    this.#listeners.clear();
    return this.#end.released;
  }

  /** The system is let go of when it is done; one that hangs is not waited for. */
  #released(): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(CLOSE_MS, resolve);
      this.#underWay
        .then(this.#release)
        .then(resolve, reject)
        .finally(() => cancel());
    });
  }

  #failed(step: string, cause: unknown): SakuraError {
    const context = { port: this.name, step };
    if (errnoOf(cause) === "EBUSY") {
      // The library would take the device for set up with its next call, and speak to no address at all.
      const busy = new SakuraError("PORT_BUSY", `${this.name}, ${step}: a driver of the kernel has that address`, {
        context,
        cause,
      });
      void this.#finish(busy);
      return busy;
    }
    if (errnoOf(cause) === "ENODEV") {
      const lost = new SakuraError("PORT_LOST", `${this.name} went away while ${step}`, { context, cause });
      void this.#finish(lost);
      return lost;
    }
    return new SakuraError("PORT_FAILED", `${this.name} failed while ${step}: ${reasonOf(cause)}`, { context, cause });
  }

  #late(step: string, timeoutMs: number): SakuraError {
    return new SakuraError("NO_ANSWER", `${this.name} was not done with ${step} in ${timeoutMs} ms`, {
      context: { port: this.name, step, timeoutMs },
    });
  }

  #closed(step: string): SakuraError {
    return new SakuraError("CLOSED", `${this.name} was closed while ${step}`, { context: { port: this.name, step } });
  }

  #aborted(step: string, signal: AbortSignal | undefined): SakuraError {
    return new SakuraError("ABORTED", `${step} at ${this.name} was given up`, {
      context: { port: this.name, step },
      cause: signal?.reason,
    });
  }
}

/** The limits with the time on the wire on top: a caller's timeout is for the module (`ExchangeOptions`). */
export function onTop({ timeoutMs, signal }: BusCallOptions, wireMs: number): BusCallOptions {
  return { timeoutMs: timeoutMs + wireMs, signal };
}

/** What an error of the system at the opening of a bus means. @param group whose members may open it */
export function openFailure(path: string, group: string, enable: string, cause: unknown): SakuraError {
  const options = { context: { port: path }, cause };
  switch (errnoOf(cause)) {
    case "ENOENT":
    case "ENODEV":
    case "ENXIO":
      return new SakuraError("PORT_NOT_FOUND", `there is no ${path}: ${enable}`, options);
    case "EACCES":
    case "EPERM":
      return new SakuraError(
        "PORT_DENIED",
        `this user may not open ${path}: join its group ("sudo usermod -aG ${group} $USER", then log in again)`,
        options,
      );
    case "EBUSY":
      return new SakuraError("PORT_BUSY", `${path} is in use by a driver of the kernel: free it first`, options);
    default:
      return new SakuraError("PORT_FAILED", `${path} cannot be opened: ${reasonOf(cause)}`, options);
  }
}
