/** The lines typed at the shell, kept from one time to the next in a file of the user's own. */
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { errnoOf, reasonOf } from "../../../protocol/errors.ts";

/** More are forgotten, the oldest first; the file may have twice as many in between. */
export const HISTORY_MAX = 1000;
/** A longer line is not kept. */
const LINE_MAX = 4096;

export interface History {
  /** The newest first, none twice. */
  readonly lines: readonly string[];
  add(line: string): void;
}

/**
 * `$XDG_STATE_HOME/sakuraio/shell-history`, or below `~/.local/state`.
 * @throws Error where the user has no home: HOME is empty, or a number is all that is known of the user
 */
function historyFile(env: NodeJS.ProcessEnv = process.env): string {
  const { XDG_STATE_HOME: state } = env;
  if (state !== undefined && isAbsolute(state)) return join(state, "sakuraio", "shell-history");
  const home = homedir();
  // Below the directory that one happens to be in, nobody would find it again.
  if (!isAbsolute(home)) throw new Error("HOME names no directory");
  return join(home, ".local", "state", "sakuraio", "shell-history");
}

/**
 * Reads the user's file; one that cannot be read or written is told of once, and the history then lasts as long as the shell.
 * The file is for its owner alone: it has the values that were sent.
 */
export function openHistory(tell: (text: string) => void): History {
  let lines: string[] = [];
  let kept = true;
  const trying = (work: () => void): void => {
    if (!kept) return;
    try {
      work();
    } catch (cause) {
      kept = false;
      tell(`the history is not kept: ${reasonOf(cause)}`);
    }
  };
  let file = "";
  trying(() => {
    file = historyFile();
    const all = read(file);
    lines = newestFirst(all);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    if (all.length > 2 * HISTORY_MAX) rewrite(file, lines.toReversed());
  });
  return {
    get lines() {
      return lines;
    },
    add(typed) {
      const line = typed.trimEnd();
      if (line === "" || line === lines[0] || line.length > LINE_MAX) return;
      lines = [line, ...lines.filter((other) => other !== line)].slice(0, HISTORY_MAX);
      // Added, not written anew: two shells at once keep both their lines.
      trying(() => appendFileSync(file, `${line}\n`, { mode: 0o600 }));
    },
  };
}

function read(file: string): string[] {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT") return [];
    throw cause;
  }
}

function newestFirst(lines: readonly string[]): string[] {
  return [...new Set(lines.toReversed())].slice(0, HISTORY_MAX);
}

function rewrite(file: string, lines: readonly string[]): void {
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, `${lines.join("\n")}\n`, { mode: 0o600 });
  renameSync(fresh, file);
}
