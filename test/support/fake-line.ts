/** A line without a system underneath: a module on one end, a test on the other. */
import type { ByteDuplex } from "../../protocol/bus.ts";
import { SakuraError } from "../../protocol/errors.ts";

export class FakeLine {
  #written = "";
  #ended = false;
  readonly #byteListeners = new Set<(bytes: Uint8Array) => void>();
  readonly #closeListeners = new Set<(reason: SakuraError | undefined) => void>();

  /** The module's end. */
  readonly duplex: ByteDuplex = {
    name: "fake line",
    write: (bytes) => {
      if (!this.#ended) this.#written += Buffer.from(bytes).toString("latin1");
    },
    onBytes: (listener) => {
      this.#byteListeners.add(listener);
      return () => this.#byteListeners.delete(listener);
    },
    onClose: (listener) => {
      this.#closeListeners.add(listener);
      return () => this.#closeListeners.delete(listener);
    },
    close: async () => this.#end(undefined),
  };

  /** A chunk from the driver: one character is one byte. */
  send(chunk: string): void {
    for (const listener of [...this.#byteListeners]) listener(Uint8Array.from(Buffer.from(chunk, "latin1")));
  }

  /** What the module has written since the last call. */
  read(): string {
    const written = this.#written;
    this.#written = "";
    return written;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** How many listen: none once the module has let go. */
  get listeners(): number {
    return this.#byteListeners.size + this.#closeListeners.size;
  }

  lose(): void {
    this.#end(new SakuraError("PORT_LOST", "the fake line went away"));
  }

  #end(reason: SakuraError | undefined): void {
    this.#ended = true;
    for (const listener of [...this.#closeListeners]) listener(reason);
  }
}
