/**
 * Changes YAML where it stands: the parsed document says where everything is, and only those bytes are replaced. So
 * comments, order, quoting and indentation stay as their author has them, which no writing out of a document does.
 */
import {
  Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  Scalar,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";

export type Plain = string | number | boolean | readonly string[];

/** Thrown where something is written in a way that this does not change; the caller knows another one. */
export class UnusualLayout extends Error {}

interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export class YamlSplicer {
  readonly #text: string;
  readonly #document: Document.Parsed;
  readonly #newline: string;
  readonly #splices: Splice[] = [];

  constructor(text: string, document: Document.Parsed) {
    this.#text = text;
    this.#document = document;
    this.#newline = text.includes("\r\n") ? "\r\n" : "\n";
  }

  /** The text with all changes. */
  result(): string {
    // From the end, so that the earlier places stay where they are.
    const sorted = [...this.#splices].sort((a, b) => b.start - a.start || b.end - a.end);
    const outer = sorted.filter((one) => !sorted.some((other) => other !== one && isWithin(one, other)));
    return outer.reduce((text, { start, end, text: put }) => text.slice(0, start) + put + text.slice(end), this.#text);
  }

  /** Gives a mapping's keys new values; undefined takes a key out. Values that are as they were are left alone. */
  setFields(map: YAMLMap, fields: readonly (readonly [string, Plain | undefined])[]): void {
    const added: [string, Plain][] = [];
    for (const [key, value] of fields) {
      const at = map.items.findIndex((pair) => isScalar(pair.key) && pair.key.value === key);
      const pair = map.items[at];
      if (pair && value === undefined) this.#removePair(map, at);
      else if (pair && value !== undefined) this.#replaceValue(pair, value);
      else if (value !== undefined) added.push([key, value]);
    }
    if (added.length > 0) this.#addPairs(map, added);
  }

  /** Adds a mapping at the end of a list that is not empty. */
  addItem(seq: YAMLSeq, fields: readonly (readonly [string, Plain])[]): void {
    const last = seq.items.at(-1);
    if (seq.flow) {
      const pairs = fields.map(([key, value]) => `${flowText(key)}: ${flowText(value)}`).join(", ");
      this.#insert(endOf(last), `, { ${pairs} }`);
      return;
    }
    const indent = " ".repeat(this.#dashColumn(seq.items[0]));
    const lines = fields.map(([key, value], i) => `${indent}${i === 0 ? "- " : "  "}${key}: ${flowText(value)}`);
    this.#insertLines(endOf(last), lines);
  }

  removeItem(seq: YAMLSeq, index: number): void {
    const item = seq.items[index];
    const end = endOf(item);
    if (seq.flow) {
      const next = seq.items[index + 1];
      const before = seq.items[index - 1];
      if (before) this.#remove(endOf(before), end);
      else this.#remove(startOf(item), next ? startOf(next) : end);
      return;
    }
    this.#dashColumn(item);
    this.#remove(this.#lineStart(startOf(item)), this.#afterLine(end));
  }

  #replaceValue(pair: Pair, value: Plain): void {
    const node = pair.value;
    if (isAlias(node)) {
      this.#splice(startOf(node), endOf(node), flowText(value));
      return;
    }
    if (!isScalar(node) && !isSeq(node)) throw new UnusualLayout();
    const old = isScalar(node) ? node.value : node.toJS(this.#document);
    if (JSON.stringify(old) === JSON.stringify(value)) return;
    this.#writeOutAliases((anchored) => anchored === node);
    let start = startOf(node);
    const end = endOf(node);
    const keyEnd = endOf(pair.key);
    const between = this.#text.slice(keyEnd, start);
    let put = flowText(value, isScalar(node) ? node.type : undefined);
    // A list, or anything else, that begins on a line of its own.
    if (between.includes("\n") && /^ *:/.test(between) && node.anchor === undefined) {
      start = keyEnd + between.indexOf(":") + 1;
      put = ` ${put}`;
    }
    // A block of several lines ends behind the end of its last line.
    this.#splice(start, end, this.#text[end - 1] === "\n" ? put + this.#newline : put);
  }

  #removePair(map: YAMLMap, index: number): void {
    const pair = map.items[index];
    const next = map.items[index + 1];
    const before = map.items[index - 1];
    const end = endOf(pair?.value ?? pair?.key);
    const start = startOf(pair?.key);
    if (before && map.flow) this.#remove(endOf(before.value ?? before.key), end);
    else if (before) this.#remove(this.#lineStart(start), this.#afterLine(end));
    else if (next) this.#remove(start, startOf(next.key));
    else throw new UnusualLayout();
  }

  #addPairs(map: YAMLMap, pairs: readonly (readonly [string, Plain])[]): void {
    const first = map.items[0];
    const last = map.items.at(-1);
    if (!first || !last) throw new UnusualLayout();
    const end = endOf(last.value ?? last.key);
    if (map.flow) {
      this.#insert(end, pairs.map(([key, value]) => `, ${flowText(key)}: ${flowText(value)}`).join(""));
      return;
    }
    const indent = " ".repeat(startOf(first.key) - this.#lineStart(startOf(first.key)));
    const lines = pairs.map(([key, value]) => `${indent}${key}: ${flowText(value)}`);
    this.#insertLines(end, lines);
  }

  /** Where `*name` stands for something that changes or goes, its value is put instead. */
  #writeOutAliases(goes: (node: Node) => boolean): void {
    visit(this.#document, {
      Alias: (_key, alias) => {
        const node = alias.resolve(this.#document);
        if (!node || !goes(node)) return;
        if (!isScalar(node) || typeof node.value !== "string") throw new UnusualLayout();
        this.#splice(startOf(alias), endOf(alias), flowText(node.value));
      },
    });
  }

  #remove(start: number, end: number): void {
    this.#writeOutAliases((node) => startOf(node) >= start && startOf(node) < end);
    this.#splice(start, end, "");
  }

  #insert(at: number, text: string): void {
    this.#splice(at, at, text);
  }

  /** Whole lines, behind the line in which something ends. */
  #insertLines(end: number, lines: readonly string[]): void {
    const at = this.#afterLine(end);
    const first = this.#text[at - 1] === "\n" ? "" : this.#newline;
    this.#insert(at, first + lines.map((line) => line + this.#newline).join(""));
  }

  #splice(start: number, end: number, text: string): void {
    this.#splices.push({ start, end, text });
  }

  /** Where the dash of a list's item stands in its line. */
  #dashColumn(item: unknown): number {
    const start = startOf(item);
    const [, before] = /^( *)- +(?:&\S+ +)?$/.exec(this.#text.slice(this.#lineStart(start), start)) ?? [];
    if (before === undefined) throw new UnusualLayout();
    return before.length;
  }

  #lineStart(offset: number): number {
    return this.#text.lastIndexOf("\n", offset - 1) + 1;
  }

  #afterLine(offset: number): number {
    if (this.#text[offset - 1] === "\n") return offset;
    const newline = this.#text.indexOf("\n", offset);
    return newline === -1 ? this.#text.length : newline + 1;
  }
}

