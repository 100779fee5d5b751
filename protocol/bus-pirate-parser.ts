/** What a Bus Pirate understands (§6): bytes in, commands out, however the bytes are split. */
import {
  type BusPirateBinaryMode,
  type BusPirateMode,
  type BusPiratePeripherals,
  type BusPirateSpiConfig,
  busPirateBytes,
  busPirateGroups,
  i2cSpeeds,
  spiSpeeds,
  WRITE_THEN_READ_MAX,
  ZEROS_TO_ENTER,
} from "./bus-pirate.ts";

/** One command, told as soon as the device would act on it. */
export type BusPirateCommand =
  /** A byte in the user terminal that does not lead out of it. */
  | { readonly kind: "typed"; readonly byte: number }
  /** A mode was entered, or bitbang mode once more; answered by its name. */
  | { readonly kind: "mode"; readonly mode: BusPirateBinaryMode }
  /** Which mode is it? Answered by its name. */
  | { readonly kind: "name"; readonly mode: "i2c" | "spi" }
  /** Binary mode was left. */
  | { readonly kind: "leave" }
  /** A pin's direction or level was set, in bitbang mode; answered by a byte with the levels. */
  | { readonly kind: "pins"; readonly byte: number }
  | { readonly kind: "start" | "stop" | "read" | "ack" | "nack" | "select" | "deselect" }
  /** A bulk command begins; answered at once, and then byte by byte. */
  | { readonly kind: "bulk"; readonly bytes: number }
  | { readonly kind: "bulk-byte"; readonly byte: number }
  | {
      readonly kind: "write-then-read";
      readonly bytes: Uint8Array;
      readonly readCount: number;
      /** Chip select goes around it; on I2C it has no meaning. */
      readonly chipSelect: boolean;
    }
  /** A write-then-read with a count that is too high; refused at once, its bytes are taken for commands. */
  | { readonly kind: "too-long"; readonly writeCount: number; readonly readCount: number }
  | { readonly kind: "peripherals"; readonly pins: BusPiratePeripherals }
  /** In kHz. */
  | { readonly kind: "speed"; readonly kHz: number }
  | { readonly kind: "spi-config"; readonly config: BusPirateSpiConfig }
  | { readonly kind: "unknown"; readonly mode: BusPirateMode; readonly byte: number };

/** What the bytes that come next are. */
type Expecting =
  | { readonly kind: "command" }
  | { readonly kind: "bulk"; left: number }
  | { readonly kind: "counts"; readonly chipSelect: boolean; readonly bytes: Uint8Array; got: number }
  | {
      readonly kind: "data";
      readonly chipSelect: boolean;
      readonly bytes: Uint8Array;
      readonly readCount: number;
      got: number;
    };

const COMMAND: Expecting = { kind: "command" };
const COUNTS_LENGTH = 4;

/** Keeps no more than the {@link WRITE_THEN_READ_MAX} bytes of one command. */
export class BusPirateParser {
  readonly #onCommand: (command: BusPirateCommand) => void;
  #mode: BusPirateMode = "terminal";
  #zeros = 0;
  #expecting: Expecting = COMMAND;

  /** Begins in the user terminal, as after power-up. */
  constructor(onCommand: (command: BusPirateCommand) => void) {
    this.#onCommand = onCommand;
  }

  get mode(): BusPirateMode {
    return this.#mode;
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += this.#take(bytes, at);
  }

