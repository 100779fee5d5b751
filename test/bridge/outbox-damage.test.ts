/** An outbox whose files were damaged: what can be read is kept, and what is missing is counted and told. */
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { openOutbox } from "../../host/bridge/index.ts";
import { crc32c } from "../../host/bridge/outbox/crc32c.ts";
import { systemClock } from "../../host/clock.ts";
import { message, opened, take, textOf } from "./outbox-support.ts";
import { temporaryDirectory } from "./support.ts";

const MESSAGES = 12_000;
const text = (number: number): string => `${number} ${"x".repeat(number % 700)}`;

let whole = "";
let tables: string[] = [];
let log = "";

/** Two tables and a log, of messages with their numbers in them. */
async function makeWhole(): Promise<void> {
  for (let run = 0; run < 3; run++) {
    const outbox = await openOutbox({
      path: whole,
      bounds: { maxBytes: 1024 ** 3 },
      clock: systemClock,
      report: () => undefined,
    });
    const [from, to] = [(run * MESSAGES) / 3, ((run + 1) * MESSAGES) / 3];
    for (let number = from; number < to; number += 40) {
      await Promise.all(Array.from({ length: 40 }, (_, i) => outbox.append(message(text(number + i)), ["a", "b"])));
    }
    await outbox.close();
  }
  const files = readdirSync(join(whole, "store")).sort();
  tables = files.filter((name) => name.endsWith(".ldb"));
  log = files.find((name) => name.endsWith(".log")) ?? "";
}

/** Opens a copy that the test has damaged, and looks at what is left. */
async function afterDamage(damage: (store: string) => void) {
  const path = temporaryDirectory();
  cpSync(join(whole, "store"), join(path, "store"), { recursive: true });
  damage(join(path, "store"));
  const { outbox, notes } = await opened(path);
  const lane = outbox.lane("a");
  const left = await take(lane, lane.messages);
  const numbers = left.map((one) => Number.parseInt(textOf(one), 10));
  // Never a wrong payload, never out of order.
  expect(left.every((one, index) => textOf(one) === text(numbers[index] ?? -1))).toBe(true);
  expect(numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0))).toBe(true);
  expect(outbox.state()).toEqual({ state: "ok" });
  await outbox.append(message("more"), ["a"]);
  const asides = readdirSync(path).filter((name) => name.startsWith("store.damaged-"));
  return { path, outbox, lane, notes, asides, numbers, lost: lane.dropped.damaged };
}

function change(file: string, work: (bytes: Buffer) => void): void {
  const bytes = readFileSync(file);
  work(bytes);
  writeFileSync(file, bytes);
}

