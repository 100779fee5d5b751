/** Intel HEX: what avr-gcc writes is read, and what is wrong is said in one line with its number. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type FlashImage, parseIntelHex, runFirmware } from "../../../emulator/avr/index.ts";
import { isSakuraError, type SakuraError } from "../../../protocol/errors.ts";
import { failsWith } from "../../support/errors.ts";
import { caseHex } from "../../support/firmware.ts";

const END = ":00000001FF";
/** JMP 0x68 and RJMP to itself. */
const PROGRAM = ":060000000C943400FFCF58";

function problem(...lines: string[]): SakuraError {
  try {
    parseIntelHex(lines.join("\n"));
  } catch (error) {
    if (isSakuraError(error, "INVALID_ARGUMENT")) return error;
    throw error;
  }
  throw new Error("it was taken");
}

const head = (image: FlashImage, length: number) => [...image.bytes.subarray(0, length)];

describe("parseIntelHex", () => {
  it("lays the bytes out, the rest erased", () => {
    const image = parseIntelHex(`${PROGRAM}\n${END}\n`);
    expect(head(image, 8)).toEqual([0x0c, 0x94, 0x34, 0x00, 0xff, 0xcf, 0xff, 0xff]);
    expect(image.size).toBe(6);
    expect(image.bytes.length).toBe(32_768);
  });

  it("takes CR LF, blank lines, lower case, and the same data twice", () => {
    const image = parseIntelHex(`${PROGRAM.toLowerCase()}\r\n\r\n${PROGRAM}\r\n${END}\r\n`);
    expect(image.size).toBe(6);
  });

  it("takes segment and linear addresses, and passes over start addresses", () => {
    // Segment 0x0700 is 0x7000; the last byte of flash is 0x7FFF.
    const image = parseIntelHex(
      [PROGRAM, ":020000020700F5", ":010FFF00AA47", ":020000040000FA", ":01000800BB3C", ":0400000300007000" + "89"]
        .concat([":040000050000000" + "0F7", END])
        .join("\n"),
    );
    expect(image.bytes[0x7fff]).toBe(0xaa);
    expect(image.bytes[8]).toBe(0xbb);
    expect(image.size).toBe(8);
  });

  it("reads what avr-gcc writes", () => {
    const image = parseIntelHex(readFileSync(caseHex("twi-send"), "latin1"));
    // The reset vector: JMP.
    expect(head(image, 2)).toEqual([0x0c, 0x94]);
  });

  it.each([
    ["a wrong checksum", [PROGRAM, ":00000001FE"], "line 2 of the .hex file: wrong checksum: 0xFE where 0xFF belongs"],
    ["a flipped digit", [":060000000C943500FFCF58", END], "line 1 of the .hex file: wrong checksum: 0x58 where 0x57"],
    [
      "no record",
      [PROGRAM, "hello", END],
      'line 2 of the .hex file: not a record, which is ":" and pairs of hex digits',
    ],
    ["half a byte", [":0000000", END], "line 1 of the .hex file: not a record"],
    ["a wrong length", [":070000000C943400FFCF57", END], "the record says 7 bytes of data and has 6"],
    ["an unknown type", [":00000006FA", END], "line 1 of the .hex file: a record of the unknown type 0x06"],
    ["a short address", [":0100000400FB", END], "a record of type 0x04 has 2 bytes of data, not 1"],
    [
      "data beyond flash",
      [PROGRAM, ":02800000AABB19", END],
      "line 2 of the .hex file: data at 0x8000, beyond the 32 KB",
    ],
    ["data across its end", [PROGRAM, ":027FFF00AABB1B", END], "data at 0x8000, beyond the 32 KB"],
    ["data far beyond", [PROGRAM, ":020000040081" + "79", ":01000000AA55", END], "data at 0x810000, beyond the 32 KB"],
    ["other data for a place", [PROGRAM, ":01000200AA53", END], "line 2 of the .hex file: other data for 0x0002"],
    ["no end", [PROGRAM], "the file is cut off: there is no end record"],
    ["more after the end", [PROGRAM, END, PROGRAM], "line 3 of the .hex file: something follows the end record"],
    ["no program", [END], "the .hex file has no program in it"],
    ["nothing at all", [], "the file is cut off"],
    ["a bootloader alone", [":027E0000AABB1B", END], "nothing at address 0"],
  ])("refuses %s", (_, lines, says) => {
    const { message } = problem(...lines);
    expect(message).toContain(says);
    expect(message).not.toContain("\n");
  });

  it("names the line for programs too", () => {
    expect(problem(PROGRAM, ":00000001FE").context).toEqual({ line: 2 });
  });
});

describe("runFirmware", () => {
  it("names the file that cannot be read", async () => {
    const error = await failsWith("INVALID_ARGUMENT", runFirmware("/nowhere/blink.hex", { bus: "i2c" }));
    expect(error.message).toMatch(/^cannot read \/nowhere\/blink\.hex: ENOENT/);
  });

  it("takes the text of a file as well", async () => {
    await using fw = await runFirmware(readFileSync(caseHex("twi-send"), "latin1"), { bus: "i2c" });
    expect(await fw.nextMessage()).toMatchObject({ type: "channels" });
  });
});
