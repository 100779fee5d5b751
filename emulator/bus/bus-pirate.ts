/**
 * A Bus Pirate v3 with the emulated module behind it (§6): an I2C and SPI module for any program that speaks to one.
 *
 *     program ── serial line ── ByteDuplex ── this ──┬── I2C ── module
 *                                                    └── SPI ──┘
 *
 * The serial line is clean and has no speed; the module's faults act on the buses behind it.
 */
import type { ByteDuplex } from "../../protocol/bus.ts";
import {
  ACKNOWLEDGED,
  type BusPirateMode,
  type BusPiratePeripherals,
  busPirateNames,
  FAILED_BYTE,
  NOT_ACKNOWLEDGED,
  OK_BYTE,
} from "../../protocol/bus-pirate.ts";
import { type BusPirateCommand, BusPirateParser } from "../../protocol/bus-pirate-parser.ts";
import type { FrameAnswerer } from "../frame-answerer.ts";
import { BusPirateTerminal } from "./bus-pirate-terminal.ts";
import { attachI2c, type I2cEvent } from "./i2c.ts";
import { I2cLine } from "./i2c-line.ts";
import { attachSpi, type SpiEvent, type SpiTarget } from "./spi.ts";

/** What a program did that a driver of the module would not: for logs, and for tests of programs. */
export type BusPirateEvent =
  | I2cEvent
  | SpiEvent
  /** A byte that is no command in this mode; answered by 0x00. */
  | { readonly kind: "unknown-command"; readonly mode: BusPirateMode; readonly byte: number }
  /** A write-then-read of more than 4096 bytes; answered by 0x00. */
  | { readonly kind: "too-long"; readonly writeCount: number; readonly readCount: number };

export interface BusPirateOptions {
  /** From a request's last byte to the module's answer, in ms, on either bus. */
  readonly readyAfterMs?: number | undefined;
  readonly onEvent?: ((event: BusPirateEvent) => void) | undefined;
}

/**
 * Puts a module behind a Bus Pirate of its own, as just plugged in: in its user terminal. It works without being told
 * any power, pull-ups or speed.
 * @returns takes it off again; the stream stays open
 */
export function attachBusPirate(module: FrameAnswerer, duplex: ByteDuplex, options: BusPirateOptions = {}): () => void {
  const adapter = new EmulatedBusPirate(module, (bytes) => duplex.write(bytes), options);
  const stopBytes = duplex.onBytes((bytes) => adapter.push(bytes));
  const stopClose = duplex.onClose(detach);
  function detach(): void {
    stopBytes();
    stopClose();
  }
  return detach;
}

/** What a master clocks out where it only wants to read, in a real one's SPI write-then-read. */
const SPI_IDLE = 0xff;
/** Answers go out in pieces of this size at the latest: five bytes may ask for four thousand. */
const ANSWER_PIECE = 4096;

class EmulatedBusPirate {
  readonly #parser = new BusPirateParser((command) => this.#act(command));
  readonly #terminal = new BusPirateTerminal((bytes) => this.#say(bytes));
  readonly #i2c: I2cLine;
  readonly #spi: SpiTarget;
  readonly #onEvent: (event: BusPirateEvent) => void;
  readonly #write: (bytes: Uint8Array) => void;
  #mode: BusPirateMode = "terminal";
  #held: number[] = [];

  constructor(
    module: FrameAnswerer,
    write: (bytes: Uint8Array) => void,
    { readyAfterMs, onEvent = () => undefined }: BusPirateOptions,
  ) {
    this.#write = write;
    this.#onEvent = onEvent;
    this.#i2c = new I2cLine(attachI2c(module, { readyAfterMs, onEvent }));
    this.#spi = attachSpi(module, { readyAfterMs, onEvent });
  }

  push(bytes: Uint8Array): void {
    this.#parser.push(bytes);
    this.#flush();
  }

  #answer(byte: number): void {
    this.#held.push(byte);
    if (this.#held.length >= ANSWER_PIECE) this.#flush();
  }

