/** docs/protocol.md says what the command table says, and what the vendor's documents say. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { protocolDocument } from "../../host/codegen/docs.ts";
import { commandNames } from "../../protocol/index.ts";

const text = protocolDocument();

describe("docs/protocol.md", () => {
  it("is what the command table gives now", () => {
    const committed = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");
    expect(committed, "docs/protocol.md is out of date: run `npm run docs` and commit the file").toBe(text);
  });

  it("has each command once in a table and once with what it does", () => {
    for (const name of commandNames) {
      expect(text.split(`| \`${name}\` |`)).toHaveLength(2);
      expect(text.split(`\n- \`${name}\`: `)).toHaveLength(2);
    }
  });

  it.each([
    "| `0x24` | `TX_SEND` | – (`24 00 24`) | – | **once** |",
    "| `0x20` | `TX_ENQUEUE` | u8 channel, u8 type, value[8] (, i64 offset ms); 10 or 18 bytes | – | **once** |",
    "| `0x32` | `RX_LENGTH` | – (`32 00 32`) | u8 available, u8 queued; 2 bytes | again |",
    "| `0x06` | `LOCKED` | needs UNLOCK first |",
    "| `l` | `0x6C` | `int64_t` |",
    "| `0x03` | unexpected disconnect |",
    "| `0x03` | SCM-LTE-01 Rev.B |",
  ])("has the line %s", (line) => {
    expect(text.split("\n")).toContain(line);
  });

  it("has its tables in one piece: every line of a table has as many cells as its head", () => {
    const tables = text.match(/(?:^\|.*\n)+/gm) ?? [];
    expect(tables.length).toBeGreaterThan(15);
    for (const rows of tables) {
      const cells = rows
        .trimEnd()
        .split("\n")
        .map((row) => row.split(/(?<!\\)\|/).length);
      expect(new Set(cells).size, rows).toBe(1);
    }
  });
});
