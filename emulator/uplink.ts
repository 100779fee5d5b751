/** Uplinks for people without a platform: tests, examples, the command line. */
import type { Clock, Uplink } from "../protocol/bus.ts";
import { formatDateTime } from "../protocol/datetime.ts";
import { SakuraError } from "../protocol/errors.ts";
import { type PlatformMessage, stamp, type UplinkMessage } from "../protocol/message.ts";
import { realClock } from "./clock.ts";

/**
 * An uplink that hands each message, stamped with the time at which it was taken, to a function. When the function
 * throws, the message is refused.
 */
export function uplinkTo(take: (message: PlatformMessage) => void, clock: Clock = realClock): Uplink {
  return {
    async take(message) {
      take(stamp(message, formatDateTime(clock.now())));
    },
  };
}

/**
 * An uplink that keeps what it takes, for tests:
 *
 *     const log = new MessageLog();
 *     const module = new EmulatedModule({ uplink: log });
 *     …
 *     const message = await log.next();
 */
export class MessageLog implements Uplink {
  /** Every message so far, in order. */
  readonly messages: PlatformMessage[] = [];
  readonly #clock: Clock;
  #read = 0;
  #waiters: (() => void)[] = [];

  constructor(clock: Clock = realClock) {
    this.#clock = clock;
  }

  take(message: UplinkMessage): Promise<void> {
    this.messages.push(stamp(message, formatDateTime(this.#clock.now())));
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
    return Promise.resolve();
  }

  /**
   * The next message that `next` has not given yet.
   * @throws SakuraError TIMEOUT when none comes within `timeoutMs` of real time
   */
  async next({ timeoutMs = 5000 }: { timeoutMs?: number } = {}): Promise<PlatformMessage> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const message = this.messages[this.#read];
      if (message) {
        this.#read++;
        return message;
      }
      await this.#arrival(deadline - Date.now(), timeoutMs);
    }
  }

  #arrival(leftMs: number, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((other) => other !== wake);
        reject(new SakuraError("TIMEOUT", `the module sent no message within ${timeoutMs} ms`));
      }, leftMs);
      this.#waiters.push(wake);
    });
  }
}
