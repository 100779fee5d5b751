/**
 * A firmware under test, in Vitest or any other runner:
 *
 *     const fw = await runFirmware("blink.hex", { bus: "i2c" });
 *     const message = await fw.nextMessage();
 *     await fw.close();
 *
 * Simulated time goes on only while one of its promises is awaited: tests are the same on every machine, and a firmware
 * that nobody waits for costs nothing.
 */
import { z } from "zod";
import type { ChannelEntry } from "../../protocol/channel.ts";
import { SakuraError } from "../../protocol/errors.ts";
import type { PlatformMessage } from "../../protocol/message.ts";
import type { EmulatedModule } from "../module.ts";
import { MessageLog } from "../uplink.ts";
import { loadHex } from "./load-hex.ts";
import type { Note } from "./notes.ts";
import { type PinLevel, pinNamed } from "./pins.ts";
import { textOf } from "./serial-output.ts";
import { Simulation, type SimulationOptions } from "./simulation.ts";

export type RunFirmwareOptions = SimulationOptions;

/** For one wait. */
export interface WaitOptions {
  /** Simulated seconds; 10 unless told otherwise. */
  readonly timeout?: number | undefined;
}

const TIMEOUT_SECONDS = 10;

/** For callers whose compiler does not look: what is left unsaid here is checked where it is used. */
const optionsSchema = z.looseObject({
  bus: z.enum(["i2c", "spi", "uart"]),
  readyAfterMs: z.number().min(0).optional(),
  startTime: z.number().optional(),
  maxRestarts: z.int().min(0).optional(),
});

/**
 * Puts a program on a simulated Arduino Uno with an emulated module on the bus that is named.
 * @param source the path of an Intel HEX file, or its text
 * @throws SakuraError INVALID_ARGUMENT for a file that is no program, and for an option outside its range
 */
export async function runFirmware(source: string | URL, options: RunFirmwareOptions): Promise<Firmware> {
  const checked = optionsSchema.safeParse(options);
  if (!checked.success) {
    const issue = checked.error.issues[0];
    const where = issue?.path.join(".") || "the options";
    throw new SakuraError("INVALID_ARGUMENT", `${where} of runFirmware: ${issue?.message ?? "not valid"}`);
  }
  return new Firmware(await loadHex(source), options);
}

export class Firmware {
  /** Everything about the module can be read and set while the firmware runs. */
  readonly module: EmulatedModule;
  /** Pins by the Uno's names or the ports': `D13`, `A0`, `PB5`. */
  readonly pins = {
    level: (pin: string): PinLevel => this.#simulation.board.level(pinNamed(pin)),
    /** Calls the listener with each new level and the simulated time in seconds. Returns its removal. */
    watch: (pin: string, listener: (level: PinLevel, time: number) => void): (() => void) =>
      this.#simulation.board.watch(pinNamed(pin), (level) => listener(level, this.time)),
  };
  readonly #simulation: Simulation;
  readonly #log: MessageLog;
  #messagesRead = 0;
  #serial = "";
  #serialRead = 0;

  constructor(image: Awaited<ReturnType<typeof loadHex>>, options: RunFirmwareOptions) {
    let log: MessageLog | undefined;
    this.#simulation = new Simulation(image, options, {
      uplink: (clock) => {
        log = new MessageLog(clock);
        return log;
      },
      onSerial: textOf((text) => {
        this.#serial += text;
      }),
    });
    this.#log = log ?? new MessageLog();
    this.module = this.#simulation.module;
  }

  /** Simulated seconds since power-on. */
  get time(): number {
    return this.#simulation.seconds;
  }

  /** Every message that the module has sent up, in order. */
  get messages(): readonly PlatformMessage[] {
    return this.#log.messages;
  }

  /** All that the firmware has written to its USART. */
  get serial(): string {
    return this.#serial;
  }

  /** What the firmware did that would not work on the real thing. */
  get notes(): readonly Note[] {
    return this.#simulation.notes.all;
  }

  /**
   * The next message that this has not given yet.
   * @throws SakuraError TIMEOUT telling what the firmware did instead; FIRMWARE_FAILED when it ran away; ABORTED, CLOSED
   */
  nextMessage({ timeout = TIMEOUT_SECONDS }: WaitOptions = {}): Promise<PlatformMessage> {
    return this.#until(
      () => {
        const message = this.#log.messages[this.#messagesRead];
        if (message) this.#messagesRead++;
        return message;
      },
      timeout,
      "no message came",
    );
  }

  /**
   * The next match in the serial output behind the last one. A text is looked for as it is.
   * @throws SakuraError as {@link nextMessage}
   */
  nextSerial(pattern: RegExp | string, { timeout = TIMEOUT_SECONDS }: WaitOptions = {}): Promise<RegExpExecArray> {
    const expression = anywhere(pattern);
    return this.#until(
      () => {
        const match = expression.exec(this.#serial.slice(this.#serialRead));
        if (match) this.#serialRead += match.index + match[0].length;
        return match ?? undefined;
      },
      timeout,
      `${pattern} did not come on its serial output`,
    );
  }

  /** Sends text or bytes to the firmware's USART, at its own speed. */
  sendSerial(data: string | Uint8Array): void {
    this.#simulation.sendSerial(typeof data === "string" ? new TextEncoder().encode(data) : data);
  }

  /** Sends channels down to the module. @throws SakuraError REFUSED when it is offline or its RX queue is full */
  send(...channels: readonly ChannelEntry[]): void {
    this.module.deliver({ type: "channels", module: this.module.id, payload: { channels } });
  }

  /** Lets so many simulated seconds pass. @throws SakuraError FIRMWARE_FAILED, ABORTED, CLOSED */
  async run(seconds: number): Promise<void> {
    await this.#simulation.until(
      () => undefined,
      seconds,
      () => true,
    );
  }

  /** Ends it; whoever still waits gets CLOSED. */
  async close(): Promise<void> {
    this.#simulation.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #until<T>(find: () => T | undefined, seconds: number, otherwise: string): Promise<T> {
    if (!(seconds >= 0)) {
      const says = `a timeout is a number of simulated seconds from 0, not ${seconds}`;
      return Promise.reject(new SakuraError("INVALID_ARGUMENT", says));
    }
    return this.#simulation.until<T>(find, seconds, () => {
      throw new SakuraError("TIMEOUT", `${otherwise} in ${seconds} simulated seconds: ${this.#simulation.describe()}`, {
        context: { seconds },
      });
    });
  }
}

/** Without the flags that give an expression a memory. */
function anywhere(pattern: RegExp | string): RegExp {
  if (typeof pattern === "string") return new RegExp(pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""));
}
