/** The emulated module's UART as a TCP port: for drivers on another machine, and where there are no pseudo-terminals. */
import { EventEmitter } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { ByteDuplex } from "../../protocol/bus.ts";
import { duplexOverStream } from "../../protocol/duplex.ts";
import { errnoOf, reasonOf, SakuraError } from "../../protocol/errors.ts";

export interface TcpListenOptions {
  /** A name or an address; an IPv6 address without brackets. */
  readonly host: string;
  /** 0 to 65535; 0 takes a free one. */
  readonly port: number;
}

export interface TcpEndpoint {
  /** `tcp:HOST:PORT` with the port that was taken; an IPv6 host in brackets. */
  readonly uri: string;
  /**
   * Calls the listener with each driver that connects, and at once with one that is connected already. One driver at
   * a time, as on a wire: the newest takes over, and the one before ends with `PORT_LOST`. What a driver that does
   * not read is sent waits up to 1 MiB; beyond that it is dropped. Returns the listener's removal.
   */
  onConnection(listener: (duplex: ByteDuplex) => void): () => void;
  /** Stops listening and ends the connection. */
  close(): Promise<void>;
}

const MOST_PENDING_BYTES = 1024 * 1024;
/** How long a close waits for the driver to take what was written last. */
const LINGER_MS = 1000;

/**
 * @throws SakuraError INVALID_ARGUMENT; PORT_BUSY when another program listens there; PORT_DENIED when this user may
 *   not; PORT_NOT_FOUND when the address is not this machine's; PORT_FAILED otherwise
 */
export async function listenTcp(options: TcpListenOptions): Promise<TcpEndpoint> {
  const { host, port } = options;
  if (host === "") throw new SakuraError("INVALID_ARGUMENT", "listening needs a host, such as 127.0.0.1");
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new SakuraError("INVALID_ARGUMENT", `a TCP port is a whole number from 0 to 65535, not ${port}`);
  }
  const server = createServer({ noDelay: true });
  const taken = await listening(server, host, port);
  const uri = uriOf(host, taken);
  const listeners = new Set<(duplex: ByteDuplex) => void>();
  let current: Connection | undefined;
  let closing: Promise<void> | undefined;

  server.on("connection", (socket) => {
    const connection = accept(socket);
    current?.takeOver(connection.duplex.name);
    current = connection;
    connection.duplex.onClose(() => {
      if (current === connection) current = undefined;
    });
    for (const listener of [...listeners]) listener(connection.duplex);
  });
  // After it listens, a server only fails to accept (too many open files): the driver sees that, and may try again.
  server.on("error", () => undefined);

  const shut = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    listeners.clear();
    await current?.duplex.close();
    await closed;
  };
  return {
    uri,
    onConnection(listener) {
      listeners.add(listener);
      if (current) listener(current.duplex);
      return () => listeners.delete(listener);
    },
    close() {
      closing ??= shut();
      return closing;
    },
  };
}

function listening(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error): void => reject(explain(uriOf(host, port), cause));
    server.once("error", onError);
    server.listen({ host, port }, () => {
      server.removeListener("error", onError);
      const address = server.address();
      resolve(isAddress(address) ? address.port : port);
    });
  });
}

interface Connection {
  readonly duplex: ByteDuplex;
  /** Ends this connection in favour of another, before that one is announced. */
  takeOver(by: string): void;
}

function accept(socket: Socket): Connection {
  const name = uriOf(socket.remoteAddress ?? "?", socket.remotePort ?? 0);
  const stream = new DriverStream(socket);
  const duplex = duplexOverStream(stream, {
    name,
    release: () => letGo(socket),
    lost: (cause) =>
      new SakuraError("PORT_LOST", `the driver at ${name} is gone${cause ? `: ${cause.message}` : ""}`, {
        context: { port: name },
        cause,
      }),
  });
  return { duplex, takeOver: (by) => stream.emit("error", new Error(`${by} has taken over`)) };
}

interface DriverEvents {
  data: [chunk: Uint8Array];
  error: [error: Error];
  close: [];
}

/** A driver's socket, with a bound on what it has not taken yet. */
class DriverStream extends EventEmitter<DriverEvents> {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on("data", (chunk) => this.emit("data", chunk));
    socket.on("error", (error) => this.emit("error", error));
    socket.on("close", () => this.emit("close"));
  }

  get writableLength(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Uint8Array): void {
    if (this.#socket.writableLength + bytes.length <= MOST_PENDING_BYTES) this.#socket.write(bytes);
  }
}

/** Sends what was written, then ends; a driver that does not take it is not waited for. */
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

function isAddress(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === "object" && address !== null;
}

function uriOf(host: string, port: number): string {
  return `tcp:${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function explain(uri: string, cause: Error): SakuraError {
  const options = { context: { port: uri }, cause };
  switch (errnoOf(cause)) {
    case "EADDRINUSE":
      return new SakuraError(
        "PORT_BUSY",
        `another program listens on ${uri}: end it, or name port 0 for a free one`,
        options,
      );
    case "EACCES":
    case "EPERM":
      return new SakuraError(
        "PORT_DENIED",
        `this user may not listen on ${uri}: name a port above 1023, or 0 for a free one`,
        options,
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new SakuraError(
        "PORT_NOT_FOUND",
        `the host of ${uri} is not this machine: name 127.0.0.1, or 0.0.0.0 for every address`,
        options,
      );
    default:
      return new SakuraError("PORT_FAILED", `${uri} cannot be listened on: ${reasonOf(cause)}`, options);
  }
}