describe("a damaged outbox", () => {
  beforeAll(async () => {
    whole = mkdtempSync(join(tmpdir(), "sakuraio-outbox-"));
    await makeWhole();
    return () => rmSync(whole, { recursive: true, force: true });
  });

  it("is not what this one is", async () => {
    const { numbers, notes, asides, lost } = await afterDamage(() => undefined);
    expect([numbers.length, lost, notes, asides]).toEqual([MESSAGES, 0, [], []]);
    expect(tables.length).toBe(2);
    expect(statSync(join(whole, "store", log)).size).toBeGreaterThan(100_000);
  });

  it("loses the block with a flipped byte alone, says so once, and keeps the old files", async () => {
    const name = tables[0] ?? "";
    const damaged = await afterDamage((store) =>
      change(join(store, name), (bytes) => {
        const at = Math.floor(bytes.length / 3);
        bytes[at] = (bytes[at] ?? 0) ^ 0x40;
      }),
    );
    expect(damaged.lost).toBeGreaterThan(0);
    expect(damaged.lost).toBeLessThan(400);
    expect(damaged.numbers.length).toBe(MESSAGES - damaged.lost);
    expect(damaged.notes[0]).toContain(`damaged tables: ${name}`);
    expect(damaged.notes[1]).toBe(`${damaged.lost} messages for a are damaged on the disk and lost`);
    expect(damaged.asides.length).toBe(1);
    await damaged.outbox.close();
    // What was copied aside is what was there, and not what was made of it.
    const copy = readFileSync(join(damaged.path, damaged.asides[0] ?? "", name));
    const sound = readFileSync(join(whole, "store", name));
    expect(copy.filter((byte, index) => byte !== sound[index]).length).toBe(1);

    const again = await opened(damaged.path);
    expect(again.notes).toEqual([]);
    expect(again.outbox.lane("a").messages).toBe(MESSAGES - damaged.lost + 1);
    expect(again.outbox.lane("a").dropped.damaged).toBe(0);
  });

  it("survives what LevelDB would not: a part of a table that is zero", async () => {
    const { numbers, lost } = await afterDamage((store) =>
      change(join(store, tables[1] ?? ""), (bytes) => bytes.fill(0, 0, 4_096)),
    );
    expect(lost).toBeGreaterThan(0);
    expect(numbers.length).toBe(MESSAGES - lost);
  });

  it("notices what LevelDB drops of a damaged log without a word", async () => {
    const { numbers, lost, notes } = await afterDamage((store) =>
      change(join(store, log), (bytes) => bytes.fill(0xff, 50_000, 50_010)),
    );
    expect(lost).toBeGreaterThan(0);
    expect(numbers.length).toBe(MESSAGES - lost);
    expect(numbers.at(-1)).toBe(MESSAGES - 1);
    expect(notes).toContain(`${lost} messages for a are damaged on the disk and lost`);
  });

  it("tells of a log of which nothing can be read any more, and keeps it", async () => {
    const path = temporaryDirectory();
    const before = await opened(path);
    for (let number = 0; number < 3; number++) await before.outbox.append(message(text(number)), ["a"]);
    await before.outbox.close();
    const name = readdirSync(join(path, "store")).find((file) => file.endsWith(".log")) ?? "";
    change(join(path, "store", name), (bytes) => {
      for (let at = 10; at < bytes.length; at += 97) bytes[at] = (bytes[at] ?? 0) ^ 0x55;
    });
    const { outbox, notes } = await opened(path);
    expect(notes[0]).toContain(`was damaged (${name} from byte 0 on)`);
    expect(readdirSync(path).filter((file) => file.startsWith("store.damaged-")).length).toBe(1);
    expect(outbox.state()).toEqual({ state: "ok" });
  });

  it("goes on with what is before the end of a log that was cut", async () => {
    const { numbers, asides } = await afterDamage((store) => truncateSync(join(store, log), 300_000));
    // A killed process leaves such a one: no damage.
    expect(asides).toEqual([]);
    expect(numbers.length).toBeGreaterThan((MESSAGES / 3) * 2);
    expect(numbers.at(-1)).toBe(numbers.length - 1);
  });

  it("loses nothing with CURRENT, which LevelDB takes for a reason to begin anew", async () => {
    for (const work of [(file: string) => rmSync(file), (file: string) => writeFileSync(file, "MANIFEST-")]) {
      const { numbers, lost, asides, notes } = await afterDamage((store) => work(join(store, "CURRENT")));
      expect([numbers.length, lost, asides.length, notes.length]).toEqual([MESSAGES, 0, 1, 1]);
    }
  });

  it("loses nothing with the list of its files", async () => {
    const manifestIn = (store: string): string =>
      join(store, readdirSync(store).find((name) => name.startsWith("MANIFEST-")) ?? "");
    for (const work of [
      (file: string) => rmSync(file),
      (file: string) => truncateSync(file, 30),
      (file: string) => change(file, (bytes) => bytes.fill(0x55, 10, 20)),
    ]) {
      const { numbers, lost, asides } = await afterDamage((store) => work(manifestIn(store)));
      expect([numbers.length, lost, asides.length]).toEqual([MESSAGES, 0, 1]);
    }
  });

  it("loses a table that is gone or cut, and counts what was in it", async () => {
    for (const work of [(file: string) => rmSync(file), (file: string) => truncateSync(file, 1_000_000)]) {
      const { numbers, lost } = await afterDamage((store) => work(join(store, tables[0] ?? "")));
      expect(lost).toBeGreaterThan(0);
      expect(numbers.length).toBe(MESSAGES - lost);
    }
  });

  it("makes no more copies than the disk can bear", async () => {
    const path = temporaryDirectory();
    const all: string[] = [];
    for (let round = 0; round < 7; round++) {
      const { outbox, notes } = await opened(path);
      all.push(...notes);
      await outbox.append(message(String(round)), ["a"]);
      await outbox.close();
      rmSync(join(path, "store", "CURRENT"));
    }
    const { outbox } = await opened(path);
    expect(readdirSync(path).filter((name) => name.startsWith("store.damaged-")).length).toBe(5);
    expect(all.at(-1)).toContain("none was made");
    expect(outbox.lane("a").messages).toBe(7);
    expect(existsSync(join(path, "store", "CURRENT"))).toBe(true);
  });

  /** Seeded: any byte of any file. LevelDB's own assertions would end this process. */
  it("is opened whatever was done to it", { timeout: 120_000 }, async () => {
    const files = readdirSync(join(whole, "store")).filter((name) => name !== "LOCK" && !name.startsWith("LOG"));
    let seed = 1;
    const random = (below: number): number => {
      seed = (seed * 1_664_525 + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    for (let round = 0; round < 24; round++) {
      const name = files[random(files.length)] ?? "";
      const { numbers, lost, outbox } = await afterDamage((store) =>
        change(join(store, name), (bytes) => {
          for (let flips = 0; flips < 1 + random(12); flips++) bytes[random(bytes.length)] = random(256);
        }),
      );
      expect(numbers.length + lost, `round ${round}, ${name}`).toBe(MESSAGES);
      await outbox.close();
    }
  });
});

describe("the sum of LevelDB's blocks", () => {
  it("is CRC-32C (RFC 3720 §B.4)", () => {
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
    expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, index) => index)))).toBe(0x46dd794e);
    for (let offset = 0; offset < 9; offset++) {
      expect(crc32c(Buffer.from(`${"-".repeat(offset)}123456789`).subarray(offset))).toBe(0xe3069283);
    }
  });
});
