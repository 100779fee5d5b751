/** SPI by way of a Bus Pirate (§6), in mode 0 (§5). */
import type { ByteDuplex } from "../../../protocol/bus.ts";
import {
  BULK_MAX,
  type BusPirateSpiSpeed,
  busPirateBytes,
  encodeBulk,
  encodePeripherals,
  encodeSpiConfig,
  encodeSpiSpeed,
  OK_BYTE,
} from "../../../protocol/bus-pirate.ts";
import type { SakuraError } from "../../../protocol/errors.ts";
import type { BusCallOptions, SpiBus, SpiReading } from "../../bus.ts";
import { systemClock } from "../../clock.ts";
import { type BusPirateOptions, ENTER_MS, LATENCY_MS } from "./i2c.ts";
import { BusPirateSession, type SessionCall } from "./session.ts";
import { BusPirateWire, serialMs } from "./wire.ts";

export interface BusPirateSpiOptions extends BusPirateOptions {
  /** Its outputs are open drain, with pull-ups from what is on its Vpu pin; off unless told: it drives them to 3.3 V. */
  readonly pullUps?: boolean | undefined;
  /** In kHz; 250 unless told (the module bears 350, §5). */
  readonly speed?: BusPirateSpiSpeed | undefined;
}

/**
 * Takes the stream over and puts the Bus Pirate into SPI mode, from whatever state it was left in. Closes the stream
 * when that fails.
 *
 * @throws SakuraError as `openBusPirateI2c`
 */
export async function openBusPirateSpi(duplex: ByteDuplex, options: BusPirateSpiOptions = {}): Promise<SpiBus> {
  const { power = true, pullUps = false, speed = 250, clock = systemClock, signal, timeoutMs = ENTER_MS } = options;
  try {
    const mode0 = { driven: !pullUps, idleHigh: false, activeToIdle: true, sampleAtEnd: false };
    const pins = { power, pullUps, aux: false, chipSelect: true };
    const session = new BusPirateSession(new BusPirateWire(duplex, clock), {
      mode: "spi",
      setup: [
        { step: "setting SPI mode 0", command: encodeSpiConfig(mode0) },
        { step: "setting the speed", command: encodeSpiSpeed(speed) },
        // Last: its chip select is driven as the configuration says.
        { step: "setting power and pull-ups", command: encodePeripherals(pins) },
      ],
      powers: power || pullUps,
      enterMs: timeoutMs,
    });
    await session.enter(signal);
    return new SpiOverBusPirate(duplex, session, speed);
  } catch (error) {
    await duplex.close();
    throw error;
  }
}

const SELECT = Uint8Array.of(busPirateBytes.spiSelect);
const DESELECT = Uint8Array.of(busPirateBytes.spiDeselect);
/** A byte on SPI takes longer than one on the serial line; the receiver holds four, and one too many makes it deaf. */
const SLOW_KHZ = 100;
const SLOW_BULK_MAX = 4;

class SpiOverBusPirate implements SpiBus {
  readonly name: string;
  readonly #duplex: ByteDuplex;
  readonly #session: BusPirateSession;
  readonly #kHz: number;
  readonly #bulkMax: number;

  constructor(duplex: ByteDuplex, session: BusPirateSession, kHz: number) {
    this.name = session.wire.name;
    this.#duplex = duplex;
    this.#session = session;
    this.#kHz = kHz;
    this.#bulkMax = kHz < SLOW_KHZ ? SLOW_BULK_MAX : BULK_MAX;
  }

  exchange(bytes: Uint8Array, reading: SpiReading, { timeoutMs, signal }: BusCallOptions): Promise<Uint8Array> {
    const step = `exchanging ${bytes.length} bytes`;
    const ms = timeoutMs + reading.waitMs + this.#wireMs(bytes.length + reading.most);
    return this.#session.call(step, { ms, signal }, async (call) => {
      try {
        await this.#write(step, bytes, call);
        await call.wait(reading.waitMs);
        return await this.#read(step, reading, call);
      } finally {
        await this.#session.insist("raising chip select", DESELECT);
      }
    });
  }

  onClose(listener: (reason: SakuraError | undefined) => void): () => void {
    return this.#duplex.onClose(listener);
  }

  async close(): Promise<void> {
    await this.#session.leave();
    await this.#duplex.close();
  }

  /**
   * Not by a write-then-read: some firmware does not answer one that reads nothing, and reading clocks out 0xFF.
   */
  async #write(step: string, bytes: Uint8Array, call: SessionCall): Promise<void> {
    // Chip select takes no time, so the first bytes may come right behind it. All else waits for its answer.
    const first = bytes.subarray(0, this.#bulkMax);
    const select = first.length > 0 ? Uint8Array.of(...SELECT, ...encodeBulk(first)) : SELECT;
    await this.#ask(step, select, SELECT.length, first.length, call);
    for (let at = first.length; at < bytes.length; at += this.#bulkMax) {
      await this.#bulk(step, bytes.subarray(at, at + this.#bulkMax), call);
    }
  }

  async #read(step: string, { first, more }: SpiReading, call: SessionCall): Promise<Uint8Array> {
    const received: number[] = [];
    for (let wanted = first; wanted > 0; wanted = more(Uint8Array.from(received))) {
      for (const end = received.length + wanted; received.length < end; ) {
        const length = Math.min(end - received.length, this.#bulkMax);
        received.push(...(await this.#bulk(step, new Uint8Array(length), call)));
      }
    }
    return Uint8Array.from(received);
  }

  #bulk(step: string, bytes: Uint8Array, call: SessionCall): Promise<Uint8Array> {
    return this.#ask(step, encodeBulk(bytes), 0, bytes.length, call);
  }

  /** @param before the answers, all 0x01, before the bulk command's */
  async #ask(step: string, command: Uint8Array, before: number, bulk: number, call: SessionCall): Promise<Uint8Array> {
    const oks = before + (bulk > 0 ? 1 : 0);
    const answer = await call.ask(command, oks + bulk);
    if (answer.subarray(0, oks).some((byte) => byte !== OK_BYTE)) throw this.#session.wrongAnswer(step, answer);
    return answer.subarray(oks);
  }

  /** For so many bytes each way, the latency of each command among it. */
  #wireMs(bytes: number): number {
    const commands = 2 + Math.ceil(bytes / this.#bulkMax);
    return commands * LATENCY_MS + 2 * serialMs(bytes + commands) + (2 * 8 * bytes) / this.#kHz;
  }
}
