/**
 * Frames over SPI (§5): chip select low, the request, a wait, the answer clocked out against 0x00, chip select high. Its
 * rise ends the exchange wherever it is, so that nothing of it can be taken for the next one's answer.
 */
import type { Clock } from "../../protocol/bus.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { FRAME_OVERHEAD } from "../../protocol/frame.ts";
import type { SpiBus } from "../bus.ts";
import { systemClock } from "../clock.ts";
import { answerSize } from "./answer-size.ts";
import { BusExchange, type BusOptions, type FrameCarrier, WAIT_MS } from "./bus-exchange.ts";
import { abortedError, type ExchangeOptions, type FrameExchange } from "./exchange.ts";

/** What is read from a line that nobody drives. */
const FLOATING = 0xff;

/** The module on an SPI bus. The bus is closed with the exchange. */
export function spiExchange(bus: SpiBus, { waitMs = WAIT_MS, clock = systemClock }: BusOptions = {}): FrameExchange {
  return new BusExchange(new SpiCarrier(bus, waitMs, clock), clock);
}

class SpiCarrier implements FrameCarrier {
  readonly name: string;
  readonly #bus: SpiBus;
  readonly #waitMs: number;
  readonly #clock: Clock;

  constructor(bus: SpiBus, waitMs: number, clock: Clock) {
    this.name = bus.name;
    this.#bus = bus;
    this.#waitMs = waitMs;
    this.#clock = clock;
  }

  async carry(request: Uint8Array, options: ExchangeOptions): Promise<Uint8Array> {
    const { first, most } = answerSize(request);
    /** Counted from the first look: getting an adapter back in step before it takes nothing away. */
    let end: number | undefined;
    const received = await this.#bus.exchange(
      request,
      {
        waitMs: this.#waitMs,
        first,
        most,
        more: (bytes) => {
          end ??= this.#clock.now() + options.timeoutMs;
          const from = startOf(bytes);
          // Nothing but 0x00: the answer is not ready (§5).
          if (from === bytes.length) return this.#clock.now() < end && !options.signal?.aborted ? 1 : 0;
          if (bytes[from] === FLOATING) return 0;
          const size = from + FRAME_OVERHEAD + (bytes[from + 1] ?? 0);
          return Math.max(0, size - bytes.length);
        },
      },
      options,
    );
    return this.#answerIn(received, options);
  }

  /** Chip select has ended it: there is nothing left to read. */
  async again(): Promise<undefined> {
    return undefined;
  }

  onClose(listener: (reason: SakuraError | undefined) => void): () => void {
    return this.#bus.onClose(listener);
  }

  close(): Promise<void> {
    return this.#bus.close();
  }

  #answerIn(received: Uint8Array, { timeoutMs, signal }: ExchangeOptions): Uint8Array {
    const from = startOf(received);
    if (from === received.length && signal?.aborted) throw abortedError(this.name, signal);
    if (from === received.length || received[from] === FLOATING) {
      const seen = from === received.length ? "00" : "FF";
      throw new SakuraError(
        "NO_ANSWER",
        `the module at ${this.name} did not answer in ${timeoutMs} ms, only ${seen} was read: check its power, MISO, MOSI, clock and chip select`,
        { context: { port: this.name, timeoutMs, read: seen } },
      );
    }
    return received.subarray(from, from + FRAME_OVERHEAD + (received[from + 1] ?? 0));
  }
}

/** Where the answer begins: bytes that came before it was ready are 0x00, and no status is (§1, §5). */
function startOf(received: Uint8Array): number {
  const at = received.findIndex((byte) => byte !== 0);
  return at < 0 ? received.length : at;
}
