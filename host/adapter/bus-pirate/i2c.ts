/** I2C by way of a Bus Pirate (§6). */
import type { ByteDuplex, Clock } from "../../../protocol/bus.ts";
import {
  type BusPirateI2cSpeed,
  busPirateBytes,
  encodeI2cSpeed,
  encodeI2cWriteThenRead,
  encodePeripherals,
  FAILED_BYTE,
  OK_BYTE,
} from "../../../protocol/bus-pirate.ts";
import { SakuraError } from "../../../protocol/errors.ts";
import { hexByte } from "../../../protocol/hex.ts";
import type { BusCallOptions, I2cBus } from "../../bus.ts";
import { systemClock } from "../../clock.ts";
import { BusPirateSession } from "./session.ts";
import { BusPirateWire, serialMs } from "./wire.ts";

export interface BusPirateOptions {
  /** Whether it powers what hangs on it; on unless told. Switched off again by `close()`. */
  readonly power?: boolean | undefined;
  readonly clock?: Clock | undefined;
  /** Gives up the opening. */
  readonly signal?: AbortSignal | undefined;
  /** For entering binary mode, from whatever it was left in, in ms; 5000 unless told. */
  readonly timeoutMs?: number | undefined;
}

export interface BusPirateI2cOptions extends BusPirateOptions {
  /** Its pull-up resistors, from what is on its Vpu pin; on unless told. */
  readonly pullUps?: boolean | undefined;
  /** In kHz; 100 unless told (§4). */
  readonly speed?: BusPirateI2cSpeed | undefined;
}

export const ENTER_MS = 5000;
/** The FTDI chip before it keeps an answer for up to 16 ms. */
export const LATENCY_MS = 20;
/** Eight bits and their acknowledgement; twice, because the firmware makes them by hand. */
const CLOCKS_PER_BYTE = 2 * 9;

/**
 * Takes the stream over and puts the Bus Pirate into I2C mode, from whatever state it was left in. Closes the stream
 * when that fails. A call after one whose answer was late, short or wrong does the same first, in `timeoutMs` of its own.
 *
 * @throws SakuraError INVALID_ARGUMENT for a speed that it does not have; NO_ANSWER when it is silent; PORT_FAILED when
 *   something else answers; PORT_LOST, ABORTED
 */
export async function openBusPirateI2c(duplex: ByteDuplex, options: BusPirateI2cOptions = {}): Promise<I2cBus> {
  const { power = true, pullUps = true, speed = 100, clock = systemClock, signal, timeoutMs = ENTER_MS } = options;
  try {
    const pins = { power, pullUps, aux: false, chipSelect: false };
    const session = new BusPirateSession(new BusPirateWire(duplex, clock), {
      mode: "i2c",
      setup: [
        { step: "setting the speed", command: encodeI2cSpeed(speed) },
        { step: "setting power and pull-ups", command: encodePeripherals(pins) },
      ],
      powers: power || pullUps,
      enterMs: timeoutMs,
    });
    await session.enter(signal);
    return new I2cOverBusPirate(duplex, session, speed);
  } catch (error) {
    await duplex.close();
    throw error;
  }
}

class I2cOverBusPirate implements I2cBus {
  readonly name: string;
  readonly #duplex: ByteDuplex;
  readonly #session: BusPirateSession;
  readonly #kHz: number;

  constructor(duplex: ByteDuplex, session: BusPirateSession, kHz: number) {
    this.name = session.wire.name;
    this.#duplex = duplex;
    this.#session = session;
    this.#kHz = kHz;
  }

  async write(address: number, bytes: Uint8Array, options: BusCallOptions): Promise<void> {
    const step = `writing ${count(bytes.length)} to ${hexByte(address)}`;
    const data = Uint8Array.of(addressByte(address, "write"), ...bytes);
    await this.#writeThenRead(step, address, data, 0, options);
  }

  async read(address: number, length: number, options: BusCallOptions): Promise<Uint8Array> {
    if (!Number.isInteger(length) || length < 1) {
      throw new SakuraError("INVALID_ARGUMENT", `reading takes a whole number of bytes from 1, not ${length}`);
    }
    const step = `reading ${count(length)} from ${hexByte(address)}`;
    return this.#writeThenRead(step, address, Uint8Array.of(addressByte(address, "read")), length, options);
  }

  onClose(listener: (reason: SakuraError | undefined) => void): () => void {
    return this.#duplex.onClose(listener);
  }

  async close(): Promise<void> {
    await this.#session.leave();
    await this.#duplex.close();
  }

  /** Either one writes or one reads: what happens between the two differs from firmware to firmware. */
  #writeThenRead(
    step: string,
    address: number,
    bytes: Uint8Array,
    readCount: number,
    { timeoutMs, signal }: BusCallOptions,
  ): Promise<Uint8Array> {
    const command = encodeI2cWriteThenRead(bytes, readCount);
    const onBus = bytes.length + readCount;
    const wireMs = serialMs(command.length + 1 + readCount) + (CLOCKS_PER_BYTE * onBus) / this.#kHz;
    return this.#session.call(step, { ms: timeoutMs + LATENCY_MS + wireMs, signal }, async (call) => {
      const answer = await call.ask(command, 1 + readCount, FAILED_BYTE);
      if (answer[0] === OK_BYTE) return answer.slice(1);
      if (answer[0] !== FAILED_BYTE) throw this.#session.wrongAnswer(step, answer);
      // The firmware leaves the bus as it is when a byte was not acknowledged.
      await this.#session.insist(step, STOP);
      throw new SakuraError(
        "NO_ANSWER",
        `${this.name}, ${step}: nothing acknowledged at ${hexByte(address)}; check wiring, power and pull-ups`,
        { context: { port: this.#duplex.name, step, address, reached: false } },
      );
    });
  }
}

const STOP = Uint8Array.of(busPirateBytes.i2cStop);

function addressByte(address: number, direction: "write" | "read"): number {
  if (!Number.isInteger(address) || address < 0 || address > 0x7f) {
    throw new SakuraError("INVALID_ARGUMENT", `an I2C address is a whole number from 0 to 127, not ${address}`);
  }
  return (address << 1) | (direction === "read" ? 1 : 0);
}

function count(bytes: number): string {
  return `${bytes} byte${bytes === 1 ? "" : "s"}`;
}
