/** What a request is refused with: `{"error":{"code","message","path"?,"reason"?}}` and a status that fits. */
import { isSakuraError, SakuraError, type SakuraErrorCode } from "../../protocol/errors.ts";

/**
 * A refusal that is the port's own: INVALID_ARGUMENT for what the request has wrong, REFUSED for what is not to be now.
 * @param message what is wrong and what to do; never what a key holds
 * @param path the place in the body or the query
 */
export function problem(httpStatus: number, reason: string | undefined, message: string, path?: string): SakuraError {
  const code = httpStatus === 403 || httpStatus === 503 ? "REFUSED" : "INVALID_ARGUMENT";
  return new SakuraError(code, message, { context: { httpStatus, reason, path } });
}

export interface Refusal {
  readonly status: number;
  readonly body: {
    readonly error: {
      readonly code: string;
      /** For people. */
      readonly message: string;
      /** The place in the request's body or query, or in the bridge's file. */
      readonly path?: string | undefined;
      /** For programs: which of a code's cases it is. */
      readonly reason?: string | undefined;
    };
  };
}

const STATUS: { readonly [C in SakuraErrorCode]?: number } = {
  INVALID_ARGUMENT: 400,
  INVALID_MESSAGE: 400,
  INVALID_CONFIG: 422,
  REFUSED: 409,
  UNSUPPORTED: 501,
  CLOSED: 503,
  ABORTED: 503,
  TIMEOUT: 504,
};

/** Nothing for what nobody foresaw: its words may hold anything, and belong in the log. */
export function refusalOf(error: unknown): Refusal | undefined {
  const known = isSakuraError(error) ? error : serverProblem(error);
  if (!known) return undefined;
  const { code, message, context } = known;
  const { httpStatus } = context;
  return {
    status: typeof httpStatus === "number" ? httpStatus : (STATUS[code] ?? 500),
    body: { error: { code, message, path: textOf(context["path"]), reason: textOf(context["reason"]) } },
  };
}

export const UNEXPECTED: Refusal = {
  status: 500,
  body: { error: { code: "UNEXPECTED", message: "something went wrong that nobody foresaw: the log says what" } },
};

/** The HTTP server's own, by status: its words are for its developers. */
function serverProblem(error: unknown): SakuraError | undefined {
  if (!(error instanceof Error) || !("statusCode" in error) || typeof error.statusCode !== "number") return undefined;
  const { statusCode: status } = error;
  switch (status) {
    case 413:
      return problem(status, "too-large", "the body is too large");
    case 415:
      return problem(status, "not-json", "the body must be JSON, with Content-Type: application/json");
    case 503:
      return problem(status, "closing", "the bridge stops");
    default:
      return status < 500 ? problem(status, "unreadable", "the request cannot be read") : undefined;
  }
}

function textOf(value: string | number | boolean | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
