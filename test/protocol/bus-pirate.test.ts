/** The Bus Pirate's binary grammar (module-protocol §6), byte for byte. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type BusPirateCommand,
  BusPirateParser,
  busPirateNames,
  encodeBulk,
  encodeI2cSpeed,
  encodeI2cWriteThenRead,
  encodePeripherals,
  encodeSpiConfig,
  encodeSpiSpeed,
} from "../../protocol/index.ts";
import { asciiBytes, bytes } from "../vectors/bytes.ts";
import { cuts, pieces } from "./arbitraries.ts";
import { thrown } from "./thrown.ts";

function understood(...chunks: Uint8Array[]): BusPirateCommand[] {
  const commands: BusPirateCommand[] = [];
  const parser = new BusPirateParser((command) => commands.push(command));
  for (const chunk of chunks) parser.push(chunk);
  return commands;
}

const ZEROS = new Uint8Array(20);
const I2C = bytes("02");
const SPI = bytes("01");
/** What the bytes mean in that mode. */
const inMode = (mode: Uint8Array, hex: string) => understood(ZEROS, mode, bytes(hex)).slice(21);

describe("what the host says", () => {
  it("names the modes", () => {
    expect(busPirateNames).toEqual({ bitbang: asciiBytes("BBIO1"), i2c: asciiBytes("I2C1"), spi: asciiBytes("SPI1") });
  });

  it.each([
    ["power and pull-ups", { power: true, pullUps: true, aux: false, chipSelect: false }, "4C"],
    ["AUX", { power: false, pullUps: false, aux: true, chipSelect: false }, "42"],
    ["power, chip select high", { power: true, pullUps: false, aux: false, chipSelect: true }, "49"],
    ["nothing", { power: false, pullUps: false, aux: false, chipSelect: false }, "40"],
  ])("0100wxyz: %s", (_what, pins, command) => {
    expect(encodePeripherals(pins)).toEqual(bytes(command));
  });

  it("1000wxyz: mode 0, driven, is an idle-low clock whose data change from active to idle", () => {
    expect(encodeSpiConfig({ driven: true, idleHigh: false, activeToIdle: true, sampleAtEnd: false })).toEqual(
      bytes("8A"),
    );
    expect(encodeSpiConfig({ driven: false, idleHigh: true, activeToIdle: false, sampleAtEnd: true })).toEqual(
      bytes("85"),
    );
  });

  it("011000ss and 01100sss", () => {
    expect([5, 50, 100, 400].map((kHz) => encodeI2cSpeed(kHz)[0])).toEqual([0x60, 0x61, 0x62, 0x63]);
    expect([30, 125, 250, 1000].map((kHz) => encodeSpiSpeed(kHz)[0])).toEqual([0x60, 0x61, 0x62, 0x63]);
  });

  it("refuses a speed that there is not", () => {
    thrown("INVALID_ARGUMENT", () => encodeI2cSpeed(200));
    expect(thrown("INVALID_ARGUMENT", () => encodeSpiSpeed(350)).message).toBe(
      "a Bus Pirate's SPI runs at 30, 125, 250, 1000, 2000, 2600, 4000 or 8000 kHz, not at 350",
    );
  });

  it("0001nnnn and 1 to 16 bytes", () => {
    expect(encodeBulk(bytes("A5"))).toEqual(bytes("10 A5"));
    expect(encodeBulk(bytes("A1 00 A1"))).toEqual(bytes("12 A1 00 A1"));
    expect(encodeBulk(new Uint8Array(16))[0]).toBe(0x1f);
    for (const length of [0, 17]) {
      thrown("INVALID_ARGUMENT", () => encodeBulk(new Uint8Array(length)));
    }
  });

  it("0x08 and two counts, high byte first", () => {
    expect(encodeI2cWriteThenRead(bytes("9E A1 00 A1"), 0)).toEqual(bytes("08 00 04 00 00 9E A1 00 A1"));
    expect(encodeI2cWriteThenRead(bytes("9F"), 258)).toEqual(bytes("08 00 01 01 02 9F"));
    expect(encodeI2cWriteThenRead(new Uint8Array(4096), 4096).subarray(0, 5)).toEqual(bytes("08 10 00 10 00"));
    for (const [write, read] of [
      [4097, 0],
      [0, 4097],
    ] as const) {
      thrown("INVALID_ARGUMENT", () => encodeI2cWriteThenRead(new Uint8Array(write), read));
    }
  });
});

