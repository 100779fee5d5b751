/** A shell's lines from a stream that is no terminal: one after the other, up to the first that fails. */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { SakuraModule } from "../../module.ts";
import { type CliIo, type ExitCode, printLine } from "../io.ts";
import { count } from "./report.ts";
import { runLine, type ShellSettings } from "./shell-verbs.ts";

export interface ScriptSettings extends ShellSettings {
  /** After a line that failed too; the script then exits 1. */
  readonly keepGoing: boolean;
}

/** How much of a failed line is told. */
const LINE_TOLD = 60;

/** Ends with the stream, at `exit`, and when it is stopped. */
export async function runScript(module: SakuraModule, settings: ScriptSettings, io: CliIo): Promise<ExitCode> {
  const lines = createInterface({
    input: io.stdin,
    crlfDelay: Number.POSITIVE_INFINITY,
    terminal: false,
    signal: io.signal,
  });
  let number = 0;
  let failed = 0;
  try {
    for await (const line of lines) {
      number++;
      const { code, left } = await runLine(line, module, settings, verbIo(io));
      if (io.signal.aborted) return 0;
      if (code !== 0) {
        failed++;
        const told = line.trim();
        printLine(
          io.stderr,
          `sakuraio: line ${number} failed: ${told.slice(0, LINE_TOLD)}${told.length > LINE_TOLD ? "…" : ""}`,
        );
        if (!settings.keepGoing) return code;
      }
      if (left) break;
    }
  } finally {
    lines.close();
  }
  if (failed > 0 && !io.signal.aborted) printLine(io.stderr, `sakuraio: ${count(failed, "line")} failed`);
  return failed > 0 && !io.signal.aborted ? 1 : 0;
}

/** What a verb reads is not the script. */
function verbIo(io: CliIo): CliIo {
  return {
    stdin: Readable.from([]),
    stdout: io.stdout,
    stderr: io.stderr,
    signal: io.signal,
    fail: (error) => io.fail(error),
  };
}
