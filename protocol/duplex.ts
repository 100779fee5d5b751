/**
 * A {@link ByteDuplex} over anything shaped like a Node stream: a serial port, a socket, a pseudo-terminal's
 * controlling end. The shape is all that is asked for, so this file stays free of Node.
 */
import type { ByteDuplex } from "./bus.ts";
import { SakuraError } from "./errors.ts";

/** The part of a Node duplex stream that is used. */
export interface StreamLike {
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "close", listener: () => void): unknown;
  write(chunk: Uint8Array): unknown;
  /** Bytes written that wait for the system to take them. */
  readonly writableLength?: number;
}

export interface DuplexOptions {
  readonly name: string;
  /** Lets go of the stream; `close()` resolves with it. Called at most once, and after a loss too. */
  readonly release: () => Promise<void>;
  /** How a loss reads to people; the default says that the port went away. */
  readonly lost?: (cause: Error | undefined) => SakuraError;
}

/**
 * Wraps a stream. Its `error` and `close` events become the one end that `onClose` reports.
 * Bytes that arrive while nobody listens are dropped, as a UART drops them.
 */
export function duplexOverStream(stream: StreamLike, options: DuplexOptions): ByteDuplex {
  const { name, release } = options;
  const byteListeners = new Set<(bytes: Uint8Array) => void>();
  const closeListeners = new Set<(reason: SakuraError | undefined) => void>();
  let end: { reason: SakuraError | undefined; released: Promise<void> } | undefined;

  const finish = (reason: SakuraError | undefined): Promise<void> => {
    if (end) return end.released;
    end = { reason, released: release() };
    // A release that fails after a loss has nobody to tell; after close() its caller holds the same promise.
    end.released.catch(() => undefined);
    byteListeners.clear();
    for (const listener of [...closeListeners]) listener(reason);
    closeListeners.clear();
    return end.released;
  };
  const lost =
    options.lost ??
    ((cause: Error | undefined) =>
      new SakuraError("PORT_LOST", `${name} went away${cause ? `: ${cause.message}` : ""}`, {
        context: { port: name },
        cause,
      }));

  stream.on("data", (chunk) => {
    for (const listener of [...byteListeners]) listener(chunk);
  });
  stream.on("error", (error) => void finish(lost(error)));
  stream.on("close", () => void finish(lost(undefined)));

  return {
    name,
    write(bytes) {
      if (!end) stream.write(bytes);
    },
    unsent: () => stream.writableLength ?? 0,
    onBytes(listener) {
      if (!end) byteListeners.add(listener);
      return () => byteListeners.delete(listener);
    },
    onClose(listener) {
      if (end) listener(end.reason);
      else closeListeners.add(listener);
      return () => closeListeners.delete(listener);
    },
    close: () => finish(undefined),
  };
}
