/** A line typed at the shell, taken apart into words as people know it from their own shell. */
import { SakuraError } from "../../../protocol/errors.ts";

interface Split {
  readonly words: readonly string[];
  /** Where the last word begins in the line; the line's end after a blank. For completion. */
  readonly lastAt: number;
  /** The quote that the line leaves open. */
  readonly open: "'" | '"' | undefined;
}

/**
 * Words are parted by blanks. `'…'` is kept as it is; within `"…"` a backslash keeps a quote or a backslash; outside it
 * keeps a blank, a quote, `#` or a backslash, and any other backslash is itself (`C:\file`). `#` at a word's start
 * begins a comment.
 *
 * @throws SakuraError INVALID_ARGUMENT for a quote that is not closed
 */
export function splitWords(line: string): readonly string[] {
  const { words, open } = split(line);
  if (open !== undefined) throw new SakuraError("INVALID_ARGUMENT", `the line ends within quotes: ${open} is missing`);
  return words;
}

/** The words before the one that is being typed, and that one as it is typed, quotes and all. */
export function splitForCompletion(line: string): { readonly before: readonly string[]; readonly typed: string } {
  const { words, lastAt } = split(line);
  const typed = line.slice(lastAt);
  return { before: typed === "" ? words : words.slice(0, -1), typed };
}

/** The word as it has to be typed, outside quotes. */
export function quoteWord(word: string): string {
  return word.replace(/[\s'"#\\]/g, "\\$&");
}

function split(line: string): Split {
  const words: string[] = [];
  let word: string | undefined;
  let lastAt = line.length;
  let open: Split["open"];
  for (let i = 0; i < line.length; i++) {
    const char = line.charAt(i);
    const next = line.charAt(i + 1);
    if (open === undefined && /\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      lastAt = line.length;
      continue;
    }
    if (word === undefined) {
      if (char === "#") break;
      word = "";
      lastAt = i;
    }
    if (open === undefined && (char === "'" || char === '"')) open = char;
    else if (char === open) open = undefined;
    else if (char === "\\" && next !== "" && isKept(next, open)) {
      word += next;
      i++;
    } else word += char;
  }
  if (word !== undefined) words.push(word);
  return { words, lastAt, open };
}

function isKept(char: string, open: Split["open"]): boolean {
  if (open === "'") return false;
  return open === '"' ? /["\\]/.test(char) : /[\s'"#\\]/.test(char);
}
