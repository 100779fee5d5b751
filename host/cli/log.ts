/** A log for people or for programs, on stderr. What a line says is made elsewhere; here is how it is written. */
import { formatDateTime } from "../../protocol/datetime.ts";
import { printLine } from "./io.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LEVELS)[number];
export const logLevels: readonly LogLevel[] = LEVELS;
export const logFormats: readonly LogFormat[] = ["text", "json"];
export type LogFormat = "text" | "json";

/** Plain values alone: whatever has fields of its own, an error or a configuration, could carry a key. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface LogLine {
  readonly level: LogLevel;
  /** For people. */
  readonly text: string;
  /** The same for programs. Times are RFC 3339. */
  readonly fields: LogFields;
}

export interface Log {
  /** Whether lines of this level are written at all: some are many, and dear to make. */
  takes(level: LogLevel): boolean;
  write(line: LogLine): void;
}

export interface LogOptions {
  readonly format: LogFormat;
  /** Lines below it are left out. */
  readonly level: LogLevel;
}

export async function openLog(stream: NodeJS.WritableStream, { format, level }: LogOptions): Promise<Log> {
  if (format === "json") {
    const { jsonLog } = await import("./log-json.ts");
    return jsonLog(stream, level);
  }
  return textLog(stream, level);
}

function textLog(stream: NodeJS.WritableStream, level: LogLevel): Log {
  const least = LEVELS.indexOf(level);
  const takes = (of: LogLevel): boolean => LEVELS.indexOf(of) >= least;
  return {
    takes,
    write(line) {
      if (!takes(line.level)) return;
      printLine(stream, `${formatDateTime(Date.now())} ${oneLine(line.text)}`);
    },
  };
}

/** What came from outside must stay one line, and must not move a terminal's cursor. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\r\n\u2028\u2029]+/g, " ").replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(2, "0");
    return `\\x${code}`;
  });
}