/** A value as it can stand anywhere, in quotes where it must, and in those that were there. */
function flowText(value: Plain, type?: Scalar.Type | null): string {
  const quoted = type === Scalar.QUOTE_DOUBLE || type === Scalar.QUOTE_SINGLE;
  const item = new Scalar(value);
  if (quoted && typeof value === "string") item.type = type;
  const document = new Document([typeof value === "object" ? value : item]);
  if (isSeq(document.contents)) {
    document.contents.flow = true;
    for (const each of document.contents.items) if (isCollection(each)) each.flow = true;
  }
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: false });
  return text.slice(1, text.lastIndexOf("]"));
}

function startOf(node: unknown): number {
  const range = rangeOf(node);
  if (!range) throw new UnusualLayout();
  return range[0];
}

/** Without what follows it: comments, empty lines. */
function endOf(node: unknown): number {
  if (isMap(node) && !node.flow) {
    const last = node.items.at(-1);
    return endOf(last?.value ?? last?.key);
  }
  if (isSeq(node) && !node.flow) return endOf(node.items.at(-1));
  const range = rangeOf(node);
  if (!range) throw new UnusualLayout();
  return range[1];
}

function rangeOf(node: unknown): Node["range"] {
  return isScalar(node) || isCollection(node) || isAlias(node) ? node.range : undefined;
}

function isWithin(inner: Splice, outer: Splice): boolean {
  return inner.start >= outer.start && inner.end <= outer.end && outer.end - outer.start > inner.end - inner.start;
}
