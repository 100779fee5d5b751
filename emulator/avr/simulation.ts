/**
 * A firmware on the simulated board with an emulated module on one of its buses.
 *
 * Simulated time goes on only while somebody waits for something ({@link Simulation.until}): the same program and the
 * same waits give the same messages at the same simulated times. The CPU runs in slices; after each command that the
 * module answers, and after each wait of the module's own, the slice ends and settled promises run, so that what the
 * module does has happened before the firmware's next instruction. Input from outside comes in every 10 ms.
 */
import type { Clock, Uplink } from "../../protocol/bus.ts";
import { commandByCode } from "../../protocol/commands.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { hexByte } from "../../protocol/hex.ts";
import { statusText } from "../../protocol/status.ts";
import { parseFaults } from "../faults.ts";
import { EmulatedModule } from "../module.ts";
import type { EmulatedModuleOptions } from "../state.ts";
import { Board } from "./board.ts";
import { cycleClock } from "./cycle-clock.ts";
import { haltError } from "./halt.ts";
import type { FlashImage } from "./intel-hex.ts";
import { type Note, Notes } from "./notes.ts";
import { Pace } from "./pace.ts";
import { pinNamed } from "./pins.ts";
import { CPU_HZ } from "./registers.ts";
import { SerialLine } from "./serial-line.ts";
import { SerialOutput, textOf } from "./serial-output.ts";
import { Waits } from "./waits.ts";
import type { Wire } from "./wire.ts";
import { wireI2c } from "./wire-i2c.ts";
import { wireSpi } from "./wire-spi.ts";
import { wireUart } from "./wire-uart.ts";

/** How the module is joined to the firmware. On `uart` the USART is the module's, and the firmware has no serial output. */
export type Bus = "i2c" | "spi" | "uart";

export interface SimulationOptions {
  readonly bus: Bus;
  /** The pin of chip select, for `spi`; D10 unless told otherwise. */
  readonly cs?: string | undefined;
  /** The module's settings; its clock is the simulated one. */
  readonly module?: Omit<EmulatedModuleOptions, "clock" | "uplink"> | undefined;
  /** `flip=P,drop=P,busy=P,delay=MS,seed=N` */
  readonly faults?: string | undefined;
  /** From a request's last byte to the answer, in ms, on I2C and SPI. */
  readonly readyAfterMs?: number | undefined;
  /** Unix time in ms at power-on; the wall's unless told otherwise. */
  readonly startTime?: number | undefined;
  /** Not faster than the real thing. As fast as this machine can otherwise. */
  readonly realTime?: boolean | undefined;
  /** Jumps to address 0 that are let pass before the firmware counts as run away; 10 unless told otherwise. */
  readonly maxRestarts?: number | undefined;
  /** Ends every wait with ABORTED. */
  readonly signal?: AbortSignal | undefined;
}

/** The simulation's own ends, which its user joins. */
export interface SimulationEnds {
  readonly uplink: (clock: Clock) => Uplink;
  /** What the firmware writes to its USART, where that is not the module's. */
  readonly onSerial?: ((bytes: Uint8Array) => void) | undefined;
  readonly onNote?: ((note: Note) => void) | undefined;
}

/** 10 ms of simulated time, some 3 ms of this machine's. */
const SLICE_CYCLES = 160_000;
/** A firmware that has not asked the module anything by then gets a note. */
const SILENT_SECONDS = 5;
const MAX_RESTARTS = 10;
/** Of the serial output, in what is told to whoever waited in vain. */
const TAIL = 60;

export class Simulation {
  readonly board: Board;
  readonly module: EmulatedModule;
  readonly notes: Notes;
  readonly #wire: Wire;
  readonly #serial: SerialOutput | undefined;
  readonly #serialIn: SerialLine | undefined;
  readonly #pace: Pace | undefined;
  readonly #waits = new Waits();
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;
  /** The cycle at which the system's events get their turn. */
  #turnAt = SLICE_CYCLES;
  #driving = false;
  #closed = false;
  #commands = 0;
  #lastCommand = "";
  #serialTail = "";

