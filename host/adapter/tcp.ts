/** A module's UART at the end of a TCP connection: an emulated module's, or a serial device server's. */
import { connect, type Socket } from "node:net";
import type { ByteDuplex } from "../../protocol/bus.ts";
import { duplexOverStream } from "../../protocol/duplex.ts";
import { errnoOf, reasonOf, SakuraError } from "../../protocol/errors.ts";

export interface TcpOptions {
  /** A name or an address; an IPv6 address without brackets. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  readonly signal?: AbortSignal | undefined;
  /** For name and connection together; 5000 unless told. */
  readonly timeoutMs?: number | undefined;
}

/** How long a close waits for the other end to take what was written last. */
const LINGER_MS = 1000;

/**
 * Connects, and sends each write at once (no delay).
 *
 * @throws SakuraError INVALID_ARGUMENT; PORT_NOT_FOUND when the name is unknown or nothing listens; PORT_FAILED when
 *   the network does not get there; TIMEOUT; ABORTED
 */
export async function connectTcp(options: TcpOptions): Promise<ByteDuplex> {
  const { host, port, signal, timeoutMs = 5000 } = options;
  if (host === "") throw new SakuraError("INVALID_ARGUMENT", "a TCP connection needs a host, such as 127.0.0.1");
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new SakuraError(
      "INVALID_ARGUMENT",
      `a TCP port to connect to is a whole number from 1 to 65535, not ${port}`,
    );
  }
  const name = `tcp:${host.includes(":") ? `[${host}]` : host}:${port}`;
  if (signal?.aborted) throw abortedError(name, signal);
  const socket = connect({ host, port, noDelay: true });
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    const giveUp = (error: SakuraError): void => {
      settle();
      // The listeners stay: a socket that is given up may still fail, and nobody else listens.
      socket.destroy();
      reject(error);
    };
    const onError = (cause: Error): void => giveUp(explain(name, cause));
    const onAbort = (): void => giveUp(abortedError(name, signal));
    const timer = setTimeout(() => giveUp(timeoutError(name, timeoutMs)), timeoutMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.on("error", onError);
    socket.once("connect", () => {
      settle();
      socket.removeListener("error", onError);
      resolve(duplexOverStream(socket, { name, release: () => letGo(socket) }));
    });
  });
}

/** Sends what was written, then ends; an other end that does not take it is not waited for. */
function letGo(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) {
      resolve();
      return;
    }
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.destroySoon();
  });
}

function explain(name: string, cause: Error): SakuraError {
  const context = { port: name };
  switch (errnoOf(cause)) {
    case "ECONNREFUSED":
      return new SakuraError(
        "PORT_NOT_FOUND",
        `nothing listens on ${name}: start it first (an emulated module: sakuraio emulate --uart ${name}, or --bus-pirate ${name})`,
        { context, cause },
      );
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new SakuraError("PORT_NOT_FOUND", `the host of ${name} is not known: check the name and the network`, {
        context,
        cause,
      });
    case "ETIMEDOUT":
      return new SakuraError("TIMEOUT", `${name} did not answer: check the address and the network`, {
        context,
        cause,
      });
    default:
      return new SakuraError("PORT_FAILED", `${name} cannot be reached: ${reasonOf(cause)}`, { context, cause });
  }
}

function timeoutError(name: string, timeoutMs: number): SakuraError {
  return new SakuraError("TIMEOUT", `${name} did not answer in ${timeoutMs} ms: check the address and the network`, {
    context: { port: name, timeoutMs },
  });
}

function abortedError(name: string, signal: AbortSignal | undefined): SakuraError {
  return new SakuraError("ABORTED", `connecting to ${name} was given up`, {
    context: { port: name },
    cause: signal?.reason,
  });
}
