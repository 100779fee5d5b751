/** One port, on every address that its name stands for. */
import type { Server } from "node:net";
import { errnoOf, reasonOf, SakuraError } from "../../protocol/errors.ts";

/** A port that is free on one address may be taken on the other; then another one is tried, this often. */
const FREE_PORT_TRIES = 10;

/** @throws SakuraError INVALID_ARGUMENT unless it is a whole number from 0 to 65535 */
export function requirePort(port: number): void {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return;
  throw new SakuraError("INVALID_ARGUMENT", `port ${port}: a whole number from 0 to 65535 is needed`);
}

/**
 * Listens. `localhost` is 127.0.0.1 and, where the system has it, ::1: which of the two a client means by it is not
 * for the client to know.
 * @param port 0–65535; 0 takes one that is free
 * @param create makes one server, not listening yet; one is needed for each address
 * @returns the port and the servers that listen on it
 * @throws SakuraError PORT_BUSY, PORT_DENIED or PORT_FAILED
 */
export async function listen<S extends Server>(
  host: string,
  port: number,
  create: () => S,
): Promise<{ readonly port: number; readonly servers: readonly S[] }> {
  const [first = host, ...others] = host === "localhost" ? ["127.0.0.1", "::1"] : [host];
  for (let tries = 1; ; tries++) {
    const servers: S[] = [await listenOn(create(), first, port)];
    const taken = portOf(servers[0]);
    try {
      for (const other of others) {
        const server = await listenOn(create(), other, taken).catch(unlessMissing);
        if (server) servers.push(server);
      }
      return { port: taken, servers };
    } catch (error) {
      await Promise.all(servers.map(closeServer));
      const busy = error instanceof SakuraError && error.code === "PORT_BUSY";
      if (port !== 0 || !busy || tries === FREE_PORT_TRIES) throw error;
    }
  }
}

/** Stops listening; resolves when the last connection is gone. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function listenOn<S extends Server>(server: S, host: string, port: number): Promise<S> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => {
      const errno = errnoOf(cause);
      const code = errno === "EADDRINUSE" ? "PORT_BUSY" : errno === "EACCES" ? "PORT_DENIED" : "PORT_FAILED";
      const advice =
        code === "PORT_BUSY" ? "; another program listens there: choose another port, or 0 for a free one" : "";
      reject(
        new SakuraError(code, `cannot listen on ${host} port ${port}: ${reasonOf(cause)}${advice}`, {
          context: { host, port, errno },
          cause,
        }),
      );
    };
    server.once("error", fail);
    server.listen(port, host, () => {
      server.off("error", fail);
      resolve(server);
    });
  });
}

/** Not every system has every address of `localhost`. */
function unlessMissing(error: unknown): undefined {
  const errno = error instanceof SakuraError ? errnoOf(error.cause) : undefined;
  if (errno !== "EADDRNOTAVAIL" && errno !== "EAFNOSUPPORT") throw error;
}

function portOf(server: Server | undefined): number {
  const address = server?.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
