/** What became of one try of a command, and what its caller is told. */
import { isSakuraError, reasonOf, SakuraError } from "../protocol/errors.ts";
import type { Refusal } from "../protocol/status.ts";
import type { Job } from "./job.ts";
import { type FrameExchange, isUnreached } from "./transport/exchange.ts";

/** A try that gave no result. */
export interface Failure {
  readonly exchange: FrameExchange;
  readonly error: unknown;
  /** Whether the module may have carried the command out. */
  readonly open: boolean;
  /** Whether an answer that comes late may be the command's. */
  readonly sent: boolean;
}

/** Hands the answer to what was sent last to the caller, or says why not. */
export function take(job: Job, exchange: FrameExchange, answer: Uint8Array): Failure | undefined {
  const failure = takeLate(job, exchange, answer);
  if (failure && !isSakuraError(failure.error, "MODULE_REFUSED")) exchange.suspect = true;
  return failure;
}

/** As {@link take}, for an answer that the line is in step behind. */
export function takeLate(job: Job, exchange: FrameExchange, answer: Uint8Array): Failure | undefined {
  try {
    job.take(answer);
    return undefined;
  } catch (error) {
    // A frame that lost a byte can still have a good parity, and then a payload that is not its command's.
    const damaged =
      isSakuraError(error, "DAMAGED_ANSWER") || (exchange.noisy && isSakuraError(error, "INVALID_PAYLOAD"));
    return { exchange, error, open: damaged, sent: true };
  }
}

export function unanswered(exchange: FrameExchange, error: unknown): Failure {
  const sent = !isUnreached(error);
  return { exchange, error, open: sent && !isSakuraError(error, "MODULE_REFUSED"), sent };
}

/** The line could not be brought in step, so nothing was sent now. @param before the try before */
export function notSent(exchange: FrameExchange, error: unknown, before: Failure | undefined): Failure {
  return { exchange, error, open: before?.open ?? false, sent: before?.sent ?? false };
}

/** The module answers, and still nobody can tell what. */
export function outOfStep(port: string): SakuraError {
  return new SakuraError("NO_ANSWER", `the module at ${port} answers too late: raise the timeout`, {
    context: { port },
  });
}

export function isLineFailure(error: unknown): boolean {
  if (isSakuraError(error, "PORT_FAILED")) return !isUnreached(error);
  return isSakuraError(error, "NO_ANSWER") || isSakuraError(error, "DAMAGED_ANSWER");
}

/** Whether the module refused with this status. */
export function isRefusal(error: unknown, wanted: Refusal): boolean {
  if (!isSakuraError(error, "MODULE_REFUSED")) return false;
  const { status } = error.context;
  return status === wanted;
}

export function mustNotRepeat(job: Job, failure: Failure): boolean {
  return failure.open && job.command.repeat === "once";
}

/** What the caller is told. */
export function verdict(job: Job, failure: Failure): unknown {
  const { name } = job.command;
  const { error, exchange } = failure;
  const unknown = mustNotRepeat(job, failure);
  if (isSakuraError(error, "ABORTED") || isSakuraError(error, "CLOSED")) {
    const outcome = unknown ? "; it had been sent, so it may or may not have been carried out" : "";
    return new SakuraError(error.code, `${name} was given up${outcome}`, {
      context: { ...error.context, command: name, ...(unknown && { outcome: "unknown" }) },
      cause: error.cause ?? error,
    });
  }
  if (!unknown) return error;
  return new SakuraError(
    "OUTCOME_UNKNOWN",
    `${name} may or may not have been carried out, and doing it twice is not the same as once: ${reasonOf(error)}`,
    { context: { command: name, port: exchange.name }, cause: error },
  );
}

export function closedError(command: string, port: string): SakuraError {
  return new SakuraError("CLOSED", `${command} was not carried out: ${port} was closed`, {
    context: { command, port },
  });
}

export function abortedError(command: string, signal: AbortSignal): SakuraError {
  return new SakuraError("ABORTED", `${command} was given up`, {
    context: { command },
    cause: signal.reason,
  });
}
