/** The generated C header with real compilers: it builds without a warning, and its functions say what is in vectors/. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runFirmware } from "../../../emulator/avr/index.ts";
import { filesInMemory } from "../../../emulator/files.ts";
import { commandNames, commandTable } from "../../../protocol/index.ts";
import { measuresAndAnswers } from "../../firmware/behaviour.ts";
import { buildSketch } from "../../support/arduino.ts";
import { BUILT_WITH, CheckProgram, tool, type Wire } from "../../support/c-program.ts";
import { sakuraio } from "../../support/command.ts";
import { channelsOf, desk, framed } from "../../support/desk.ts";
import { asciiBytes } from "../../vectors/bytes.ts";
import { cAnswers, cChannelValues } from "../../vectors/c-answers.ts";
import { channelVectors } from "../../vectors/channels.ts";
import { requestVectors, responseVectors } from "../../vectors/commands.ts";

const FIRMWARE = fileURLToPath(new URL("../../firmware/", import.meta.url));
const WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];
/** The header is to build in projects that ask for these too. */
const MORE_WARNINGS = [...WARNINGS, "-Wshadow", "-Wconversion", "-Wsign-conversion"];
const AVR = ["-mmcu=atmega328p", "-Os"];

let dir: string;
let program: CheckProgram;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "sakuraio-c-"));
  expect(await sakuraio("codegen", "c", "-o", join(dir, "sakuraio.h"))).toMatchObject({ code: 0 });
  const path = join(dir, "host-check");
  const sanitizers = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
  tool("gcc", ["-std=c99", ...WARNINGS, ...sanitizers, `-I${dir}`, "-o", path, "host-check.c"], FIRMWARE);
  program = new CheckProgram(path);
}, 60_000);

