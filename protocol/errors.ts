/**
 * What can go wrong, as a program may tell it apart. Never match an error by its text: the text is for people.
 */
export type SakuraErrorCode =
  // the caller's own input
  | "INVALID_ARGUMENT" // a value outside its type or range, a URI or SPEC that does not parse
  | "INVALID_CONFIG" // the bridge's file, or what it points at
  | "FILE_FAILED" // a file that the caller named cannot be read or written; cause says why
  | "INVALID_MESSAGE" // a platform message that is not one; context.path names the place
  // the module's answers
  | "MODULE_REFUSED" // a status other than NONE; context.status names it
  | "INVALID_PAYLOAD" // a whole frame with a good parity whose payload is not what the command carries
  | "DAMAGED_ANSWER" // an answer that arrived with a wrong parity or a wrong size, on every try
  | "NO_ANSWER" // nothing that could be an answer before the timeout, on every try
  | "OUTCOME_UNKNOWN" // no good answer to a command that must not be repeated: it may or may not have been carried out
  // ports and connections
  | "PORT_NOT_FOUND"
  | "PORT_BUSY" // another program holds it; an outbox too
  | "PORT_DENIED" // no permission
  | "PORT_FAILED" // it cannot be opened or set up for another reason; cause says which
  | "PORT_LOST" // it was open and went away
  | "UNSUPPORTED" // this system or this build cannot do it
  // the bridge
  | "REFUSED" // a message or downlink that cannot be taken now; context.reason is one of a fixed set
  | "SERVICE_FAILED" // an integration service cannot connect or publish
  // firmware on the simulated microcontroller
  | "FIRMWARE_FAILED" // it cannot run on: context.kind says why
  // the life of a call
  | "TIMEOUT"
  | "ABORTED" // the caller's AbortSignal
  | "CLOSED"; // close() was called while this was waiting, or before

/** Facts about one error, safe to print and to send: never key material. */
export type ErrorContext = Readonly<Record<string, string | number | boolean | undefined>>;

/** The one error class of this package: a code for programs, a message for people, the cause kept. */
export class SakuraError extends Error {
  override readonly name = "SakuraError";
  readonly code: SakuraErrorCode;
  readonly context: ErrorContext;

  /** @param message what happened, where, and what to do about it */
  constructor(code: SakuraErrorCode, message: string, options: { context?: ErrorContext; cause?: unknown } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.context = options.context ?? {};
  }
}

/** True for a {@link SakuraError}, of the given code where one is given. */
export function isSakuraError(error: unknown, code?: SakuraErrorCode): error is SakuraError {
  return error instanceof SakuraError && (code === undefined || error.code === code);
}

/** The text of anything that was thrown, for the end of a message. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's name for an error (`ENOENT`, `EACCES`), where it carries one. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
