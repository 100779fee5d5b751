/** Rounds from a CSV file: readings that were recorded, or written by hand. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { parseDateTime } from "../../protocol/datetime.ts";
import { errnoOf, isSakuraError, reasonOf, SakuraError } from "../../protocol/errors.ts";
import { readChannelText } from "../channel-text.ts";
import type { FeedRound } from "./round.ts";

export interface CsvOptions {
  /** How much faster than recorded; 1 unless told. */
  readonly speed?: number | undefined;
}

export interface CsvRounds {
  readonly rounds: readonly FeedRound[];
  /** Whether the file says when each row is due. */
  readonly timed: boolean;
}

const COLUMNS = ["channel", "type", "value", "time"] as const;
const REQUIRED = ["channel", "type", "value"] as const;
type Column = (typeof COLUMNS)[number];

/** A row, and the line of the file that it ends on. */
interface Row {
  readonly cells: readonly string[];
  readonly line: number;
}

const HEADER_HELP =
  "the first line names the columns: channel,type,value,time in any order, time only where there is one";
const UTF8_HELP = 'save it as "CSV UTF-8"';
const TIME_HELP = "a time is in RFC 3339 (2018-06-21T01:10:57.770Z) or in seconds (12.5)";

/** @throws SakuraError FILE_FAILED; INVALID_ARGUMENT as `parseCsvRounds` */
export async function readCsvRounds(path: string, options: CsvOptions = {}): Promise<CsvRounds> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const what = errnoOf(cause) === "ENOENT" ? `there is no ${path}` : `${path} cannot be read: ${reasonOf(cause)}`;
    throw new SakuraError("FILE_FAILED", what, { context: { path }, cause });
  }
  if (isUtf16(bytes)) throw wrong(path, 1, undefined, `the file is in UTF-16: ${UTF8_HELP}`);
  return parseCsvRounds(new TextDecoder().decode(bytes), path, options);
}

/** By its byte order mark, as Excel's "Unicode Text" has one. */
function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

/**
 * The first line names the columns: `channel`, `type`, `value` and, where there is one, `time`. Values are as exact as
 * their types: a 64-bit integer with all its digits, `b` as 16 hex digits. A time is in RFC 3339, or in seconds from any
 * moment; rows of the same time are one round, and the first row is due at the start. Without times each row is a round.
 * Lines that begin with # are comments. All of it is checked before anything is given.
 *
 * @param name the file's, for messages
 * @throws SakuraError INVALID_ARGUMENT naming the line and the column
 */
export async function parseCsvRounds(text: string, name: string, { speed = 1 }: CsvOptions = {}): Promise<CsvRounds> {
  if (!(speed > 0 && Number.isFinite(speed))) {
    throw new SakuraError("INVALID_ARGUMENT", `a speed is more than 0, not ${speed}`, { context: { speed } });
  }
  const [header, ...rows] = await readRows(text, name);
  const columns = readHeader(header, name);
  if (rows.length === 0) throw wrong(name, header?.line ?? 1, undefined, "no row of values follows the header");
  const { time } = columns;
  if (time === undefined)
    return { rounds: rows.map((row) => ({ values: [entryOf(row, columns, name)] })), timed: false };
  return { rounds: timedRounds(rows, { ...columns, time }, name, speed), timed: true };
}

type ColumnsOf = { readonly [C in (typeof REQUIRED)[number]]: number } & { readonly time?: number | undefined };

const cellsSchema = z.array(z.string());

async function readRows(text: string, name: string): Promise<Row[]> {
  // Only who feeds a file needs it.
  const { CsvError, parse } = await import("csv-parse/sync");
  const rows: Row[] = [];
  try {
    parse(text, {
      bom: true,
      trim: true,
      skip_empty_lines: true,
      // As a spreadsheet leaves them behind the last row.
      skip_records_with_empty_values: true,
      comment: "#",
      comment_no_infix: true,
      // Told by us, with what is right.
      relax_column_count: true,
      on_record: (cells: unknown, { lines }) => {
        rows.push({ cells: cellsSchema.parse(cells), line: lines });
        return null;
      },
    });
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const { lines } = cause;
    throw wrong(name, typeof lines === "number" ? lines : 1, undefined, reasonOf(cause), cause);
  }
  return rows;
}