// Whatever the tests sent it: no byte was read or written where none is, and the program ended by itself.
afterAll(async () => {
  const { code, stderr } = await program.close();
  rmSync(dir, { recursive: true, force: true });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

const always =
  (answer: string | undefined): Wire =>
  () =>
    answer;

describe("builds without a warning", () => {
  it.each([
    ["gcc", ["-std=c99"]],
    ["gcc", ["-std=c99", "-O2", "-DSAKURAIO_PAYLOAD_MAX=18"]],
    ["g++", ["-std=c++11"]],
    ["avr-gcc", ["-std=c99", ...AVR]],
    ["avr-g++", ["-std=c++11", ...AVR]],
  ])("%s %j", (compiler, options) => {
    const source = join(dir, compiler.endsWith("++") ? "one.cpp" : "one.c");
    writeFileSync(source, '#include "sakuraio.h"\n#include "sakuraio.h"\nint main(void) { return 0; }\n');
    tool(compiler, [...options, ...MORE_WARNINGS, "-c", source, "-o", join(dir, "one.o")]);
    // And what is wrong is seen to be.
    writeFileSync(source, '#include "sakuraio.h"\nint main(void) { return sakuraio_nothing(); }\n');
    expect(() => tool(compiler, [...options, ...MORE_WARNINGS, "-c", source, "-o", join(dir, "one.o")])).toThrow(
      "nothing",
    );
  });

  it("refuses a SAKURAIO_PAYLOAD_MAX that is too small for a channel value", () => {
    const source = join(dir, "small.c");
    writeFileSync(source, '#define SAKURAIO_PAYLOAD_MAX 17\n#include "sakuraio.h"\n');
    expect(() => tool("gcc", ["-std=c99", "-fsyntax-only", source])).toThrow("SAKURAIO_PAYLOAD_MAX is 18 to 255");
  });
});

describe("the examples of docs/firmware-header.md", () => {
  const text = readFileSync(new URL("../../../docs/firmware-header.md", import.meta.url), "utf8");
  const examples = (language: string): string[] =>
    [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(([, source = ""]) => source);

  it("in C build without a warning", () => {
    expect(examples("c").length).toBe(2);
    const file = join(dir, "example.c");
    for (const source of examples("c")) {
      writeFileSync(file, source);
      for (const [compiler, options] of [
        ["gcc", []],
        ["avr-gcc", AVR],
      ] as const)
        tool(compiler, ["-std=c99", ...options, ...WARNINGS, `-I${dir}`, "-c", file, "-o", join(dir, "example.o")]);
    }
  });

  it.each([
    ["i2c", "Wire", "i"],
    ["spi", "SPI", "f"],
    ["uart", "Serial1", "i"],
  ] as const)("for Arduino on %s build with its own core, and send", { timeout: 120_000 }, async (bus, uses, type) => {
    const sketches = examples("cpp").filter((source) => source.includes(uses));
    expect(sketches.length).toBe(1);
    const file = join(dir, `${bus}.ino`);
    // The Uno has one serial port only.
    writeFileSync(file, (sketches[0] ?? "").replaceAll("Serial1", "Serial"));
    // The module is ready when delay(10) has passed, which may be 9 ms.
    await using fw = await runFirmware(buildSketch(bus, dir, file), { bus, readyAfterMs: 9 });
    for (let round = 0; round < 2; round++) {
      const message = await fw.nextMessage({ timeout: 15 });
      expect(message).toMatchObject({
        payload: { channels: [{ channel: 1, type, value: type === "i" && bus === "i2c" ? round : 0 }] },
      });
    }
    expect(fw.notes).toEqual([]);
  });
});

describe("every command through its C function", () => {
  it.each(commandNames)("%s asks with the bytes of its vectors", async (name) => {
    for (const [index, { frame }] of requestVectors[name].entries()) {
      const { requests } = await program.call(name, index, always("05 00 05"));
      expect(requests, `${index}`).toEqual([frame.trim()]);
    }
  });

  it.each(commandNames)("%s decodes the answers of its vectors", async (name) => {
    const decoded: string[] = [];
    for (const { frame } of responseVectors[name])
      decoded.push((await program.call(name, requestVectors[name].length - 1, always(frame))).result);
    expect(decoded).toEqual(cAnswers[name]);
  });

  it("decodes every channel type at its ends", async () => {
    const decoded: string[] = [];
    for (const { dequeued } of channelVectors)
      decoded.push((await program.call("RX_DEQUEUE", 0, always(dequeued))).result);
    expect(decoded).toEqual(cChannelValues.map((value) => `1 0 ${value} -1`));
  });

  it.each([
    // As in vectors/channels.ts, where they are without an offset.
    ["int32, the least", 5, "20 0A 7F 69 00 00 00 80 00 00 00 00 BC"],
    ["int32 with an offset", 6, "20 12 7F 69 FF FF FF FF 00 00 00 00 FF FF FF FF FF FF FF FF 24"],
    ["uint32, the greatest", 7, "20 0A 7F 49 FF FF FF FF 00 00 00 00 1C"],
    ["int64, the least", 8, "20 0A 7F 6C 00 00 00 00 00 00 00 80 B9"],
    ["uint64, the greatest", 9, "20 0A 7F 4C FF FF FF FF FF FF FF FF 19"],
    ["uint64 with an offset", 10, "20 12 7F 4C 01 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 01"],
    ["float 0.001", 11, "20 0A 7F 66 6F 12 83 3A 00 00 00 00 F7"],
    ["float -0 with an offset", 12, "20 12 7F 66 00 00 00 80 00 00 00 00 FF FF FF FF FF FF FF FF AB"],
    ["double 0.1", 13, "20 0A 7F 64 9A 99 99 99 99 99 B9 3F B4"],
    ["bytes", 14, "20 0A 7F 62 0F 1E 2D 3C 4B 5C 6B 7A 31"],
    ["a channel that is none, for the module to refuse", 15, "20 0A 80 69 01 00 00 00 00 00 00 00 C2"],
  ])("TX_ENQUEUE of %s", async (_, index, frame) => {
    expect(await program.call("TX_ENQUEUE", index, always("01 00 01"))).toEqual({ requests: [frame], result: "1" });
  });

  it.each([
    ["ECHO_BACK", 3, "256 bytes"],
    ["TX_SENDIMMED", 5, "no value"],
    ["TX_SENDIMMED", 6, "17 values"],
    ["TX_SENDIMMED", 7, "no value with an offset"],
    ["TX_SENDIMMED", 8, "17 values with an offset"],
  ])("%s (%i) of %s is SAKURAIO_ERROR_ARGUMENT, and nothing is sent", async (name, index) => {
    expect(await program.call(name, index, always("01 00 01"))).toEqual({ requests: [], result: "-5" });
  });

  it("does not write past what the caller has room for", async () => {
    const four = always("01 04 DE AD BE EF 27");
    expect((await program.call("ECHO_BACK", 4, four)).result).toBe("-2");
    expect((await program.call("GET_FILE_DATA", 2, four)).result).toBe("1 4 DE AD BE EF");
    expect((await program.call("GET_FILE_DATA", 2, always("01 06 00 01 02 FD FE FF F8"))).result).toBe("-2");
  });

  it("makes a float64 of a float32 and back as this compiler does, where a double has 32 bits", async () => {
    expect((await program.call("floats", 0, always(undefined))).result).toBe("good");
    expect((await program.call("not-a-number", 0, always(undefined))).result).toBe("FFC00000 7FF8000000000000");
  });
});

describe("answers that are none", () => {
  const longest = `01 FF ${"AA ".repeat(255)}`;
  it.each([
    ["a bus that failed", undefined, "-1"],
    ["nothing at all", "", "-2"],
    ["a status alone", "01", "-2"],
    ["no parity", "01 00", "-2"],
    ["a length of 255 and no bytes", "01 FF FE", "-2"],
    ["only ones, as of a line that nobody drives", "FF ".repeat(300), "-4"],
    ["only zeros, as of a module that is not ready", "00 ".repeat(300), "-4"],
    ["a wrong parity", "01 00 00", "-3"],
    ["a wrong parity of a refusal", "05 00 04", "-3"],
    ["a refusal", "05 00 05", "5"],
    ["a refusal with zeros behind it, as I2C gives them", `07 00 07 ${"00 ".repeat(32)}`, "7"],
    ["a status that no document names", "08 00 08", "8"],
  ])("to every command the same: %s", async (_, answer, result) => {
    for (const name of commandNames) expect((await program.call(name, 0, always(answer))).result, name).toBe(result);
  });

  it("a good frame with too much or too little in it is SAKURAIO_ERROR_LENGTH", async () => {
    for (const name of commandNames) {
      const { min, max } = commandTable[name].response;
      for (const size of [min - 1, max + 1]) {
        if (size < 0 || size > 255) continue;
        const answer = framed(1, ...Array.from({ length: size }, () => 0x30));
        expect((await program.call(name, 0, always(answer))).result, `${name} ${size}`).toBe("-2");
      }
    }
  });

  it("255 bytes are taken where they may come, and are too much anywhere else", async () => {
    for (const name of commandNames) {
      const takes = name === "ECHO_BACK" || name === "GET_FILE_DATA";
      // 01 ^ FF ^ AA, an odd number of times
      const good = (await program.call(name, 0, always(`${longest}54`))).result;
      expect(good, name).toBe(takes ? `1 255 ${"AA ".repeat(255).trim()}` : "-2");
      const bad = (await program.call(name, 0, always(`${longest}55`))).result;
      expect(bad, name).toBe(takes ? "-3" : "-2");
    }
  });

  it("garbage of any length is an error, a status or a value, and harms nothing", async () => {
    let seed = 1;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    for (let round = 0; round < 40; round++) {
      for (const name of commandNames) {
        const payload = Array.from({ length: random(40) }, () => random(256));
        const answer = round % 2 === 0 ? framed(random(3), ...payload) : framed(random(256), ...payload).slice(0, -6);
        const { result } = await program.call(name, 0, always(answer));
        expect(result, `${name}: ${answer}`).toMatch(/^(-[234]|\d{1,3}$|1 )/);
      }
    }
  });
});

it("drives the emulated module with every command", async () => {
  const files = filesInMemory({ 1: { data: asciiBytes("123456789"), timestamp: 1_491_022_270_000 } });
  const { module, clock, log, ask } = desk({ files, txQueue: 3, rxQueue: 3, fileDelayMs: 300 });
  const called: string[] = [];
  const steps: readonly (readonly [name: string, index: number, result: string])[] = [
    ["GET_CONNECTION_STATUS", 0, "1 1 0"],
    ["GET_SIGNAL_QUALITY", 0, "1 5"],
    ["GET_DATETIME", 0, "1 1491022270000"],
    ["ECHO_BACK", 1, "1 4 DE AD BE EF"],
    ["ECHO_BACK", 2, `1 255 ${"5A ".repeat(255).trim()}`],
    ["READ_ADC", 0, "1 512"],
    ["TX_ENQUEUE", 0, "1"],
    ["TX_ENQUEUE", 13, "1"],
    ["TX_ENQUEUE", 15, "4"],
    ["TX_LENGTH", 0, "1 1 2"],
    ["TX_SEND", 0, "1"],
    ["TX_STAT", 0, "1 1 0"],
    ["wait", 100, ""],
    ["TX_STAT", 0, "1 0 0"],
    ["TX_SENDIMMED", 3, "1"],
    ["wait", 100, ""],
    ["TX_ENQUEUE", 1, "1"],
    ["TX_CLEAR", 0, "1"],
    ["TX_LENGTH", 0, "1 3 0"],
    ["RX_LENGTH", 0, "1 1 2"],
    ["RX_PEEK", 0, "1 10 f 0.00100000005 -200"],
    ["RX_DEQUEUE", 0, "1 10 f 0.00100000005 -200"],
    ["RX_CLEAR", 0, "1"],
    ["RX_DEQUEUE", 0, "5"],
    ["START_FILE_DOWNLOAD", 2, "4"],
    ["START_FILE_DOWNLOAD", 0, "1"],
    ["GET_FILE_METADATA", 0, "7"],
    ["wait", 300, ""],
    ["GET_FILE_METADATA", 0, "1 0 9 1491022270000 CBF43926"],
    ["GET_FILE_DATA", 0, "1 1 31"],
    ["GET_FILE_DOWNLOAD_STATUS", 0, "1 2 1"],
    ["CANCEL_FILE_DOWNLOAD", 0, "1"],
    ["GET_PRODUCT_ID", 0, "1 2"],
    ["GET_UNIQUE_ID", 0, "1 16B0100260"],
    ["GET_FIRMWARE_VERSION", 0, "1 v1.1.2-170223-7e6ce64"],
    ["GET_POWER_SAVE_MODE", 0, "3"],
    ["SET_POWER_SAVE_MODE", 1, "3"],
    ["UPDATE_FIRMWARE", 0, "6"],
    ["UNLOCK", 0, "1"],
    ["UPDATE_FIRMWARE", 0, "1"],
    ["GET_UPDATE_FIRMWARE_STATUS", 0, "1 1 0"],
    ["SOFTWARE_RESET", 0, "6"],
  ];
  module.state.firmware = "v1.1.2-170223-7e6ce64";
  module.state.adc.set(0, 512);
  module.deliver({
    type: "channels",
    module: module.id,
    payload: {
      channels: [
        { channel: 10, type: "f", value: 0.001 },
        { channel: 11, type: "i", value: 42 },
      ],
    },
  });
  for (const [name, index, result] of steps) {
    if (name === "wait") {
      await clock.advance(index);
      continue;
    }
    called.push(name);
    expect((await program.call(name, index, ask)).result, `${name} ${index}`).toBe(result);
  }
  expect([...new Set(called)].sort()).toEqual([...commandNames].sort());
  const [queued, immediate] = channelsOf(log.messages);
  expect(queued).toMatchObject([
    { channel: 1, type: "l", value: 0x0807_0605_0403_0201n },
    { channel: 127, type: "d", value: 0.1 },
  ]);
  expect(immediate?.map(({ channel, value }) => [channel, value])).toEqual(
    Array.from({ length: 16 }, (_, i) => [i, i + 1]),
  );
});

describe("the example firmwares", () => {
  const make = (...args: readonly string[]): string =>
    tool("make", ["-s", `BUILD=${dir}/build`, `HEX=${dir}/hex`, `HEADER=${dir}/sakuraio.h`, ...args], FIRMWARE);

  it("enqueue, send and dequeue over I2C take less than 3 KB of flash", () => {
    const [, sizes] = make("size").trim().split("\n");
    const [text, data] = (sizes ?? "").trim().split(/\s+/).map(Number);
    expect((text ?? Number.NaN) + (data ?? Number.NaN)).toBeLessThan(3072);
  });

  it.each(["i2c", "spi"] as const)(
    "%s, built from its source, is what is checked in and does the same",
    async (bus) => {
      make("all");
      const hex = join(dir, "hex", bus, "firmware.hex");
      // Another compiler may make other bytes of it.
      if (tool("avr-gcc", ["-dumpversion"]).trim() === BUILT_WITH)
        expect(readFileSync(hex, "utf8")).toBe(readFileSync(join(FIRMWARE, bus, "firmware.hex"), "utf8"));
      await measuresAndAnswers(hex, bus);
    },
  );
});
