/** What a request is refused with: `{"error":{"code","message","path"?,"reason"?}}` and a status that fits. */
import { isSakuraError, type SakuraErrorCode } from "../../protocol/errors.ts";

/** A refusal that is the port's own, such as a path that is not there. */
export class RequestProblem extends Error {
  override readonly name = "RequestProblem";
  readonly status: number;
  readonly code: string;
  readonly path: string | undefined;

  /** @param message what is wrong and what to do; never what a key holds */
  constructor(status: number, code: string, message: string, path?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.path = path;
  }
}

export interface Refusal {
  readonly status: number;
  readonly body: {
    readonly error: {
      readonly code: string;
      readonly message: string;
      /** The place in the request's body. */
      readonly path?: string | undefined;
      /** Of a REFUSED, for programs. */
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

/** The server's own, by status; its words are for its developers. */
const OF_STATUS: { readonly [status: number]: { readonly code: string; readonly message: string } } = {
  404: { code: "NOT_FOUND", message: "there is nothing here" },
  413: { code: "TOO_LARGE", message: "the body is too large" },
  415: { code: "NOT_JSON", message: "the body must be JSON, with Content-Type: application/json" },
  503: { code: "CLOSING", message: "the bridge stops" },
};

/** Nothing for what nobody foresaw: its words may hold anything, and belong in the log. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof RequestProblem) {
    const { status, code, message, path } = error;
    return { status, body: { error: { code, message, path } } };
  }
  if (isSakuraError(error)) {
    const { code, message, context } = error;
    const path = textOf(context["path"]);
    return { status: STATUS[code] ?? 500, body: { error: { code, message, path, reason: textOf(context["reason"]) } } };
  }
  if (!(error instanceof Error) || !("statusCode" in error) || typeof error.statusCode !== "number") return undefined;
  const { statusCode: status } = error;
  if (status >= 500 && status !== 503) return undefined;
  const { code, message } = OF_STATUS[status] ?? { code: "BAD_REQUEST", message: "the request cannot be read" };
  return { status, body: { error: { code, message } } };
}

export const UNEXPECTED: Refusal = {
  status: 500,
  body: { error: { code: "UNEXPECTED", message: "something went wrong that nobody foresaw: the log says what" } },
};

function textOf(value: string | number | boolean | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
