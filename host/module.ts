/** The client of a module: the side of the MCU. */
import type { Clock } from "../protocol/bus.ts";
import {
  type CommandName,
  commandByCode,
  commandTable,
  type RequestOf,
  type ResponseOf,
} from "../protocol/commands.ts";
import { SakuraError } from "../protocol/errors.ts";
import { decodeResponse, encodeFrame, encodeRequest, frameProblem } from "../protocol/frame.ts";
import { hexByte } from "../protocol/hex.ts";
import { statuses } from "../protocol/status.ts";
import type { ListPorts } from "./adapter/serial-place.ts";
import { systemClock } from "./clock.ts";
import { CommandQueue } from "./command-queue.ts";
import { Connection, type PortState } from "./connection.ts";
import { type CommandOptions, checkLimits } from "./job.ts";
import { ModuleCommands } from "./module-commands.ts";
import { openPort } from "./open-port.ts";
import { type ReceivedValue, type ReceiveOptions, receive, received } from "./receive.ts";
import { flush, type SendOptions, sendImmediately } from "./send.ts";
import type { FrameEvent, FrameExchange } from "./transport/exchange.ts";
import { type PortUri, parsePortUri } from "./uri.ts";

export interface ModuleOptions {
  /** For each try of a command, in ms; 1000 unless told. */
  readonly timeoutMs?: number | undefined;
  /** How often a command that may be repeated is tried again after no good answer; 4 unless told. */
  readonly retries?: number | undefined;
  readonly clock?: Clock | undefined;
}

export interface OpenOptions extends ModuleOptions {
  /** Sends the next command once an answer is whole, before the `OK` behind it has come (§3). */
  readonly early?: boolean | undefined;
  /**
   * Opens a port that was lost again when it is back, after 0.2 s and then ever less often, up to 2 s. A command that
   * is given meanwhile waits for it up to its timeout, and then fails with PORT_LOST; the one that was under way fails
   * at once. Not done unless told.
   */
  readonly reopen?: boolean | undefined;
  /** Lists the serial ports among which a `usb:` name is looked for, at each opening; this system's unless told. */
  readonly listPorts?: ListPorts | undefined;
  /** Gives the opening up. */
  readonly signal?: AbortSignal | undefined;
}

/** An answer as it came. */
export interface RawAnswer {
  /** 1 is success; see `statuses`. */
  readonly status: number;
  readonly payload: Uint8Array;
}

/**
 * One module on one port. Commands may be given at any time: one is in flight, the others wait their turn in order.
 *
 *     const module = await SakuraModule.open("uart:/dev/ttyUSB0");
 *     await module.txEnqueue({ channel: 1, type: "i", value: 25 });
 *     await module.flush();
 *     await module.close();
 */
export class SakuraModule extends ModuleCommands {
  readonly #connection: Connection;
  readonly #queue: CommandQueue;
  readonly #clock: Clock;

  /**
   * Opens a port, such as `uart:/dev/ttyUSB0` or `tcp:127.0.0.1:7000`. The module itself is not asked anything yet.
   *
   * @throws SakuraError INVALID_ARGUMENT, UNSUPPORTED; PORT_NOT_FOUND, PORT_BUSY, PORT_DENIED, PORT_FAILED, PORT_LOST;
   *   ABORTED by the signal
   */
  static async open(uri: string | PortUri, options: OpenOptions = {}): Promise<SakuraModule> {
    const { clock = systemClock, early, reopen = false, listPorts } = options;
    // Before a port is open that nobody would close.
    checkLimits(limitsOf(options));
    const port = typeof uri === "string" ? parsePortUri(uri) : uri;
    const open = (signal: AbortSignal | undefined): Promise<FrameExchange> =>
      openPort(port, { clock, early, signal, listPorts });
    const exchange = await open(options.signal);
    return new SakuraModule(new Connection(exchange, { clock, reopen: reopen ? open : undefined }), options);
  }

  /** A module at the end of an exchange that is open already, and is closed with it. */
  static over(exchange: FrameExchange, options: ModuleOptions = {}): SakuraModule {
    const { clock = systemClock } = options;
    return new SakuraModule(new Connection(exchange, { clock }), options);
  }

  private constructor(connection: Connection, options: ModuleOptions) {
    super();
    const { clock = systemClock } = options;
    this.#connection = connection;
    this.#clock = clock;
    this.#queue = new CommandQueue(connection, { clock, ...limitsOf(options) });
  }