  #say(bytes: Uint8Array): void {
    for (const byte of bytes) this.#answer(byte);
  }

  #flush(): void {
    if (this.#held.length > 0) this.#write(Uint8Array.from(this.#held));
    this.#held = [];
  }

  #act(command: BusPirateCommand): void {
    switch (command.kind) {
      case "typed":
        return this.#terminal.typed(command.byte);
      case "mode":
        this.#letGo();
        this.#mode = command.mode;
        return this.#say(busPirateNames[command.mode]);
      case "name":
        return this.#say(busPirateNames[command.mode]);
      case "leave":
        this.#mode = "terminal";
        this.#answer(OK_BYTE);
        return this.#terminal.reset();
      case "pins":
        // Nothing else moves the pins: each is as it was set last.
        return this.#answer(command.byte & (command.byte >= 0x80 ? 0x7f : 0x1f));
      case "unknown":
        this.#onEvent({ kind: "unknown-command", mode: command.mode, byte: command.byte });
        return this.#answer(FAILED_BYTE);
      case "too-long":
        this.#onEvent(command);
        return this.#answer(FAILED_BYTE);
      case "read":
        return this.#answer(this.#i2c.read());
      case "bulk-byte":
        return this.#answer(this.#bulkByte(command.byte));
      case "write-then-read":
        return this.#mode === "i2c" ? this.#i2cWriteThenRead(command) : this.#spiWriteThenRead(command);
      case "start":
        this.#i2c.start();
        return this.#answer(OK_BYTE);
      case "stop":
        this.#i2c.stop();
        return this.#answer(OK_BYTE);
      case "nack":
        this.#i2c.nack();
        return this.#answer(OK_BYTE);
      case "select":
        this.#spi.select();
        return this.#answer(OK_BYTE);
      case "deselect":
        this.#spi.deselect();
        return this.#answer(OK_BYTE);
      case "peripherals":
        this.#setPins(command.pins);
        return this.#answer(OK_BYTE);
      // An ACK is what the module expects anyway, and neither bus here has a speed or a polarity.
      case "ack":
      case "bulk":
      case "speed":
      case "spi-config":
        return this.#answer(OK_BYTE);
    }
  }

  /** Chip select is one pin, whichever command moves it. */
  #setPins({ chipSelect }: BusPiratePeripherals): void {
    if (this.#mode !== "spi") return;
    if (chipSelect) this.#spi.deselect();
    else this.#spi.select();
  }

  #bulkByte(byte: number): number {
    if (this.#mode === "spi") return this.#spi.exchange(byte);
    return this.#i2c.write(byte) ? ACKNOWLEDGED : NOT_ACKNOWLEDGED;
  }

  #i2cWriteThenRead({ bytes, readCount }: { bytes: Uint8Array; readCount: number }): void {
    this.#i2c.start();
    for (const byte of bytes) {
      if (this.#i2c.write(byte)) continue;
      // Without a STOP, as real ones do it: that is the program's to send.
      this.#answer(FAILED_BYTE);
      return;
    }
    this.#answer(OK_BYTE);
    for (let count = 0; count < readCount; count++) this.#answer(this.#i2c.read());
    if (readCount > 0) this.#i2c.nack();
    this.#i2c.stop();
  }

  #spiWriteThenRead(command: { bytes: Uint8Array; readCount: number; chipSelect: boolean }): void {
    const { bytes, readCount, chipSelect } = command;
    if (chipSelect) this.#spi.select();
    for (const byte of bytes) this.#spi.exchange(byte);
    this.#answer(OK_BYTE);
    for (let count = 0; count < readCount; count++) this.#answer(this.#spi.exchange(SPI_IDLE));
    if (chipSelect) this.#spi.deselect();
  }

  /** Every pin becomes an input with each change of mode, and both buses are pulled to rest. */
  #letGo(): void {
    if (this.#mode === "i2c") this.#i2c.stop();
    if (this.#mode === "spi") this.#spi.deselect();
  }
}
