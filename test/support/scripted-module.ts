/** A module whose every answer a test writes down, at the end of a line that a test can break. */
import type { ByteDuplex } from "../../protocol/bus.ts";
import { SakuraError } from "../../protocol/errors.ts";

/** Two ends of one line. What one writes, the other gets a moment later, in order. */
export function linePair(): { readonly host: ByteDuplex; readonly module: ByteDuplex; lose(): void } {
  const ends = [new LineEnd("host's end"), new LineEnd("module's end")] as const;
  const [host, module] = ends;
  host.other = module;
  module.other = host;
  return {
    host,
    module,
    lose: () => {
      const reason = new SakuraError("PORT_LOST", "the cable was pulled", { context: { port: host.name } });
      for (const end of ends) end.end(reason);
    },
  };
}

class LineEnd implements ByteDuplex {
  readonly name: string;
  other: LineEnd | undefined;
  readonly #bytes = new Set<(bytes: Uint8Array) => void>();
  readonly #close = new Set<(reason: SakuraError | undefined) => void>();
  #end: { readonly reason: SakuraError | undefined } | undefined;

  constructor(name: string) {
    this.name = name;
  }

  write(bytes: Uint8Array): void {
    const copy = bytes.slice();
    if (!this.#end) queueMicrotask(() => this.other?.arrived(copy));
  }

  onBytes(listener: (bytes: Uint8Array) => void): () => void {
    this.#bytes.add(listener);
    return () => this.#bytes.delete(listener);
  }

  onClose(listener: (reason: SakuraError | undefined) => void): () => void {
    if (this.#end) listener(this.#end.reason);
    else this.#close.add(listener);
    return () => this.#close.delete(listener);
  }

  close(): Promise<void> {
    this.end(undefined);
    return Promise.resolve();
  }

  end(reason: SakuraError | undefined): void {
    if (this.#end) return;
    this.#end = { reason };
    for (const listener of this.#close) listener(reason);
  }

  arrived(bytes: Uint8Array): void {
    if (!this.#end) for (const listener of this.#bytes) listener(bytes);
  }
}

/** What the module says to a line, word for word, line ends included; nothing: it keeps silent. */
export type Script = (line: string) => string | undefined;

/**
 * A module that answers by a script. The client's own echoes (see host/transport/pings.ts) it answers by itself,
 * unless the script is to: their bytes are new each time.
 */
export class ScriptedModule {
  /** What the client opens. */
  readonly host: ByteDuplex;
  /** The lines that came, without their ends; the client's echoes as `PING`. */
  readonly lines: string[] = [];
  /** What it answers from now on. */
  script: Script;
  /** What it answers to the client's own echoes. */
  ping: Script = echoed;
  readonly #module: ByteDuplex;
  readonly #lose: () => void;
  #held = "";

  constructor(script: Script = () => undefined) {
    this.script = script;
    const { host, module, lose } = linePair();
    this.host = host;
    this.#module = module;
    this.#lose = lose;
    module.onBytes((bytes) => {
      const lines = (this.#held + Buffer.from(bytes).toString("latin1")).split("\n");
      this.#held = lines.pop() ?? "";
      for (const line of lines) this.#lineCame(line);
    });
  }

  /** Sends text to the client, a byte for each character. */
  say(text: string): void {
    this.#module.write(Buffer.from(text, "latin1"));
  }

  /** The port vanishes. */
  lose(): void {
    this.#lose();
  }

  /** The commands that came: no blank lines, no pings. */
  get commands(): string[] {
    return this.lines.filter((line) => line !== "" && line !== "PING");
  }

  #lineCame(line: string): void {
    const isPing = /^AT\*CMD=0F0A.{22}$/.test(line);
    this.lines.push(isPing ? "PING" : line);
    if (line === "") return;
    const answer = (isPing ? this.ping : this.script)(line);
    if (answer !== undefined) this.say(answer);
  }
}

/** The right answer to an ECHO_BACK. */
export function echoed(line: string): string {
  const request = Buffer.from(line.slice("AT*CMD=".length), "hex");
  const answer = Buffer.from(request);
  answer[0] = 0x01;
  answer[answer.length - 1] = answer.subarray(0, -1).reduce((parity, byte) => parity ^ byte, 0);
  return `*CMD:${answer.toString("hex").toUpperCase()}\r\nOK\r\n`;
}
