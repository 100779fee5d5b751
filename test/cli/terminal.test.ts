/** The terminal that the tests look at is one: lines, echo, Ctrl+C, a size that changes; and the command line on it. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { Terminal } from "../support/terminal.ts";

let terminal: Terminal | undefined;
afterEach(async () => {
  vi.unstubAllEnvs();
  await terminal?.close();
});

/** A program that tells what it notices of its terminal. */
const WITNESS = `
  process.stdout.write(process.stdout.columns + "x" + process.stdout.rows + "\\n");
  process.stdout.on("resize", () => console.log(process.stdout.columns + "x" + process.stdout.rows));
  process.stdin.on("data", (data) => console.log("read " + JSON.stringify(String(data))));
  process.stdin.on("end", () => process.exit(7));
  process.on("SIGINT", () => console.log("interrupted"));
`;

describe.skipIf(process.platform !== "linux")("a terminal", () => {
  it("echoes, gives lines, signals and its size, and tells how it ended", async () => {
    terminal = await Terminal.runProgram([process.execPath, "-e", WITNESS]);
    await terminal.shows("80x24");
    terminal.type("abc");
    terminal.press("backspace", "enter");
    await terminal.shows('ab\nread "ab\\n"');
    terminal.press("ctrl-c");
    await terminal.shows("^C");
    await terminal.shows("interrupted");
    terminal.resize(60, 10);
    await terminal.shows("60x10");
    expect(terminal.screen()).toHaveLength(10);
    terminal.press("ctrl-d");
    expect(await terminal.exited).toBe(7);
    await expect(terminal.shows("never")).rejects.toThrow(/ended without never:\n-{60}\n80x24\n/);
  });

  it.each([
    ["none of the wishes for colours that the tests' own reader has", {}, "undefined undefined undefined"],
    ["those that a test sets", { NO_COLOR: "1" }, "1 undefined undefined"],
  ])("has in its environment %s", async (_what, env, shown) => {
    for (const name of ["NO_COLOR", "FORCE_COLOR", "NODE_DISABLE_COLORS"]) vi.stubEnv(name, "9");
    const tell = "const e = process.env; console.log(e.NO_COLOR + ' ' + e.FORCE_COLOR + ' ' + e.NODE_DISABLE_COLORS)";
    terminal = await Terminal.runProgram([process.execPath, "-e", tell], { env });
    await terminal.shows(shown);
  });

  it("runs the command line, and shows all that it printed", async () => {
    terminal = await Terminal.run(["module", "--help"], { rows: 200 });
    expect(await terminal.exited).toBe(0);
    expect(terminal.screen()[0]).toBe("Usage: sakuraio module [options] [command]");
    expect(terminal.screen().join("\n")).toContain("Examples:");
  });
});
