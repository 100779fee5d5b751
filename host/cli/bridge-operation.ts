/** What surrounds a running bridge: its log on stderr and, where the file or `--panel` asks for it, its HTTP port. */
import { reasonOf, SakuraError } from "../../protocol/errors.ts";
import type { BridgeControl } from "../bridge/control.ts";
import type { BridgeEvent } from "../bridge/index.ts";
import { wallClock } from "../clock.ts";
import { listenProblem } from "../config/schema.ts";
import type { Panel } from "../panel/server.ts";
import { BridgeLog } from "./bridge-log.ts";
import type { CliIo } from "./io.ts";
import { type Log, type LogFormat, type LogLevel, openLog } from "./log.ts";

export interface OperationOptions {
  readonly json: boolean;
  readonly logFormat: LogFormat;
  /** Default `info`; `debug` where somebody looks on, in a terminal. */
  readonly logLevel?: LogLevel;
  /** Instead of the file's `http.listen`. */
  readonly panel?: string;
}

export class BridgeOperation {
  readonly #log: Log;
  readonly #lines: BridgeLog;
  readonly #format: LogFormat;
  #panel: Panel | undefined;

  private constructor(log: Log, format: LogFormat) {
    this.#log = log;
    this.#lines = new BridgeLog(log, wallClock);
    this.#format = format;
  }

  static async open({ json, logFormat, logLevel }: OperationOptions, { stderr }: CliIo): Promise<BridgeOperation> {
    const watched = logFormat === "text" && !json && stderr.isTTY === true;
    const level = logLevel ?? (watched ? "debug" : "info");
    return new BridgeOperation(await openLog(stderr, { format: logFormat, level }), logFormat);
  }

  /** Where the HTTP port is: `127.0.0.1:8080`. */
  get http(): string | undefined {
    return this.#panel?.address;
  }

  /**
   * Before the bridge starts, so that nothing runs when the port is taken.
   * @throws SakuraError PORT_BUSY, PORT_DENIED, PORT_FAILED; INVALID_ARGUMENT for an address beyond this machine
   */
  async listen(address: string | undefined): Promise<void> {
    if (address === undefined) return;
    const problem = listenProblem(address);
    if (problem !== undefined) throw new SakuraError("INVALID_ARGUMENT", `--panel ${address}: ${problem}`);
    // Here and not at the top: a bridge without a port does not load a server.
    const { openPanel } = await import("../panel/server.ts");
    const onFailure = (error: unknown): void => this.say("error", "http", `http: unexpected: ${reasonOf(error)}`);
    this.#panel = await openPanel({ listen: address, clock: wallClock, onFailure });
    this.say("info", "http", `http: listens on ${this.#panel.address}`);
  }

  event(event: BridgeEvent): void {
    this.#lines.event(event);
    this.#panel?.event(event);
  }

  serve(control: BridgeControl): void {
    this.#panel?.serve(control);
  }

  stopping(): void {
    this.say("info", "stopping", "bridge: stops");
    this.#panel?.stopping();
  }

  /** Why it ends. People read it anyway; here it is for what reads JSON lines alone. */
  failed(error: unknown): void {
    if (this.#format === "json") this.say("error", "failed", reasonOf(error));
  }

  async close(): Promise<void> {
    this.#lines.close();
    await this.#panel?.close();
  }

  say(level: LogLevel, event: string, text: string): void {
    this.#log.write({ level, text, fields: { event } });
  }
}
