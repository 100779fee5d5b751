/** What a verb may touch of the process, so that it can be run in a test and so that stdout stays a contract. */
import type { SakuraError } from "../../protocol/errors.ts";

export interface CliIo {
  readonly stdin: NodeJS.ReadableStream;
  /** Results only; with `--json`, one JSON object a line and nothing else. */
  readonly stdout: NodeJS.WritableStream & {
    readonly isTTY?: boolean;
    readonly columns?: number;
    readonly rows?: number;
  };
  /** Everything that is for people to read on the side. */
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  /**
   * Aborted by SIGINT and SIGTERM: stop cleanly, exit 0. And by an end of stdout, whose reason is a SakuraError: there is
   * nobody left to tell. And by `fail`.
   */
  readonly signal: AbortSignal;
  /**
   * Stops the verb by its signal, as for SIGINT, for a failure beside its work, such as a recording's full disk. The
   * process then tells this error and exits 1.
   * @param error FILE_FAILED
   */
  fail(error: SakuraError): void;
  /** How a question is put to a person, where stdin is taken: by a shell. Else it is put on the terminal. */
  readonly ask?: (question: string) => Promise<string>;
  /** Calls the listener at each SIGHUP: what runs for long reads its file again. Returns its removal. */
  readonly onHangup?: (listener: () => void) => () => void;
}

/** The process's exit code: 0 success, 1 failure, 2 wrong usage. */
export type ExitCode = 0 | 1 | 2;

/** Writes one line; the caller has made sure that it is one. */
export function printLine(stream: NodeJS.WritableStream, line: string): void {
  stream.write(`${line}\n`);
}

/** Resolves with nothing when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