describe("what the device understands", () => {
  it("is nothing before the twentieth 0x00, whatever is typed between", () => {
    expect(understood(new Uint8Array(19), asciiBytes("i\r")).filter(({ kind }) => kind !== "typed")).toEqual([]);
    expect(understood(new Uint8Array(10), asciiBytes("i"), new Uint8Array(10)).at(-1)).toEqual({
      kind: "mode",
      mode: "bitbang",
    });
  });

  it("in bitbang mode: each further 0x00, the modes, pins, and 0x0F, after which it takes twenty again", () => {
    expect(understood(ZEROS, bytes("00 41 FF 10 01 00 02 00 0F 00 02")).slice(19)).toEqual([
      { kind: "mode", mode: "bitbang" },
      { kind: "mode", mode: "bitbang" },
      { kind: "pins", byte: 0x41 },
      { kind: "pins", byte: 0xff },
      { kind: "unknown", mode: "bitbang", byte: 0x10 },
      { kind: "mode", mode: "spi" },
      { kind: "mode", mode: "bitbang" },
      { kind: "mode", mode: "i2c" },
      { kind: "mode", mode: "bitbang" },
      { kind: "leave" },
      { kind: "typed", byte: 0x00 },
      { kind: "typed", byte: 0x02 },
    ]);
  });

  it("in I2C mode", () => {
    const pins = { power: true, pullUps: true, aux: false, chipSelect: false };
    expect(inMode(I2C, "01 02 03 04 06 07 11 9E A1 4C 62 05 64 80 00")).toEqual([
      { kind: "name", mode: "i2c" },
      { kind: "start" },
      { kind: "stop" },
      { kind: "read" },
      { kind: "ack" },
      { kind: "nack" },
      { kind: "bulk", bytes: 2 },
      { kind: "bulk-byte", byte: 0x9e },
      { kind: "bulk-byte", byte: 0xa1 },
      { kind: "peripherals", pins },
      { kind: "speed", kHz: 100 },
      { kind: "unknown", mode: "i2c", byte: 0x05 },
      { kind: "unknown", mode: "i2c", byte: 0x64 },
      { kind: "unknown", mode: "i2c", byte: 0x80 },
      { kind: "mode", mode: "bitbang" },
    ]);
  });

  it("in SPI mode", () => {
    const pins = { power: true, pullUps: false, aux: false, chipSelect: true };
    expect(inMode(SPI, "01 02 03 10 A1 49 62 67 8A 08 00")).toEqual([
      { kind: "name", mode: "spi" },
      { kind: "select" },
      { kind: "deselect" },
      { kind: "bulk", bytes: 1 },
      { kind: "bulk-byte", byte: 0xa1 },
      { kind: "peripherals", pins },
      { kind: "speed", kHz: 250 },
      { kind: "speed", kHz: 8000 },
      {
        kind: "spi-config",
        config: { driven: true, idleHigh: false, activeToIdle: true, sampleAtEnd: false },
      },
      { kind: "unknown", mode: "spi", byte: 0x08 },
      { kind: "mode", mode: "bitbang" },
    ]);
  });

  it.each([
    ["I2C 0x08", I2C, "08 00 02 00 03 9E 00 03", { chipSelect: false }],
    ["SPI 0x04", SPI, "04 00 02 00 03 9E 00 03", { chipSelect: true }],
    ["SPI 0x05", SPI, "05 00 02 00 03 9E 00 03", { chipSelect: false }],
  ])("write-then-read, whose bytes are no commands: %s", (_what, mode, hex, rest) => {
    expect(inMode(mode, hex)).toEqual([
      { kind: "write-then-read", bytes: bytes("9E 00"), readCount: 3, ...rest },
      mode === I2C ? { kind: "stop" } : { kind: "deselect" },
    ]);
  });

  it("write-then-read up to 4096 bytes each way; with more it is refused, and its bytes are commands", () => {
    const [most] = understood(ZEROS, I2C, bytes("08 10 00 10 00"), new Uint8Array(4096)).slice(21);
    expect(most).toMatchObject({ kind: "write-then-read", readCount: 4096 });
    expect(inMode(I2C, "08 10 01 00 00 03")).toEqual([
      { kind: "too-long", writeCount: 4097, readCount: 0 },
      { kind: "stop" },
    ]);
    expect(inMode(I2C, "08 00 00 10 01")).toEqual([{ kind: "too-long", writeCount: 0, readCount: 4097 }]);
    expect(inMode(I2C, "08 00 00 00 00 03")).toEqual([
      { kind: "write-then-read", bytes: bytes(""), readCount: 0, chipSelect: false },
      { kind: "stop" },
    ]);
  });
});

describe("whatever bytes come, split anywhere", () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 30 }),
    fc.constantFrom(
      ZEROS,
      bytes("00 02"),
      bytes("00 01"),
      bytes("00 0F"),
      bytes("1F"),
      bytes("08 00 03 00 02 9E A1"),
      bytes("04 00 12 00 01"),
      bytes("08 10 00 00 00"),
      bytes("08 10 01 00 00"),
    ),
  );

  it("the commands are the same, and a sound one is still understood after twenty 0x00s and what a count holds", () => {
    const modes = new Set<string>();
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), cuts, (chunks, at) => {
        const whole = Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
        const commands = understood(whole);
        expect(understood(...pieces(whole, at))).toEqual(commands);
        expect(understood(...Array.from(whole, (byte) => Uint8Array.of(byte)))).toEqual(commands);
        for (const command of commands) if (command.kind === "mode") modes.add(command.mode);
        // 0x08, its counts and its data, and the terminal's twenty: no state needs more.
        expect(understood(whole, new Uint8Array(4 + 4096 + 20), bytes("02")).at(-1)).toEqual({
          kind: "mode",
          mode: "i2c",
        });
      }),
      { seed: 20091014, numRuns: 300 },
    );
    expect([...modes].sort()).toEqual(["bitbang", "i2c", "spi"]);
  });

  it("a flood is taken in one go", () => {
    const flood = new Uint8Array(1_000_000);
    for (let i = 0, dice = 1; i < flood.length; i++) {
      dice = (Math.imul(dice, 1_664_525) + 1_013_904_223) >>> 0;
      flood[i] = i < 40 ? 0 : dice >>> 24;
    }
    expect(understood(flood).length).toBeGreaterThan(1000);
  });
});
