/** The endpoint's port: opened, let go of for a while, and taken again. */
import type { Server } from "node:tls";
import type { Clock } from "../../protocol/bus.ts";
import { reasonOf } from "../../protocol/errors.ts";
import { closeServer, listen } from "./listen.ts";

export interface ListenerOptions {
  readonly host: string;
  readonly clock: Clock;
  /** One server, not listening yet. */
  readonly create: () => Server;
  /** Told when the port is let go of, taken again, or cannot be. */
  readonly onChange: (listening: boolean, message: string) => void;
}

/** Between two tries to take the port again. */
const RETRY_MS = 1_000;

export class Listener {
  readonly #options: ListenerOptions;
  readonly #closed: Promise<void>[] = [];
  #servers: readonly Server[] = [];
  #port = 0;
  #cancel: (() => void) | undefined;
  #opening: Promise<void> | undefined;
  #closing = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  get port(): number {
    return this.#port;
  }

  /** @throws SakuraError PORT_BUSY, PORT_DENIED or PORT_FAILED */
  async open(port: number): Promise<void> {
    const { host, create } = this.#options;
    const bound = await listen(host, port, create);
    this.#servers = bound.servers;
    this.#port = bound.port;
    if (this.#closing) this.#letGo();
  }

  /** Connections that are there stay. */
  pause(ms: number): void {
    this.#cancel?.();
    if (this.#servers.length > 0) {
      this.#letGo();
      this.#options.onChange(false, `a fault: nothing listens on port ${this.#port} for ${ms} ms`);
    }
    this.#cancel = this.#options.clock.after(ms, () => this.#resume());
  }

  /** Resolves when the last connection is gone. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#cancel?.();
    this.#letGo();
    await this.#opening;
    await Promise.all(this.#closed);
  }

  #resume(): void {
    // One that is still being opened listens in a moment.
    this.#opening ??= this.open(this.#port)
      .then(
        () => this.#options.onChange(true, `port ${this.#port} is listened on again`),
        (error: unknown) => {
          if (this.#closing) return;
          this.#options.onChange(false, `${reasonOf(error)}; tried again in ${RETRY_MS / 1_000} s`);
          this.#cancel = this.#options.clock.after(RETRY_MS, () => this.#resume());
        },
      )
      .finally(() => {
        this.#opening = undefined;
      });
  }

  #letGo(): void {
    this.#closed.push(...this.#servers.map(closeServer));
    this.#servers = [];
  }
}
