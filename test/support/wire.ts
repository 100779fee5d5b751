/** I2C and SPI with nothing between the host and the emulated module but a wire that is written down. */
import { attachI2c, type I2cOptions, type I2cTarget } from "../../emulator/bus/i2c.ts";
import { attachSpi, type SpiOptions, type SpiTarget } from "../../emulator/bus/spi.ts";
import type { EmulatedModule } from "../../emulator/module.ts";
import type { I2cBus, SpiBus, SpiReading } from "../../host/bus.ts";
import { waitAtLeast } from "../../host/clock.ts";
import type { Clock } from "../../protocol/bus.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { hex } from "./desk.ts";

/** What both wires are to a test. */
class Wire {
  readonly name = "the wire";
  /** Each transaction: `W A1 00 A1`, `R 13`, with the module's time in ms since the wire was there. */
  readonly log: string[] = [];
  readonly times: number[] = [];
  /** Called before each transaction; what it throws, the transaction throws. */
  before: (transaction: string) => void | Promise<void> = () => undefined;
  readonly #start: number;
  readonly #clock: Clock;
  #listeners: ((reason: SakuraError | undefined) => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#start = clock.now();
  }

  protected async begin(transaction: string): Promise<void> {
    this.log.push(transaction);
    this.times.push(this.#clock.now() - this.#start);
    await this.before(transaction);
  }

  onClose(listener: (reason: SakuraError | undefined) => void): () => void {
    this.#listeners.push(listener);
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
    };
  }

  async close(): Promise<void> {
    for (const listener of this.#listeners.splice(0)) listener(undefined);
  }
}

export class I2cWire extends Wire implements I2cBus {
  readonly target: I2cTarget;

  constructor(module: EmulatedModule, options: I2cOptions = {}) {
    super(module.clock);
    this.target = attachI2c(module, options);
  }

  async write(address: number, bytes: Uint8Array): Promise<void> {
    await this.begin(`W ${hex(bytes)}`);
    const acknowledged =
      address === this.target.address && this.target.start("write") && bytes.every((byte) => this.target.write(byte));
    this.target.stop();
    if (!acknowledged) throw notAcknowledged();
  }

  async read(address: number, length: number): Promise<Uint8Array> {
    await this.begin(`R ${length}`);
    if (address !== this.target.address || !this.target.start("read")) throw notAcknowledged();
    const bytes = Uint8Array.from({ length }, () => this.target.read());
    this.target.stop();
    return bytes;
  }
}

export class SpiWire extends Wire implements SpiBus {
  readonly target: SpiTarget;
  readonly #clock: Clock;
  /** Whether it clocks the longest answer at once, as Linux does. */
  readonly #atOnce: boolean;

  constructor(module: EmulatedModule, { atOnce = false, ...options }: SpiOptions & { atOnce?: boolean } = {}) {
    super(module.clock);
    this.#clock = module.clock;
    this.#atOnce = atOnce;
    this.target = attachSpi(module, options);
  }

  async exchange(bytes: Uint8Array, reading: SpiReading): Promise<Uint8Array> {
    await this.begin(`X ${hex(bytes)}`);
    const { target } = this;
    target.select();
    for (const byte of bytes) target.exchange(byte);
    await waitAtLeast(this.#clock, reading.waitMs);
    const received: number[] = [];
    const clock = (count: number): void => {
      for (let i = 0; i < count; i++) received.push(target.exchange(0));
      this.log.push(`R ${count}`);
    };
    clock(this.#atOnce ? reading.most : reading.first);
    while (!this.#atOnce) {
      const more = reading.more(Uint8Array.from(received));
      if (more === 0) break;
      clock(more);
      // A byte takes its time: without it, a module that is not ready would never be.
      await waitAtLeast(this.#clock, 1);
    }
    target.deselect();
    return Uint8Array.from(received);
  }
}

function notAcknowledged(): SakuraError {
  return new SakuraError("NO_ANSWER", "nothing acknowledges", { context: { reached: false } });
}
