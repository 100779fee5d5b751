/** File downloads, state by state (module-protocol §2, 0x40–0x44). */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ModuleEvent } from "../../emulator/behaviour.ts";
import { type FileSource, filesInDirectory, filesInMemory } from "../../emulator/files.ts";
import { desk } from "../support/desk.ts";
import { asciiBytes } from "../vectors/bytes.ts";

const OK = "01 00 01";
const INVALID_SYNTAX = "04 00 04";
const RUNTIME = "05 00 05";
const BUSY = "07 00 07";
const START_1 = "40 02 01 00 43";
const START_2 = "40 02 02 00 40";
const METADATA = "41 00 41";
const STATUS = "42 00 42";
const CANCEL = "43 00 43";
const DATA_4 = "44 01 04 41";
const DATA_255 = "44 01 FF BA";
const NO_DATA = "01 00 01";

/** The check string of CRC-32, whose CRC is CBF43926. */
const DIGITS = { data: asciiBytes("123456789"), timestamp: 1_490_960_000_123 };
const DIGITS_METADATA = "01 11 00 09 00 00 00 7B 24 24 24 5B 01 00 00 26 39 F4 CB 3C";

const NONE = "01 05 00 00 00 00 00 04";
const REQUESTING = "01 05 01 00 00 00 00 05";

function withFiles(files: FileSource = filesInMemory({ 1: DIGITS }), online = true) {
  return desk({ files, online });
}

