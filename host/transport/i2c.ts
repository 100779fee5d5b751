/**
 * Frames over I2C (§4): one write carries the request; after a wait, one read carries the answer. Each read starts
 * again at the status byte, so an answer that was damaged on its way, or longer than was read, is just read once more.
 */
import type { Clock } from "../../protocol/bus.ts";
import { isSakuraError, SakuraError } from "../../protocol/errors.ts";
import { FRAME_OVERHEAD } from "../../protocol/frame.ts";
import { I2C_ADDRESS } from "../../protocol/wiring.ts";
import type { I2cBus } from "../bus.ts";
import { pause, systemClock, waitAtLeast } from "../clock.ts";
import { answerSize } from "./answer-size.ts";
import { BusExchange, type BusOptions, type FrameCarrier, WAIT_MS } from "./bus-exchange.ts";
import { abortedError, type ExchangeOptions, type FrameExchange, isUnreached } from "./exchange.ts";

/** Before an answer that was not ready is looked for again, in ms. */
const POLL_MS = 5;

/** The module on an I2C bus. The bus is closed with the exchange. */
export function i2cExchange(bus: I2cBus, { waitMs = WAIT_MS, clock = systemClock }: BusOptions = {}): FrameExchange {
  return new BusExchange(new I2cCarrier(bus, waitMs, clock), clock);
}

class I2cCarrier implements FrameCarrier {
  readonly name: string;
  readonly #bus: I2cBus;
  readonly #waitMs: number;
  readonly #clock: Clock;
  /** The request whose answer the module holds, as far as is known. */
  #asked: Uint8Array | undefined;

  constructor(bus: I2cBus, waitMs: number, clock: Clock) {
    this.name = bus.name;
    this.#bus = bus;
    this.#waitMs = waitMs;
    this.#clock = clock;
  }

  async carry(request: Uint8Array, options: ExchangeOptions): Promise<Uint8Array> {
    this.#asked = undefined;
    await this.#bus.write(I2C_ADDRESS, request, options);
    this.#asked = request;
    await waitAtLeast(this.#clock, this.#waitMs, options.signal);
    return this.#answer(request, options);
  }

  async again(options: ExchangeOptions): Promise<Uint8Array | undefined> {
    return this.#asked && this.#answer(this.#asked, options);
  }

  onClose(listener: (reason: SakuraError | undefined) => void): () => void {
    return this.#bus.onClose(listener);
  }

  close(): Promise<void> {
    return this.#bus.close();
  }

  async #answer(request: Uint8Array, options: ExchangeOptions): Promise<Uint8Array> {
    const end = this.#clock.now() + options.timeoutMs;
    for (;;) {
      if (options.signal?.aborted) throw abortedError(this.name, options.signal);
      const answer = await this.#read(request, options);
      if (answer) return answer;
      if (this.#clock.now() >= end) throw this.#notReady(options.timeoutMs);
      await pause(this.#clock, POLL_MS, options.signal);
    }
  }

  /**
   * The answer as it arrived; nothing while it is not ready: then the module reads as 0x00, which is no status (§1), or
   * does not acknowledge. It has the request by now, so that must not read as if it had not.
   */
  async #read(request: Uint8Array, options: ExchangeOptions): Promise<Uint8Array | undefined> {
    let bytes = await this.#acknowledged(answerSize(request).first, options);
    if (!bytes || bytes[0] === 0) return undefined;
    const length = (bytes[1] ?? 0) + FRAME_OVERHEAD;
    if (length > bytes.length) bytes = await this.#acknowledged(length, options);
    if (!bytes) return undefined;
    // Against what the first read said: bytes that have changed since then fail the frame's own checks.
    return bytes.subarray(0, length);
  }

  async #acknowledged(length: number, options: ExchangeOptions): Promise<Uint8Array | undefined> {
    try {
      return await this.#bus.read(I2C_ADDRESS, length, options);
    } catch (error) {
      if (!isSakuraError(error) || !isUnreached(error)) throw error;
      if (error.code === "NO_ANSWER") return undefined;
      // The adapter failed before it read. What was asked has been asked all the same.
      const context = { ...error.context, reached: undefined };
      throw new SakuraError(error.code, error.message, { context, cause: error });
    }
  }

  #notReady(timeoutMs: number): SakuraError {
    return new SakuraError(
      "NO_ANSWER",
      `the module at ${this.name} took its request and had no answer ready in ${timeoutMs} ms: it is busy (a firmware update?), or another device has its address`,
      { context: { port: this.name, timeoutMs } },
    );
  }
}
