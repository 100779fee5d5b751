/** The small programs of test/firmware/cases, built anew: what is checked in is what their sources say. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { BUILT_WITH, tool } from "../../support/c-program.ts";

const CASES = fileURLToPath(new URL("../../firmware/cases/", import.meta.url));

it("builds every case without a warning, to what is checked in", () => {
  const dir = mkdtempSync(join(tmpdir(), "sakuraio-cases-"));
  try {
    cpSync(CASES, dir, { recursive: true });
    tool("make", ["-B"], dir);
    const files = readdirSync(CASES).filter((name) => name.endsWith(".hex"));
    expect(files.length).toBeGreaterThan(25);
    // Another compiler may make other bytes of them.
    if (tool("avr-gcc", ["-dumpversion"]).trim() !== BUILT_WITH) return;
    for (const name of files) {
      expect(readFileSync(join(dir, name), "utf8"), name).toBe(readFileSync(join(CASES, name), "utf8"));
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
