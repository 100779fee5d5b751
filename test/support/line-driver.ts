/** A driver of the barest kind over TCP: writes text, reads lines. Nothing of this project's own is in it. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export class LineDriver {
  readonly #socket: Socket;
  #text = "";
  #ended = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("ascii").on("data", (chunk: string) => {
      this.#text += chunk;
      this.#wake?.();
    });
    socket.on("close", () => {
      this.#ended = true;
      this.#wake?.();
    });
  }

  /** @param endpoint `tcp:127.0.0.1:7000` */
  static async connect(endpoint: string): Promise<LineDriver> {
    const [, host, port] = /^tcp:(.*):(\d+)$/.exec(endpoint) ?? [];
    const socket = connect({ host: host ?? "", port: Number(port) });
    await once(socket, "connect");
    return new LineDriver(socket);
  }

  write(text: string): void {
    this.#socket.write(text);
  }

  /** The next line with its end. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end + 1);
        this.#text = this.#text.slice(end + 1);
        return line;
      }
      if (this.#ended) throw new Error(`the line ended after ${JSON.stringify(this.#text)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Writes a command line and gives the answer's line; the OK after it is read too. */
  async ask(hex: string): Promise<string> {
    this.write(`AT*CMD=${hex}\n`);
    const answer = await this.line();
    await this.line();
    return answer.trimEnd();
  }

  close(): void {
    this.#socket.destroy();
  }
}
