/** How a verb says that it is done. */
import { type ExitCode, printLine } from "../io.ts";
import { jsonLine, type Plain } from "../json-line.ts";
import type { ModuleSession } from "./session.ts";

/** One line: the event with `--json`, the text without. */
export function report(
  { io, json }: ModuleSession,
  event: { readonly event: string; readonly [key: string]: Plain | undefined },
  text: string,
): ExitCode {
  printLine(io.stdout, json ? jsonLine(event) : text);
  return 0;
}

/** `1 value`, `2 values`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
