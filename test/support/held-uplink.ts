/** An uplink that takes nothing before the test says so. */
import type { Uplink } from "../../protocol/bus.ts";
import { SakuraError } from "../../protocol/errors.ts";
import type { UplinkMessage } from "../../protocol/message.ts";

export class HeldUplink implements Uplink {
  /** Every message that was offered, taken or not. */
  readonly offered: UplinkMessage[] = [];
  readonly #waiting: { readonly resolve: () => void; readonly reject: (reason: unknown) => void }[] = [];

  take(message: UplinkMessage): Promise<void> {
    this.offered.push(message);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Takes the oldest message that waits, and lets the module go on. */
  accept(): Promise<void> {
    this.#oldest().resolve();
    return settled();
  }

  /** Refuses it. */
  refuse(): Promise<void> {
    this.#oldest().reject(new SakuraError("REFUSED", "the outbox is full", { context: { reason: "outbox-full" } }));
    return settled();
  }

  #oldest() {
    const oldest = this.#waiting.shift();
    if (!oldest) throw new Error("no message waits");
    return oldest;
  }
}

/** Everything that does not wait for time has happened. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