  /** Takes at least the byte at this place; gives how many it took. */
  #take(bytes: Uint8Array, at: number): number {
    const byte = bytes[at] ?? 0;
    const expecting = this.#expecting;
    switch (expecting.kind) {
      case "command":
        this.#command(byte);
        return 1;
      case "bulk":
        if (--expecting.left === 0) this.#expecting = COMMAND;
        this.#onCommand({ kind: "bulk-byte", byte });
        return 1;
      case "counts":
        expecting.bytes[expecting.got++] = byte;
        if (expecting.got === COUNTS_LENGTH) this.#counted(expecting.bytes, expecting.chipSelect);
        return 1;
      case "data": {
        const part = bytes.subarray(at, at + expecting.bytes.length - expecting.got);
        expecting.bytes.set(part, expecting.got);
        expecting.got += part.length;
        if (expecting.got === expecting.bytes.length) this.#complete(expecting);
        return part.length;
      }
    }
  }

  #command(byte: number): void {
    switch (this.#mode) {
      case "terminal":
        if (byte !== 0 || ++this.#zeros < ZEROS_TO_ENTER) return this.#onCommand({ kind: "typed", byte });
        return this.#enter("bitbang");
      case "bitbang":
        return this.#bitbang(byte);
      case "i2c":
        return this.#i2c(byte);
      case "spi":
        return this.#spi(byte);
    }
  }

  #enter(mode: BusPirateBinaryMode): void {
    this.#mode = mode;
    this.#onCommand({ kind: "mode", mode });
  }

  #bitbang(byte: number): void {
    if (byte === busPirateBytes.bitbang) return this.#enter("bitbang");
    if (byte === busPirateBytes.enterSpi) return this.#enter("spi");
    if (byte === busPirateBytes.enterI2c) return this.#enter("i2c");
    if (byte === busPirateBytes.leave) {
      this.#mode = "terminal";
      this.#zeros = 0;
      return this.#onCommand({ kind: "leave" });
    }
    // 010xxxxx and 1xxxxxxx set pins, in the Bus Pirate's own documentation of its bitbang mode.
    if (byte >= 0x80 || (byte & 0xe0) === 0x40) return this.#onCommand({ kind: "pins", byte });
    this.#onCommand({ kind: "unknown", mode: "bitbang", byte });
  }

  #i2c(byte: number): void {
    switch (byte) {
      case busPirateBytes.i2cStart:
        return this.#onCommand({ kind: "start" });
      case busPirateBytes.i2cStop:
        return this.#onCommand({ kind: "stop" });
      case busPirateBytes.i2cRead:
        return this.#onCommand({ kind: "read" });
      case busPirateBytes.i2cAck:
        return this.#onCommand({ kind: "ack" });
      case busPirateBytes.i2cNack:
        return this.#onCommand({ kind: "nack" });
      case busPirateBytes.i2cWriteThenRead:
        return this.#expectCounts(false);
    }
    if ((byte & 0xfc) === busPirateGroups.speed) {
      return this.#onCommand({ kind: "speed", kHz: i2cSpeeds[byte & 3] ?? 0 });
    }
    this.#shared(byte, "i2c");
  }

  #spi(byte: number): void {
    switch (byte) {
      case busPirateBytes.spiSelect:
        return this.#onCommand({ kind: "select" });
      case busPirateBytes.spiDeselect:
        return this.#onCommand({ kind: "deselect" });
      case busPirateBytes.spiWriteThenRead:
        return this.#expectCounts(true);
      case busPirateBytes.spiWriteThenReadBare:
        return this.#expectCounts(false);
    }
    if ((byte & 0xf8) === busPirateGroups.speed) {
      return this.#onCommand({ kind: "speed", kHz: spiSpeeds[byte & 7] ?? 0 });
    }
    if ((byte & 0xf0) === busPirateGroups.spiConfig) {
      const [driven, idleHigh, activeToIdle, sampleAtEnd] = bitsOf(byte);
      return this.#onCommand({ kind: "spi-config", config: { driven, idleHigh, activeToIdle, sampleAtEnd } });
    }
    this.#shared(byte, "spi");
  }

  /** What I2C and SPI mode have in common. */
  #shared(byte: number, mode: "i2c" | "spi"): void {
    if (byte === busPirateBytes.bitbang) return this.#enter("bitbang");
    if (byte === busPirateBytes.name) return this.#onCommand({ kind: "name", mode });
    if ((byte & 0xf0) === busPirateGroups.bulk) {
      const bytes = (byte & 0x0f) + 1;
      this.#expecting = { kind: "bulk", left: bytes };
      return this.#onCommand({ kind: "bulk", bytes });
    }
    if ((byte & 0xf0) === busPirateGroups.peripherals) {
      const [power, pullUps, aux, chipSelect] = bitsOf(byte);
      return this.#onCommand({ kind: "peripherals", pins: { power, pullUps, aux, chipSelect } });
    }
    this.#onCommand({ kind: "unknown", mode, byte });
  }

  #expectCounts(chipSelect: boolean): void {
    this.#expecting = { kind: "counts", chipSelect, bytes: new Uint8Array(COUNTS_LENGTH), got: 0 };
  }

  #counted(counts: Uint8Array, chipSelect: boolean): void {
    const view = new DataView(counts.buffer);
    const writeCount = view.getUint16(0);
    const readCount = view.getUint16(2);
    if (writeCount > WRITE_THEN_READ_MAX || readCount > WRITE_THEN_READ_MAX) {
      this.#expecting = COMMAND;
      this.#onCommand({ kind: "too-long", writeCount, readCount });
      return;
    }
    const data = { kind: "data", chipSelect, bytes: new Uint8Array(writeCount), readCount, got: 0 } as const;
    this.#expecting = data;
    if (writeCount === 0) this.#complete(data);
  }

  #complete({ bytes, readCount, chipSelect }: Extract<Expecting, { kind: "data" }>): void {
    this.#expecting = COMMAND;
    this.#onCommand({ kind: "write-then-read", bytes, readCount, chipSelect });
  }
}

function bitsOf(byte: number): [boolean, boolean, boolean, boolean] {
  return [(byte & 8) !== 0, (byte & 4) !== 0, (byte & 2) !== 0, (byte & 1) !== 0];
}
