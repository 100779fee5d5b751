/** The log as JSON lines, for journald, a container's runtime and what collects from them. Alone imports pino. */
import { pino } from "pino";
import type { Log, LogLevel } from "./log.ts";

/**
 * A line is `{"level":"info","time":"…","event":"service",…,"msg":"…"}`. It is written to the stream at once and not
 * through a buffer of pino's own: the last lines before an end are those that somebody will look for.
 */
export function jsonLog(stream: NodeJS.WritableStream, level: LogLevel): Log {
  const logger = pino(
    {
      level,
      // The process and the machine are known to whoever collects it.
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => void stream.write(line) },
  );
  return {
    takes: (of) => logger.isLevelEnabled(of),
    write: ({ level, text, fields }) => logger[level](fields, text),
  };
}
