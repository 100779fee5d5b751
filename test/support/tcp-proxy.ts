/** A network that can be bad: passes TCP on to a port, and is cut, slowed or deafened at will. */
import { connect, createServer, type Server, type Socket } from "node:net";

export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #port = 0;
  #mode: "pass" | "refuse" | "hold" = "pass";
  #delayMs = 0;

  private constructor(target: number) {
    this.#server = createServer((client) => this.#take(client, target));
  }

  /** @param target the port of 127.0.0.1 that it passes on to */
  static start(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    return new Promise((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(0, "127.0.0.1", () => {
        const address = proxy.#server.address();
        proxy.#port = typeof address === "object" && address !== null ? address.port : 0;
        resolve(proxy);
      });
    });
  }

  get port(): number {
    return this.#port;
  }

  /** Ends every connection at once, as a reset on the way does. */
  cut(): void {
    for (const [client, server] of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  /** New connections are hung up on. */
  refuse(): void {
    this.#mode = "refuse";
    this.cut();
  }

  /** Nothing gets through any more, and nobody is told. */
  hold(): void {
    this.#mode = "hold";
    for (const [client, server] of this.#pairs) {
      client.pause();
      server.pause();
    }
  }

  /** Each chunk takes so long, in ms. */
  slow(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /** All is well again, for the connections that are left too. */
  heal(): void {
    this.#mode = "pass";
    this.#delayMs = 0;
    for (const [client, server] of this.#pairs) {
      client.resume();
      server.resume();
    }
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #take(client: Socket, target: number): void {
    if (this.#mode === "refuse") {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ host: "127.0.0.1", port: target, noDelay: true });
    client.setNoDelay(true);
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const [from, to] of [pair, [server, client] as const]) {
      from.on("data", (chunk) => this.#pass(chunk, from, to));
      from.on("end", () => to.end());
      from.on("error", end);
      from.on("close", end);
      if (this.#mode === "hold") from.pause();
    }
  }

  #pass(chunk: Buffer, from: Socket, to: Socket): void {
    if (this.#delayMs > 0) {
      from.pause();
      setTimeout(() => {
        if (this.#mode !== "hold") from.resume();
        to.write(chunk);
      }, this.#delayMs);
      return;
    }
    if (!to.write(chunk)) {
      from.pause();
      to.once("drain", () => {
        if (this.#mode !== "hold") from.resume();
      });
    }
  }
}
