/** What the documents point to: files, headings, and the doctor's own words. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PORT_CHECKS } from "../../host/doctor/examine-port.ts";
import { documents } from "../support/documents.ts";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string | URL): string => readFileSync(new URL(path, ROOT), "utf8");

/** A heading's anchor as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .replace(/`/g, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, "")
    .replace(/ /g, "-");
}

function anchorsIn(text: string): readonly string[] {
  const outside = text.replace(/^```[\s\S]*?^```/gm, "");
  return Array.from(outside.matchAll(/^#+ (.*)$/gm), ([, heading = ""]) => anchorOf(heading));
}

describe("the links", () => {
  it.each(documents)("of %s lead somewhere", (document) => {
    const wrong: string[] = [];
    for (const [, target = ""] of read(document).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? new URL(document, ROOT) : new URL(path, new URL(document, ROOT));
      if (!existsSync(file)) wrong.push(target);
      else if (anchor !== undefined && !anchorsIn(read(file)).includes(anchor)) wrong.push(target);
    }
    expect(wrong).toEqual([]);
  });
});

/** What does not vary from case to case: not the numbers, the paths and the names in a line of the doctor. */
function fixedParts(words: string): readonly string[] {
  const parts = words.split(/…|: |0x\w+|\d+|\/dev\/\S+|dialout|\bfull\b/);
  return parts.map((part) => part.replace(/^[\s,;、:]+|[\s,;、(:]+$/g, "")).filter(({ length }) => length > 4);
}

/** Not told of every good port. */
const SELDOM: ReadonlySet<string> = new Set(["latency-timer", "open", "adapter", "send"]);
/** Put together of what varies: a rate, what a module says of itself, counts. */
const FACTS: ReadonlySet<string> = new Set(["answer", "product", "firmware", "signal", "queues"]);

describe.each(["docs/bring-up.md", "docs/bring-up.ja.md"])("the symptoms of %s", (document) => {
  const rows = Array.from(
    read(document).matchAll(/^\| .* \| `([a-z-]+)` (.+?) \| .* \|$/gm),
    ([, check = "", words = ""]) => ({
      check,
      words,
    }),
  );
  const files = readdirSync(new URL("host/doctor/", ROOT)).map((name) => `host/doctor/${name}`);
  const source = [...files, "host/adapter/port-access.ts"].map(read).join("\n");

  it("are told in the doctor's words", () => {
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.flatMap(({ words }) => fixedParts(words)).filter((part) => !source.includes(part))).toEqual([]);
  });

  it("and a good end are told in them too", () => {
    const lines = Array.from(
      read(document).matchAll(/^ {4}ok {2}([a-z-]+) +(.+)$/gm),
      ([, check = "", words = ""]) => ({ check, words }),
    );
    expect(lines.map(({ check }) => check)).toEqual(PORT_CHECKS.filter((check) => !SELDOM.has(check)));
    const parts = lines.filter(({ check }) => !FACTS.has(check)).flatMap(({ words }) => fixedParts(words));
    expect(parts.filter((part) => !source.includes(part))).toEqual([]);
  });

  it("cover what can stop a bring-up", () => {
    const told = new Set(rows.map(({ check }) => check));
    expect([...told].filter((check) => !PORT_CHECKS.some((known) => known === check))).toEqual([]);
    for (const check of [
      "port",
      "holder",
      "latency-timer",
      "adapter",
      "answer",
      "parity",
      "time",
      "signal",
      "connection",
    ]) {
      expect(told).toContain(check);
    }
  });
});
