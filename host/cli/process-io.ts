/** The real process as a verb sees it, and how a verb ends it. */
import { errnoOf, isSakuraError, reasonOf, SakuraError } from "../../protocol/errors.ts";
import { type CliIo, type ExitCode, printLine } from "./io.ts";

/** A verb that has not stopped this long after it was asked to is ended. */
const STOP_MS = 4500;

/** The process's streams, and a signal that SIGINT and SIGTERM abort. */
export function processIo(): CliIo {
  const abort = new AbortController();
  const stop = (): void => {
    // The second time somebody means it.
    if (abort.signal.aborted) process.exit(130);
    end();
  };
  const end = (reason?: SakuraError): void => {
    abort.abort(reason);
    setTimeout(() => {
      process.stderr.write("sakuraio: did not stop in time\n");
      process.exit(1);
    }, STOP_MS).unref();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  // A reader that has gone, such as `| head`, wants no more: stop as for SIGINT. A full disk is a failure.
  process.stdout.on("error", (cause) => abort.abort(outputError(cause)));
  process.stderr.on("error", () => undefined);
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    signal: abort.signal,
    fail: end,
    onHangup,
  };
}

/** Only while somebody listens: else a terminal that is closed ends the process, as it should. */
function onHangup(listener: () => void): () => void {
  process.on("SIGHUP", listener);
  return () => process.off("SIGHUP", listener);
}

function outputError(cause: unknown): SakuraError {
  return errnoOf(cause) === "EPIPE"
    ? new SakuraError("ABORTED", "whoever read the output has gone", { cause })
    : new SakuraError("FILE_FAILED", `the output cannot be written: ${reasonOf(cause)}`, { cause });
}

/** Says on stderr what went wrong, and with `json` on stdout too. Wrong usage and wrong files exit 2, the rest 1. */
export function reportFailure(error: unknown, io: CliIo, json: boolean): ExitCode {
  if (io.signal.aborted && isSakuraError(error, "ABORTED")) return 0;
  const known = isSakuraError(error);
  const text = known
    ? error.message
    : `unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  printLine(io.stderr, `sakuraio: ${text}`);
  if (json) {
    const code = known ? error.code : "UNEXPECTED";
    printLine(io.stdout, JSON.stringify({ event: "error", code, message: reasonOf(error) }));
  }
  return known && (error.code === "INVALID_ARGUMENT" || error.code === "INVALID_CONFIG") ? 2 : 1;
}

/** Runs a verb to its end and ends the process with its exit code, its output written. */
export async function runVerb(json: boolean, io: CliIo, verb: (io: CliIo) => Promise<ExitCode>): Promise<never> {
  const code = await verb(io).catch((error: unknown) => reportFailure(error, io, json));
  await Promise.all([written(process.stdout), written(process.stderr)]);
  const { reason } = io.signal;
  if (!isSakuraError(reason, "FILE_FAILED")) process.exit(code);
  reportFailure(reason, io, json);
  await Promise.all([written(process.stdout), written(process.stderr)]);
  process.exit(1);
}

function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || !stream.writable) resolve();
    // Its error event, where there is one, comes before the next turn.
    else stream.write("", () => setImmediate(resolve));
  });
}
