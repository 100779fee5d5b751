/**
 * The binary grammar of the Bus Pirate v3 (§6), for both sides of its serial line: what its commands are, and how long
 * the answer to each is.
 *
 *     user terminal ── 0x00, twenty of them ──▶ bitbang (BBIO1) ── 0x02 ──▶ I2C (I2C1)
 *                   ◀── 0x0F ─────────────────        ▲        ── 0x01 ──▶ SPI (SPI1)
 *                                                     └─ 0x00 ───┘
 */
import { SakuraError } from "./errors.ts";

/** What is spoken on the line; in the terminal it is text, for people. */
export type BusPirateMode = "terminal" | "bitbang" | "i2c" | "spi";
/** The modes of the binary grammar. */
export type BusPirateBinaryMode = Exclude<BusPirateMode, "terminal">;

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** What a mode answers when it is entered, and when it is asked which it is (§6). */
export const busPirateNames = { bitbang: ascii("BBIO1"), i2c: ascii("I2C1"), spi: ascii("SPI1") } as const;

/** So many 0x00 lead from the user terminal to bitbang mode (§6). */
export const ZEROS_TO_ENTER = 20;
/** Bytes that one bulk command carries (§6). */
export const BULK_MAX = 16;
/** Bytes that one write-then-read writes, and reads (§6). */
export const WRITE_THEN_READ_MAX = 4096;

/** Commands that are one byte; what it means depends on the mode (§6). */
export const busPirateBytes = {
  /** To bitbang mode from any other; answered by its name. */
  bitbang: 0x00,
  /** In bitbang mode. */
  enterSpi: 0x01,
  enterI2c: 0x02,
  /** In bitbang mode: resets it to its user terminal. Answered by 0x01, then by text. */
  leave: 0x0f,
  /** In I2C and SPI mode: the name of the mode. */
  name: 0x01,
  i2cStart: 0x02,
  i2cStop: 0x03,
  i2cRead: 0x04,
  i2cAck: 0x06,
  i2cNack: 0x07,
  i2cWriteThenRead: 0x08,
  spiSelect: 0x02,
  spiDeselect: 0x03,
  /** Write-then-read with chip select around it. */
  spiWriteThenRead: 0x04,
  /** Write-then-read that leaves chip select alone. */
  spiWriteThenReadBare: 0x05,
} as const;

/** The upper halves of commands whose lower half says more (§6). */
export const busPirateGroups = { bulk: 0x10, peripherals: 0x40, speed: 0x60, spiConfig: 0x80 } as const;

/** What most commands are answered by. */
export const OK_BYTE = 0x01;
/** Not known, not possible, or not acknowledged. */
export const FAILED_BYTE = 0x00;
/** After a byte of an I2C bulk write. */
export const ACKNOWLEDGED = 0x00;
export const NOT_ACKNOWLEDGED = 0x01;

/** kHz, in the order of their codes (§6; the faster SPI ones are from the Bus Pirate's own documentation). */
export const i2cSpeeds = [5, 50, 100, 400] as const;
export const spiSpeeds = [30, 125, 250, 1000, 2000, 2600, 4000, 8000] as const;
/** In kHz. */
export type BusPirateI2cSpeed = (typeof i2cSpeeds)[number];
/** In kHz. */
export type BusPirateSpiSpeed = (typeof spiSpeeds)[number];

/** The pins beside the bus. */
export interface BusPiratePeripherals {
  /** 3.3 V and 5 V for what hangs on it. */
  readonly power: boolean;
  readonly pullUps: boolean;
  readonly aux: boolean;
  /** Chip select high. */
  readonly chipSelect: boolean;
}

export interface BusPirateSpiConfig {
  /** Drives its outputs to 3.3 V; otherwise they are open drain. */
  readonly driven: boolean;
  /** The clock is high between bytes. */
  readonly idleHigh: boolean;
  /** Data change when the clock goes from active to idle: with an idle-low clock, mode 0. */
  readonly activeToIdle: boolean;
  /** Samples at the end of a bit, and not in its middle. */
  readonly sampleAtEnd: boolean;
}