  /** @throws SakuraError INVALID_ARGUMENT for an option that is none */
  constructor(image: FlashImage, options: SimulationOptions, ends: SimulationEnds) {
    const { bus, readyAfterMs } = options;
    const board = new Board(image, { maxRestarts: options.maxRestarts ?? MAX_RESTARTS });
    const clock = cycleClock(board, options.startTime ?? Date.now());
    this.board = board;
    this.module = new EmulatedModule({ ...options.module, clock, uplink: ends.uplink(clock) });
    this.module.setFaults(parseFaults(options.faults ?? ""));
    this.module.onFrame((request, answer) => this.#answered(request, answer));
    this.notes = new Notes(
      () => board.seconds,
      (note) => ends.onNote?.(note),
    );
    switch (bus) {
      case "i2c":
        this.#wire = wireI2c(board, this.module, this.notes, readyAfterMs);
        break;
      case "spi":
        this.#wire = wireSpi(board, this.module, this.notes, pinNamed(options.cs ?? "D10"), readyAfterMs);
        break;
      case "uart":
        this.#wire = wireUart(board, this.module, this.notes);
        break;
    }
    if (bus !== "uart") {
      this.#serialIn = new SerialLine(board);
      const keepTail = textOf((text) => {
        this.#serialTail = (this.#serialTail + text).slice(-TAIL);
      });
      this.#serial = new SerialOutput(board, (bytes) => {
        keepTail(bytes);
        ends.onSerial?.(bytes);
      });
    }
    board.usart.onLost = (reason) =>
      this.notes.tell(
        "serial-lost",
        reason === "off"
          ? "the firmware writes to its USART with the transmitter off (TXEN is 0): nothing leaves"
          : "the firmware writes to its USART faster than it sends, without waiting for UDRE: bytes are lost",
      );
    this.#pace = options.realTime ? new Pace(board) : undefined;
    this.#signal = options.signal;
    this.#onAbort = () => this.#waits.failAll(abortedError());
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Simulated seconds since power-on. */
  get seconds(): number {
    return this.board.seconds;
  }

  /** Commands that the module has answered, or not answered, so far. */
  get commands(): number {
    return this.#commands;
  }

  /** Sends bytes to the firmware's USART, at its own speed; nothing where the USART is the module's. */
  sendSerial(bytes: Uint8Array): void {
    this.#serialIn?.send(bytes);
  }

  /**
   * Runs until `find` gives something, which is asked after each slice, or until that many simulated seconds have
   * passed; then it gives what `expired` gives or throws.
   * @throws SakuraError FIRMWARE_FAILED when the firmware cannot run on, ABORTED, CLOSED
   */
  until<T>(find: () => T | undefined, seconds: number, expired: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(closedError());
    if (this.#signal?.aborted) return Promise.reject(abortedError());
    const wait = this.#waits.add(find, this.board.cpu.cycles + seconds * CPU_HZ, expired);
    if (!this.#driving) void this.#drive();
    return wait;
  }

  /** What the firmware has done so far, for whoever waited in vain: `its TWI sent no START; it wrote no serial output`. */
  describe(): string {
    const asked =
      this.#commands === 0
        ? "it asked the module nothing"
        : `the module got ${this.#commands} command${this.#commands === 1 ? "" : "s"}, the last ${this.#lastCommand}`;
    const wrote =
      this.#serialTail === ""
        ? "it wrote no serial output"
        : `its serial output ends with ${JSON.stringify(this.#serialTail)}`;
    return [asked, this.#wire.describe(), ...(this.#serial ? [wrote] : [])].join("; ");
  }

  /** Ends it: every wait, and every later one, is rejected with CLOSED. */
  close(): void {
    this.#closed = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#waits.failAll(closedError());
  }

  #answered(request: Uint8Array, answer: Uint8Array | undefined): void {
    this.#commands++;
    const name = commandByCode(request[0] ?? 0) ?? hexByte(request[0] ?? 0);
    this.#lastCommand = `${name}, answered ${answer ? statusText(answer[0] ?? 0) : "with silence"}`;
    this.board.pause();
  }

  async #drive(): Promise<void> {
    this.#driving = true;
    try {
      // What is there already needs no time; and waits that begin together run together.
      await turn();
      this.#pace?.begin();
      while (this.#waits.size > 0) {
        if (this.#waits.settle(this.board.cpu.cycles)) {
          // Whoever has been waiting goes first.
          await turn();
          continue;
        }
        await this.#slice();
      }
    } catch (error) {
      this.#waits.failAll(error);
    } finally {
      this.#driving = false;
    }
  }

  async #slice(): Promise<void> {
    const { board } = this;
    board.run(Math.min(this.#turnAt, this.#waits.deadline));
    if (board.cpu.cycles < this.#turnAt) {
      await settled();
    } else {
      await turn();
      this.#turnAt = board.cpu.cycles + SLICE_CYCLES;
    }
    this.#serial?.flush();
    this.#look();
    if (board.halted) {
      // What it did before it ran away counts.
      this.#waits.settle(Number.NEGATIVE_INFINITY);
      throw haltError(board.halted, board.seconds);
    }
    await this.#pace?.keep();
  }

  #look(): void {
    const { board, notes } = this;
    if (board.restarts > 0)
      notes.tell("restart", "the firmware jumped to address 0 without a reset, as an interrupt without a handler does");
    if (board.clock.prescaler !== 1)
      notes.tell("clock-prescaler", "the firmware divides its clock (CLKPR); simulated time goes on as at 16 MHz");
    if (this.#commands === 0 && board.seconds >= SILENT_SECONDS)
      notes.tell("silent", `after ${SILENT_SECONDS} simulated seconds: ${this.describe()}`);
  }
}

/** Lets settled promises run, and those that they settle, to the last. */
function settled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

/** Lets the system's events come in too: input, signals, files. It costs ten times as much. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function abortedError(): SakuraError {
  return new SakuraError("ABORTED", "the simulation was aborted");
}

function closedError(): SakuraError {
  return new SakuraError("CLOSED", "the simulation was closed");
}