  /** Where it is, for people: `/dev/ttyUSB0`, `tcp:127.0.0.1:7000`; of a `usb:` name the path where it was found last. */
  get name(): string {
    return this.#connection.name;
  }

  get state(): PortState {
    return this.#connection.state;
  }

  /** Whether a port that is lost is opened again. */
  get reopens(): boolean {
    return this.#connection.reopens;
  }

  /** Calls the listener with each new state of the port. Returns its removal. */
  onState(listener: (state: PortState) => void): () => void {
    return this.#connection.onState(listener);
  }

  /** Calls the listener with each frame that goes over the wire. Returns its removal. */
  onFrame(listener: (frame: FrameEvent) => void): () => void {
    return this.#connection.onFrame(listener);
  }

  override command<N extends CommandName>(
    name: N,
    request: RequestOf<N>,
    options?: CommandOptions,
  ): Promise<ResponseOf<N>> {
    let frame: Uint8Array;
    try {
      frame = encodeRequest(name, request);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#queue.run(
      { name, repeat: commandTable[name].repeat, request: frame, decode: (answer) => decodeResponse(name, answer) },
      options,
    );
  }

  /**
   * Any code with any payload of 0 to 255 bytes, and whatever the module answers to it. A code that is not in the table
   * is taken for one that must not be repeated.
   */
  async raw(code: number, payload: Uint8Array = new Uint8Array(0), options?: CommandOptions): Promise<RawAnswer> {
    if (!Number.isInteger(code) || code < 0 || code > 0xff) {
      throw new SakuraError("INVALID_ARGUMENT", `a command's code is an integer from 0 to 255, not ${code}`);
    }
    const name = commandByCode(code);
    const repeat = name === undefined ? "once" : commandTable[name].repeat;
    const label = name ?? `command ${hexByte(code)}`;
    const request = encodeFrame(code, payload);
    return this.#queue.run({ name: label, repeat, request, decode: (answer) => decodeRaw(label, answer) }, options);
  }

  /**
   * Sends what is in the TX queue, and waits until it is sent.
   * @throws SakuraError MODULE_REFUSED when the sending failed, the values then stay queued; TIMEOUT; as TX_SEND
   */
  flush(options: SendOptions = {}): Promise<void> {
    return flush(this, this.#clock, options);
  }

  /**
   * Sends 1 to 16 values as one message, past the queue, and waits until they are sent.
   * @throws SakuraError MODULE_REFUSED when the sending failed; TIMEOUT; as TX_SENDIMMED
   */
  sendImmediately(request: RequestOf<"TX_SENDIMMED">, options: SendOptions = {}): Promise<void> {
    return sendImmediately(this, this.#clock, request, options);
  }

  /** Takes the oldest value from the RX queue; nothing when it is empty. */
  receive(options?: CommandOptions): Promise<ReceivedValue | undefined> {
    return receive(this, options);
  }

  /**
   * The values as they come, until the signal.
   *
   *     for await (const { channel, value } of module.received({ signal })) …
   */
  received(options: ReceiveOptions = {}): AsyncGenerator<ReceivedValue, void> {
    return received(this, this.#connection, this.#clock, options);
  }

  /** Restarts the module: UNLOCK and SOFTWARE_RESET. Both queues are empty after it, and it is offline for a while. */
  async reset(options?: CommandOptions): Promise<void> {
    await this.unlock(options);
    await this.softwareReset(options);
  }

  /** Lets go of the port. Whatever waits or is under way is rejected with CLOSED. Further calls do nothing more. */
  close(): Promise<void> {
    this.#queue.close();
    return this.#connection.close();
  }
}

function limitsOf({ timeoutMs = 1000, retries = 4 }: ModuleOptions): { timeoutMs: number; retries: number } {
  return { timeoutMs, retries };
}

/** @throws SakuraError DAMAGED_ANSWER; MODULE_REFUSED for a request that was damaged on its way */
function decodeRaw(label: string, answer: Uint8Array): RawAnswer {
  const problem = frameProblem(answer);
  if (problem !== undefined) {
    throw new SakuraError("DAMAGED_ANSWER", `the answer to ${label} arrived with a wrong ${problem}`, {
      context: { command: label, problem },
    });
  }
  const status = answer[0] ?? 0;
  if (status === statuses.values.PARITY) {
    throw new SakuraError("MODULE_REFUSED", `${label} arrived at the module with a wrong parity, on every try`, {
      context: { command: label, status: "PARITY" },
    });
  }
  return { status, payload: answer.slice(2, -1) };
}
