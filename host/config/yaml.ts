/** YAML as plain data that still knows where in the file everything stood. */
import { type ErrorCode, isMap, isNode, isSeq, LineCounter, type Node, parseDocument, visit } from "yaml";
import { SakuraError } from "../../protocol/errors.ts";
import type { ConfigPath } from "./schema.ts";

export interface LocatedYaml {
  readonly data: unknown;
  /** Line and column of what stands at a path, or of the nearest thing around it; both from 1. */
  locate(path: ConfigPath): { readonly line: number; readonly column: number };
}

/**
 * @param name the file's, for messages
 * @throws SakuraError INVALID_CONFIG with line and column
 */
export function parseYaml(text: string, name: string): LocatedYaml {
  const lineCounter = new LineCounter();
  // The library's own words may quote the text, and the text may be a key.
  const document = parseDocument(text, { lineCounter, prettyErrors: false, logLevel: "error", stringKeys: true });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) throw invalidYaml(name, problem.code, problem.pos[0], lineCounter);
  visit(document, {
    Alias(_key, alias) {
      if (!alias.resolve(document)) throw invalidYaml(name, "BAD_ALIAS", startOf(alias) ?? 0, lineCounter);
    },
  });
  let data: unknown;
  try {
    data = document.toJS({ maxAliasCount: 100 });
  } catch {
    throw new SakuraError("INVALID_CONFIG", `${name}: its aliases (*name) repeat too much: write them out`);
  }
  return {
    data,
    locate(path) {
      const { line, col } = lineCounter.linePos(offsetOf(document.contents, path));
      return { line: Math.max(1, line), column: Math.max(1, col) };
    },
  };
}

/** What is wrong, for those of the library's codes that people meet. */
const WORDS: Readonly<Record<string, string>> = {
  BAD_INDENT: "the indentation does not fit: things of one level begin in one column",
  TAB_AS_INDENT: "a tab stands where spaces must: indent with spaces",
  DUPLICATE_KEY: "a key stands twice in one mapping: leave one out",
  MISSING_CHAR: "a character is missing: a closing quote or bracket, or a colon or comma",
  BAD_SCALAR_START: "a text begins with a character that must be in quotes",
  BLOCK_AS_IMPLICIT_KEY: "a mapping stands inside a line: put a value with a colon in quotes",
  MULTILINE_IMPLICIT_KEY: "a key goes over several lines: is a colon missing, or a | before text of several lines?",
  BAD_ALIAS: "an alias (*name) has no anchor (&name) before it: put a text that begins with * in quotes",
  BAD_DQ_ESCAPE: "a backslash in double quotes begins nothing that is known: use single quotes",
  MULTIPLE_DOCS: "a second document begins (---): a configuration is one",
  TAG_RESOLVE_FAILED: "a tag (!name) is not known: put a text that begins with ! in quotes",
  NON_STRING_KEY: "a key is no text: put it in quotes",
};

function invalidYaml(name: string, code: ErrorCode, offset: number, lineCounter: LineCounter): SakuraError {
  const { line, col } = lineCounter.linePos(offset);
  const words = WORDS[code] ?? "this is no YAML: check the indentation, the colons and the quotes here";
  return new SakuraError("INVALID_CONFIG", `${name}:${line}:${col}: ${words}`, {
    context: { line, column: col, yaml: code },
  });
}

/** Where a path's key begins, or a list's item; for a path that is not there, where it would have to be. */
function offsetOf(contents: unknown, path: ConfigPath): number {
  let node = contents;
  let offset = startOf(node) ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isNode(key) && "value" in key && key.value === step);
      if (!pair) return offset;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof step === "number") {
      node = node.items[step];
      offset = startOf(node) ?? offset;
    } else return offset;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  const range: Node["range"] = isNode(node) ? node.range : undefined;
  return range?.[0];
}
