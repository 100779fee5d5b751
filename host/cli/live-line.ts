/** A line on a terminal that is rewritten in place, for work that takes long; nothing where stdout is no terminal. */
import type { CliIo } from "./io.ts";

export interface LiveLine {
  /** Shows the text instead of the one before; cut to the terminal's width. One line of ASCII. */
  show(text: string): void;
  /** Takes it away, before anything else is printed. */
  clear(): void;
}

const COLUMNS = 80;
/** To the line's start, and clear to its end. */
const REWIND = "\r\u001b[K";

/** @param quiet for output that a live line would disturb: `--json`, `--trace` */
export function liveLine({ stdout }: CliIo, { quiet }: { readonly quiet: boolean }): LiveLine {
  if (!stdout.isTTY || quiet) return { show: () => undefined, clear: () => undefined };
  let shown = "";
  return {
    show(text) {
      // Not into the last column: there some terminals wrap. One that does not know its width says 0.
      const line = text.slice(0, (stdout.columns || COLUMNS) - 1);
      if (line === shown) return;
      shown = line;
      stdout.write(`${REWIND}${line}`);
    },
    clear() {
      if (shown === "") return;
      shown = "";
      stdout.write(REWIND);
    },
  };
}

/** `[########------------]  42 %`, for a part of 0 to 1. */
export function bar(part: number, width = 30): string {
  const share = Math.min(1, Math.max(0, part));
  const full = Math.floor(share * width);
  return `[${"#".repeat(full)}${"-".repeat(width - full)}] ${String(Math.floor(share * 100)).padStart(3)} %`;
}