describe("a download", () => {
  it("goes from requesting to receiving to done, in parts as large as asked for", async () => {
    const { ask, clock } = withFiles();
    expect(ask(STATUS)).toBe(NONE);
    expect(ask(START_1)).toBe(OK);
    expect(ask(STATUS)).toBe(REQUESTING);
    expect(ask(METADATA)).toBe(BUSY);
    expect(ask(DATA_4)).toBe(NO_DATA);
    await clock.advance(199);
    expect(ask(METADATA)).toBe(BUSY);
    expect(ask(DATA_4)).toBe(NO_DATA);
    expect(ask(STATUS)).toBe(REQUESTING);
    await clock.advance(1);
    expect(ask(METADATA)).toBe(DIGITS_METADATA);
    expect(ask(STATUS)).toBe("01 05 02 00 00 00 00 06");
    expect(ask(DATA_4)).toBe("01 04 31 32 33 34 01");
    expect(ask(STATUS)).toBe("01 05 02 04 00 00 00 02");
    expect(ask(METADATA)).toBe(DIGITS_METADATA);
    expect(ask(DATA_4)).toBe("01 04 35 36 37 38 09");
    expect(ask(STATUS)).toBe("01 05 02 08 00 00 00 0E");
    expect(ask(DATA_4)).toBe("01 01 39 39");
    expect(ask(STATUS)).toBe("01 05 00 09 00 00 00 0D");
    expect(ask(DATA_4)).toBe(NO_DATA);
    expect(ask(METADATA)).toBe(DIGITS_METADATA);
  });

  it("has its metadata within 300 ms, for drivers that ask once", async () => {
    const { ask, clock } = withFiles();
    ask(START_1);
    await clock.advance(300);
    expect(ask(METADATA)).toBe(DIGITS_METADATA);
  });

  it("takes as long as it is set to", async () => {
    const { ask, clock } = desk({ files: filesInMemory({ 1: DIGITS }), fileDelayMs: 30_000 });
    ask(START_1);
    await clock.advance(29_999);
    expect(ask(METADATA)).toBe(BUSY);
    await clock.advance(1);
    expect(ask(METADATA)).toBe(DIGITS_METADATA);
  });

  it("waits for a source that is slower than that", async () => {
    let found: (file: typeof DIGITS) => void = () => undefined;
    const { ask, clock } = withFiles({ load: () => new Promise((resolve) => (found = resolve)) });
    ask(START_1);
    await clock.advance(60_000);
    expect(ask(METADATA)).toBe(BUSY);
    found(DIGITS);
    await clock.advance(0);
    expect(ask(METADATA)).toBe(DIGITS_METADATA);
  });

  it("carries every byte of a large file once, in order", async () => {
    const data = Uint8Array.from({ length: 10_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
    const { ask, clock } = withFiles(filesInMemory({ 1: { data, timestamp: 0 } }));
    ask(START_1);
    await clock.advance(200);
    const received: number[] = [];
    const sizes: number[] = [];
    for (let part = ask(DATA_255); part !== NO_DATA; part = ask(DATA_255)) {
      const frame = (part ?? "").split(" ").map((pair) => Number.parseInt(pair, 16));
      sizes.push(frame[1] ?? -1);
      received.push(...frame.slice(2, -1));
    }
    expect(Uint8Array.from(received)).toEqual(data);
    expect(sizes).toEqual([...new Array<number>(39).fill(255), 55]);
  });

  it("started while one is under way is RUNTIME and leaves that one alone", async () => {
    const { ask, clock } = withFiles(filesInMemory({ 1: DIGITS, 2: { data: asciiBytes("x"), timestamp: 0 } }));
    ask(START_1);
    expect(ask(START_2)).toBe(RUNTIME);
    await clock.advance(200);
    expect(ask(START_2)).toBe(RUNTIME);
    expect(ask(DATA_4)).toBe("01 04 31 32 33 34 01");
    expect(ask(START_2)).toBe(RUNTIME);
    expect(ask(METADATA)).toBe(DIGITS_METADATA);
    expect(ask(DATA_255)).toBe("01 05 35 36 37 38 39 31");
  });

  it("ends by itself with its last byte, and another may start", async () => {
    const { ask, clock } = withFiles(filesInMemory({ 1: DIGITS, 2: { data: asciiBytes("x"), timestamp: 7 } }));
    ask(START_1);
    await clock.advance(200);
    ask(DATA_255);
    expect(ask(START_2)).toBe(OK);
    expect(ask(METADATA)).toBe(BUSY);
    expect(ask(STATUS)).toBe(REQUESTING);
    await clock.advance(200);
    // CRC-32 of "x", worked out with zlib.
    expect(ask(METADATA)).toBe("01 11 00 01 00 00 00 07 00 00 00 00 00 00 00 83 16 DC 8C D3");
    expect(ask(DATA_255)).toBe("01 01 78 78");
  });

  it("of an empty file is done at once, and another may start", async () => {
    const { ask, clock } = withFiles(filesInMemory({ 1: { data: new Uint8Array(0), timestamp: 7 } }));
    ask(START_1);
    await clock.advance(200);
    expect(ask(METADATA)).toBe("01 11 00 00 00 00 00 07 00 00 00 00 00 00 00 00 00 00 00 17");
    expect(ask(STATUS)).toBe(NONE);
    expect(ask(DATA_4)).toBe(NO_DATA);
    expect(ask(START_1)).toBe(OK);
  });

  it("is not changed by what becomes of the source's bytes asked for later", async () => {
    const parts: string[] = [];
    const { ask, clock } = withFiles(filesInMemory({ 1: DIGITS, 5: { data: asciiBytes("five"), timestamp: 0 } }));
    for (const frame of ["40 02 05 00 47", START_1]) {
      ask(frame);
      await clock.advance(200);
      parts.push(ask(DATA_255) ?? "");
    }
    expect(parts).toEqual(["01 04 66 69 76 65 19", "01 09 31 32 33 34 35 36 37 38 39 39"]);
  });
});

describe("a download that fails", () => {
  it("says 0x81 for a file that there is not", async () => {
    const { ask, clock } = withFiles();
    expect(ask(START_2)).toBe(OK);
    await clock.advance(200);
    expect(ask(METADATA)).toBe("01 11 81 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 91");
    expect(ask(STATUS)).toBe("01 05 81 00 00 00 00 85");
    expect(ask(DATA_4)).toBe(RUNTIME);
    expect(ask(START_1)).toBe(OK);
    await clock.advance(200);
    expect(ask(METADATA)).toBe(DIGITS_METADATA);
  });

  it("has no file at all unless it is given some", async () => {
    const { ask, clock } = desk();
    ask(START_1);
    await clock.advance(200);
    expect(ask(METADATA)).toBe("01 11 81 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 91");
  });

  const disk = new Error("disk");
  const failing: [string, () => Promise<undefined>][] = [
    ["rejects", () => Promise.reject(disk)],
    [
      "throws",
      () => {
        throw disk;
      },
    ],
  ];
  it.each(failing)("says 0x82 when the source %s, and reports why", async (_how, load) => {
    const { ask, clock, module } = withFiles({ load });
    const events: ModuleEvent[] = [];
    module.onEvent((event) => events.push(event));
    ask(START_1);
    await clock.advance(200);
    expect(ask(METADATA)).toBe("01 11 82 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 92");
    expect(ask(STATUS)).toBe("01 05 81 00 00 00 00 85");
    expect(events).toEqual([{ kind: "file-failed", id: 1, error: disk }]);
  });

  it("says 0x01 offline", async () => {
    const { ask, clock } = withFiles(undefined, false);
    expect(ask(START_1)).toBe(OK);
    await clock.advance(200);
    expect(ask(METADATA)).toBe("01 11 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 11");
    expect(ask(STATUS)).toBe("01 05 81 00 00 00 00 85");
  });
});

describe("CANCEL_FILE_DOWNLOAD", () => {
  it("is RUNTIME when none was started, as are metadata and data", () => {
    const { ask } = withFiles();
    expect(ask(CANCEL)).toBe(RUNTIME);
    expect(ask(METADATA)).toBe(RUNTIME);
    expect(ask(DATA_4)).toBe(RUNTIME);
    expect(ask(STATUS)).toBe(NONE);
  });

  it.each([
    ["while it is requested", 0],
    ["once it is there", 200],
  ])("ends a download %s, and the same starts anew from its first byte", async (_when, ms) => {
    const { ask, clock } = withFiles();
    ask(START_1);
    await clock.advance(ms);
    ask(DATA_4);
    expect(ask(CANCEL)).toBe(OK);
    expect(ask(STATUS)).toBe(NONE);
    expect(ask(METADATA)).toBe(RUNTIME);
    expect(ask(DATA_4)).toBe(RUNTIME);
    await clock.advance(1000);
    expect(ask(STATUS)).toBe(NONE);
    expect(ask(START_1)).toBe(OK);
    await clock.advance(200);
    expect(ask(DATA_4)).toBe("01 04 31 32 33 34 01");
  });

  it("keeps a cancelled download's answer away from the next one", async () => {
    const { ask, clock } = withFiles(filesInMemory({ 1: DIGITS, 2: { data: asciiBytes("x"), timestamp: 0 } }));
    ask(START_2);
    await clock.advance(150);
    ask(CANCEL);
    ask(START_1);
    await clock.advance(100);
    expect(ask(METADATA)).toBe(BUSY);
    await clock.advance(100);
    expect(ask(METADATA)).toBe(DIGITS_METADATA);
  });
});

describe("fields", () => {
  it.each([
    ["file 0", "40 02 00 00 42"],
    ["file 6", "40 02 06 00 44"],
    ["file 257", "40 02 01 01 42"],
    ["a file id of one byte", "40 01 01 40"],
    ["no file id", "40 00 40"],
    ["at most 0 bytes", "44 01 00 45"],
    ["no count", "44 00 44"],
    ["a count of two bytes", "44 02 04 00 42"],
    ["metadata with a payload", "41 01 00 40"],
    ["a status with a payload", "42 01 00 43"],
    ["a cancel with a payload", "43 01 00 42"],
  ])("refuses %s", (_what, frame) => {
    const { ask } = withFiles();
    expect(ask(frame)).toBe(INVALID_SYNTAX);
    expect(ask(STATUS)).toBe(NONE);
  });

  it("takes each file from 1 to 5", async () => {
    const file = (name: string) => ({ data: asciiBytes(name), timestamp: 0 });
    const { ask, clock } = withFiles(
      filesInMemory({ 1: file("A"), 2: file("B"), 3: file("C"), 4: file("D"), 5: file("E") }),
    );
    const parts: (string | undefined)[] = [];
    for (const frame of [START_1, START_2, "40 02 03 00 41", "40 02 04 00 46", "40 02 05 00 47"]) {
      expect(ask(frame)).toBe(OK);
      await clock.advance(200);
      parts.push(ask(DATA_4));
    }
    expect(parts).toEqual(["01 01 41 41", "01 01 42 42", "01 01 43 43", "01 01 44 44", "01 01 45 45"]);
  });
});

describe("filesInDirectory", () => {
  function folder(): string {
    const path = mkdtempSync(join(tmpdir(), "files-test-"));
    onTestFinished(() => rmSync(path, { recursive: true }));
    return path;
  }

  it("finds a file by its name without its extension, with the time at which it was changed", async () => {
    const path = folder();
    writeFileSync(join(path, "1"), "123456789");
    writeFileSync(join(path, "2.bin"), "two");
    writeFileSync(join(path, "21.bin"), "not it");
    utimesSync(join(path, "1"), 1_490_960_000.5, 1_490_960_000.5);
    const files = filesInDirectory(path);
    expect(await files.load(1)).toMatchObject({ timestamp: 1_490_960_000_500 });
    expect(Buffer.from((await files.load(1))?.data ?? []).toString()).toBe("123456789");
    expect(Buffer.from((await files.load(2))?.data ?? []).toString()).toBe("two");
    expect(await files.load(3)).toBeUndefined();
  });

  it("reads it anew for each download", async () => {
    const path = folder();
    const files = filesInDirectory(path);
    expect(await files.load(1)).toBeUndefined();
    writeFileSync(join(path, "1"), "new");
    expect(Buffer.from((await files.load(1))?.data ?? []).toString()).toBe("new");
  });

  it("rejects for a directory that is not there", async () => {
    await expect(filesInDirectory(join(folder(), "none")).load(1)).rejects.toMatchObject({ code: "ENOENT" });
  });
});