function readHeader(header: Row | undefined, name: string): ColumnsOf {
  if (!header) throw wrong(name, 1, undefined, `the file is empty: ${HEADER_HELP}`);
  const names = header.cells.map((cell) => cell.toLowerCase());
  const problem = headerSaid(header.cells);
  if (problem !== undefined) throw wrong(name, header.line, undefined, problem);
  for (const [at, found] of names.entries()) {
    if (!COLUMNS.some((column) => column === found))
      throw wrong(name, header.line, undefined, `column ${at + 1} is "${header.cells[at]}": ${HEADER_HELP}`);
    if (names.indexOf(found) !== at)
      throw wrong(name, header.line, undefined, `column "${found}" is there twice: ${HEADER_HELP}`);
  }
  const at = (column: Column): number => names.indexOf(column);
  const missing = REQUIRED.filter((column) => at(column) < 0);
  if (missing.length > 0)
    throw wrong(name, header.line, undefined, `there is no column ${missing.join(" and ")}: ${HEADER_HELP}`);
  const [channel, type, value] = [at("channel"), at("type"), at("value")];
  return { channel, type, value, ...(at("time") >= 0 && { time: at("time") }) };
}

/** What is wrong with a header that another program's way of saving a table explains. */
function headerSaid(cells: readonly string[]): string | undefined {
  const [only = ""] = cells;
  const mark = cells.length === 1 ? /[;\t]/.exec(only)?.[0] : undefined;
  if (mark !== undefined) return `its columns are parted by ${mark === ";" ? "semicolons" : "tabs"}, and not by commas`;
  // What a byte that is no UTF-8 has been read as.
  if (!cells.some((cell) => cell.includes("\ufffd"))) return undefined;
  return `the columns' names are in another encoding than UTF-8, such as Shift_JIS: ${UTF8_HELP}; ${HEADER_HELP}`;
}

function entryOf({ cells, line }: Row, columns: ColumnsOf, name: string) {
  const wanted = columns.time === undefined ? 3 : 4;
  if (cells.length !== wanted) {
    throw wrong(name, line, undefined, `${cells.length} fields where the header has ${wanted} columns`);
  }
  const cell = (at: number): string => cells[at] ?? "";
  const text = { channel: cell(columns.channel), type: cell(columns.type), value: cell(columns.value) };
  const reading = readChannelText(text);
  if (reading.ok) return reading.entry;
  throw wrong(name, line, reading.field, `"${text[reading.field]}": ${reading.problem}`);
}

/** Rows of one time are one round. */
function timedRounds(rows: readonly Row[], columns: ColumnsOf & { time: number }, name: string, speed: number) {
  const rounds: { values: ReturnType<typeof entryOf>[]; atMs: number }[] = [];
  let first: Time | undefined;
  let last: Time | undefined;
  for (const row of rows) {
    const entry = entryOf(row, columns, name);
    const text = row.cells[columns.time] ?? "";
    const time = readTime(text);
    if (!time) throw wrong(name, row.line, "time", `"${text}": ${TIME_HELP}`);
    first ??= time;
    if (time.kind !== first.kind)
      throw wrong(name, row.line, "time", `"${text}" is in ${time.kind}, and the first row's time is in ${first.kind}`);
    if (last && time.ns < last.ns)
      throw wrong(
        name,
        row.line,
        "time",
        `"${text}" is earlier than the row before: rows are in the order of their times`,
      );
    const round = rounds.at(-1);
    if (round && last?.ns === time.ns) round.values.push(entry);
    else rounds.push({ values: [entry], atMs: Number(time.ns - first.ns) / 1e6 / speed });
    last = time;
  }
  return rounds;
}

interface Time {
  readonly kind: "seconds" | "RFC 3339";
  readonly ns: bigint;
}

function readTime(text: string): Time | undefined {
  const seconds = /^(-?)(\d{1,15})(?:\.(\d{1,9})\d*)?$/.exec(text);
  if (seconds) {
    const [, sign, whole = "", part = ""] = seconds;
    const ns = BigInt(whole) * 1_000_000_000n + BigInt(part.padEnd(9, "0"));
    return { kind: "seconds", ns: sign ? -ns : ns };
  }
  try {
    return { kind: "RFC 3339", ns: parseDateTime(text) };
  } catch (error) {
    if (isSakuraError(error, "INVALID_ARGUMENT")) return undefined;
    throw error;
  }
}

function wrong(name: string, line: number, column: Column | undefined, problem: string, cause?: unknown): SakuraError {
  const place = `${name}, line ${line}${column === undefined ? "" : `, column ${column}`}`;
  return new SakuraError("INVALID_ARGUMENT", `${place}: ${problem}`, {
    context: { path: name, line, column },
    ...(cause !== undefined && { cause }),
  });
}
