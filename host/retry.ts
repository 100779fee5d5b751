/** Whether a command that failed is tried again (§1, §7; `repeat` in the command table). */
import { isSakuraError } from "../protocol/errors.ts";
import { isLineFailure } from "./outcome.ts";
import { isUnreached } from "./transport/exchange.ts";

/** A request that was damaged on its way was not carried out, whatever the command. */
const DAMAGED_REQUESTS_MAX = 8;
/** A damaged `len` is refused as a wrong size, which most often means a wrong request. */
const SYNTAX_REFUSALS_MAX = 2;
/** A damaged answer can have a good parity; most often a wrong payload means another module than the table's. */
const WRONG_PAYLOADS_MAX = 2;
/** Before a request that nobody acknowledged is sent again; each wait is twice the one before. */
const UNREACHED_MS = 5;
/** Waits between tries of a module that is busy: the first, the longest, and all together. */
const BUSY_MS = 10;
const BUSY_MS_MAX = 250;
const BUSY_TOTAL_MS = 2000;

/** Counts one command's failures. */
export class Retries {
  readonly #retries: number;
  readonly #noisy: boolean;
  #unanswered = 0;
  #damagedRequests = 0;
  #syntaxRefusals = 0;
  #wrongPayloads = 0;
  #busyMs = 0;
  #nextBusyMs = BUSY_MS;

  /**
   * @param retries how often a try without a good answer is followed by another
   * @param noisy whether bytes can change on the way
   */
  constructor(retries: number, noisy: boolean) {
    this.#retries = retries;
    this.#noisy = noisy;
  }

  /**
   * How long to wait in ms before the next try; nothing when there is to be none.
   * The caller has made sure that the command may be repeated after this failure.
   */
  after(error: unknown): number | undefined {
    if (isLineFailure(error)) {
      if (++this.#unanswered > this.#retries) return undefined;
      // Nobody acknowledged: that is over in no time, and a module that is only busy needs some.
      return isUnreached(error) ? UNREACHED_MS * 2 ** (this.#unanswered - 1) : 0;
    }
    if (isSakuraError(error, "INVALID_PAYLOAD")) {
      return this.#noisy && ++this.#wrongPayloads <= WRONG_PAYLOADS_MAX ? 0 : undefined;
    }
    if (!isSakuraError(error, "MODULE_REFUSED")) return undefined;
    const { status } = error.context;
    switch (status) {
      case "PARITY":
      case "ERROR":
        return ++this.#damagedRequests <= DAMAGED_REQUESTS_MAX ? 0 : undefined;
      case "INVALID_SYNTAX":
        return this.#noisy && ++this.#syntaxRefusals <= SYNTAX_REFUSALS_MAX ? 0 : undefined;
      case "BUSY":
        return this.#busyWait();
      default:
        return undefined;
    }
  }

  #busyWait(): number | undefined {
    const left = BUSY_TOTAL_MS - this.#busyMs;
    if (left <= 0) return undefined;
    const wait = Math.min(this.#nextBusyMs, left);
    this.#busyMs += wait;
    this.#nextBusyMs = Math.min(BUSY_MS_MAX, this.#nextBusyMs * 2);
    return wait;
  }
}
