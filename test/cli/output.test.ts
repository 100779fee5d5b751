/** What becomes of a run whose output cannot be written. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const MAIN = fileURLToPath(new URL("../../dist/host/cli/main.js", import.meta.url));
const TALKS = fileURLToPath(new URL("../firmware/i2c/firmware.hex", import.meta.url));

interface End {
  readonly code: number | null;
  readonly stderr: string;
}

function ended(child: ReturnType<typeof spawn>): Promise<End> {
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stderr })));
}

describe.skipIf(!existsSync("/dev/full"))("on a full disk", () => {
  it.each([[["codegen", "c"]], [["codegen", "c", "--json"]], [["avr", "run", TALKS, "--bus", "i2c", "--json"]]])(
    "%j says so, exit 1",
    async (args) => {
      const full = openSync("/dev/full", "w");
      try {
        const { code, stderr } = await ended(
          spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", full, "pipe"] }),
        );
        expect(stderr).toContain("sakuraio: the output cannot be written: ENOSPC");
        expect(code).toBe(1);
      } finally {
        closeSync(full);
      }
    },
  );
});

describe("to a reader that has gone", () => {
  async function readOneChunkOf(...args: readonly string[]): Promise<End> {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.once("data", () => child.stdout.destroy());
    return ended(child);
  }

  it("stops as for SIGINT, exit 0", async () => {
    expect(await readOneChunkOf("avr", "run", TALKS, "--bus", "i2c")).toMatchObject({ code: 0 });
  });

  it("has not sent the messages that were asked for, exit 1", async () => {
    const { code, stderr } = await readOneChunkOf("avr", "run", TALKS, "--bus", "i2c", "--until-messages", "100000");
    expect(stderr).toMatch(/messages came/);
    expect(code).toBe(1);
  });
});