/** `0100wxyz`; answered by 0x01. */
export function encodePeripherals({ power, pullUps, aux, chipSelect }: BusPiratePeripherals): Uint8Array {
  return Uint8Array.of(busPirateGroups.peripherals | nibble(power, pullUps, aux, chipSelect));
}

/** `1000wxyz`; answered by 0x01. */
export function encodeSpiConfig({ driven, idleHigh, activeToIdle, sampleAtEnd }: BusPirateSpiConfig): Uint8Array {
  return Uint8Array.of(busPirateGroups.spiConfig | nibble(driven, idleHigh, activeToIdle, sampleAtEnd));
}

/**
 * `011000ss`; answered by 0x01.
 * @throws SakuraError INVALID_ARGUMENT when it is none of {@link i2cSpeeds}
 */
export function encodeI2cSpeed(kHz: number): Uint8Array {
  return Uint8Array.of(busPirateGroups.speed | codeOf(i2cSpeeds, kHz, "I2C"));
}

/**
 * `01100sss`; answered by 0x01.
 * @throws SakuraError INVALID_ARGUMENT when it is none of {@link spiSpeeds}
 */
export function encodeSpiSpeed(kHz: number): Uint8Array {
  return Uint8Array.of(busPirateGroups.speed | codeOf(spiSpeeds, kHz, "SPI"));
}

/**
 * `0001nnnn` and the bytes: on SPI an exchange, on I2C a write. Answered by 0x01, and by one byte for each.
 * @param bytes 1 to {@link BULK_MAX}
 * @throws SakuraError INVALID_ARGUMENT
 */
export function encodeBulk(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 1 || bytes.length > BULK_MAX) {
    throw new SakuraError("INVALID_ARGUMENT", `a bulk command carries 1 to ${BULK_MAX} bytes, not ${bytes.length}`);
  }
  const command = new Uint8Array(1 + bytes.length);
  command[0] = busPirateGroups.bulk | (bytes.length - 1);
  command.set(bytes, 1);
  return command;
}

/**
 * `0x08`, two counts, the bytes: START, the bytes, so many bytes read, STOP. Answered by 0x01 and the bytes read, or by
 * 0x00 alone when a byte was not acknowledged. No STOP follows then: real ones leave the bus as it is.
 * @param bytes the address byte first
 * @throws SakuraError INVALID_ARGUMENT when either is more than {@link WRITE_THEN_READ_MAX}
 */
export function encodeI2cWriteThenRead(bytes: Uint8Array, readCount: number): Uint8Array {
  for (const count of [bytes.length, readCount]) {
    if (count <= WRITE_THEN_READ_MAX) continue;
    throw new SakuraError(
      "INVALID_ARGUMENT",
      `a Bus Pirate writes and reads at most ${WRITE_THEN_READ_MAX} bytes at once, not ${count}`,
    );
  }
  const command = new Uint8Array(5 + bytes.length);
  command[0] = busPirateBytes.i2cWriteThenRead;
  const counts = new DataView(command.buffer);
  counts.setUint16(1, bytes.length);
  counts.setUint16(3, readCount);
  command.set(bytes, 5);
  return command;
}

function nibble(w: boolean, x: boolean, y: boolean, z: boolean): number {
  return (w ? 8 : 0) | (x ? 4 : 0) | (y ? 2 : 0) | (z ? 1 : 0);
}

function codeOf(speeds: readonly number[], kHz: number, bus: string): number {
  const code = speeds.indexOf(kHz);
  if (code >= 0) return code;
  throw new SakuraError(
    "INVALID_ARGUMENT",
    `a Bus Pirate's ${bus} runs at ${speeds.slice(0, -1).join(", ")} or ${speeds.at(-1)} kHz, not at ${kHz}`,
  );
}
