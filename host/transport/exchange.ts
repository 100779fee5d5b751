/** One request frame out, one answer frame back: what every bus to a module offers, and all that is above it sees. */
import { isSakuraError, SakuraError } from "../../protocol/errors.ts";

/** A frame as it went over the wire, resynchronisation included. */
export interface FrameEvent {
  readonly direction: "request" | "answer";
  /** Unix time in ms, with a fraction. */
  readonly time: number;
  readonly bytes: Uint8Array;
}

/** What is no frame, and yet says something of the line. */
export type StrayEvent =
  /**
   * A line of a UART that is no frame, such as `ERROR` or a damaged answer, with CR LF for its end; or what has come of
   * a line whose end is not waited for any more.
   */
  | { readonly kind: "noise"; readonly time: number; readonly bytes: Uint8Array }
  /** Nothing that could be an answer came in time. `time` is Unix ms, as that of a frame. */
  | { readonly kind: "silence"; readonly time: number };

export interface ExchangeOptions {
  /** For the module's answer, in ms; the time that the bytes take on the wire comes on top. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What came between the request before and the line being in step again. */
export interface Leftover {
  /** The answer to the request before, where it was only late. */
  readonly late: Uint8Array | undefined;
  /** Whether something came that may have been that answer, and cannot be read. */
  readonly unreadable: boolean;
}

export interface FrameExchange {
  /** Where the module is, for people: `/dev/ttyUSB0`. */
  readonly name: string;
  /** Whether bytes can change on the way, so that a refused request may have been a good one when it left. */
  readonly noisy: boolean;
  /**
   * Whether the next answer may belong to an earlier request: then `resync` comes before the next exchange. Set after
   * an exchange that failed, and by whoever finds an answer damaged; cleared by `resync`.
   */
  suspect: boolean;
  /**
   * Sends a request and gives the frame that answers it, as it arrived: its size and parity are the caller's to check.
   * One at a time.
   *
   * @throws SakuraError
   *   - NO_ANSWER: nothing that could be an answer came in time; with context.reached `false` the request certainly
   *     did not reach the module whole, so that it was not carried out
   *   - DAMAGED_ANSWER: something came that no frame can be read from
   *   - MODULE_REFUSED with context.status `ERROR`: the module did not understand what arrived, and did nothing
   *   - PORT_FAILED: the adapter failed; with context.reached `false` before anything was sent
   *   - ABORTED by the signal, CLOSED by `close()`, PORT_LOST: the module may have carried the request out
   */
  exchange(request: Uint8Array, options: ExchangeOptions): Promise<Uint8Array>;
  /**
   * Makes sure that what arrives next answers what is sent next; `suspect` says whether it does.
   *
   * @throws SakuraError NO_ANSWER when the module does not react; ABORTED, CLOSED, PORT_LOST
   */
  resync(options: ExchangeOptions): Promise<Leftover>;
  /** Calls the listener with each frame as it is sent or has arrived. Returns its removal. */
  onFrame(listener: (frame: FrameEvent) => void): () => void;
  /** Calls the listener with what came instead of a frame, and when nothing did. Returns its removal. */
  onStray(listener: (stray: StrayEvent) => void): () => void;
  /** Calls the listener once when the port has ended: see `ByteDuplex.onClose`. */
  onClose(listener: (reason: SakuraError | undefined) => void): () => void;
  /** Ends what is under way with CLOSED, and lets go of the port. */
  close(): Promise<void>;
}

/** Whether the request certainly did not reach the module whole. */
export function isUnreached(error: unknown): boolean {
  if (!isSakuraError(error)) return false;
  const { reached } = error.context;
  return reached === false;
}

/** What an exchange is rejected with when `close()` ends it. */
export function closedError(port: string): SakuraError {
  return new SakuraError("CLOSED", `${port} was closed`, { context: { port } });
}

/** What an exchange is rejected with when its caller's signal ends it. */
export function abortedError(port: string, signal: AbortSignal | undefined): SakuraError {
  return new SakuraError("ABORTED", `waiting for ${port} was given up`, { context: { port }, cause: signal?.reason });
}
