/** The client of a module: the side of the MCU. */
import type { Clock } from "../protocol/bus.ts";
import type { ChannelEntry } from "../protocol/channel.ts";
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
import type { TxEntry } from "./enqueue.ts";
import { downloadFile, type FileDownload, type FileDownloadOptions } from "./file-download.ts";
import { type FirmwareUpdate, type FirmwareUpdateOptions, runFirmwareUpdate } from "./firmware-update.ts";
import { type CommandOptions, checkLimits } from "./job.ts";
import { ModuleCommands } from "./module-commands.ts";
import { type ModuleQueues, type ModuleStatus, readQueues, readStatus } from "./module-status.ts";
import { openPort } from "./open-port.ts";
import { type ReceivedValue, type ReceiveOptions, receive, received } from "./receive.ts";
import { type RestartOptions, reset, restart } from "./restart.ts";
import { flush, type SendOptions, sendImmediately } from "./send.ts";
import { enqueueValues, type SendValuesOptions, sendValues } from "./send-values.ts";
import type { FrameEvent, FrameExchange, StrayEvent } from "./transport/exchange.ts";
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
  #txChanges = 0;

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

  /** Calls the listener with what came over the wire instead of a frame, and when nothing did in time. Returns its removal. */
  onStray(listener: (stray: StrayEvent) => void): () => void {
    return this.#connection.onStray(listener);
  }

  override command<N extends CommandName>(
    name: N,
    request: RequestOf<N>,
    options?: CommandOptions,
  ): Promise<ResponseOf<N>> {
    this.#count(name);
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
    if (name) this.#count(name);
    const label = name ?? `command ${hexByte(code)}`;
    const request = encodeFrame(code, payload);
    return this.#queue.run({ name: label, repeat, request, decode: (answer) => decodeRaw(label, answer) }, options);
  }

  #count(name: CommandName): void {
    if (txChanging.has(name)) this.#txChanges++;
  }

  /**
   * Puts the values in the TX queue, sends it, and waits until it is sent; a full queue is sent in between to make room.
   * Where an answer is lost, the queue's length tells whether the value arrived, so that each arrives exactly once.
   *
   *     await module.send([{ channel: 1, type: "i", value: 25 }, { channel: 2, type: "f", value: 23.5 }]);
   *
   * @throws SakuraError as `flush` and TX_ENQUEUE. context.put of context.of values had been put in the queue by then,
   *   context.sent of them had certainly been sent; context.outcome is `unknown` where nobody can tell what else arrived,
   *   and then sending again may send twice
   */
  send(values: readonly ChannelEntry[], options: SendValuesOptions = {}): Promise<void> {
    return sendValues({ module: this, changes: () => this.#txChanges, clock: this.#clock }, values, options);
  }

  /**
   * Puts the values in the TX queue, each once, as `send` does. Gives how many are in the queue then.
   * @throws SakuraError MODULE_REFUSED when the queue is full; as `send`
   */
  enqueue(values: readonly TxEntry[], options: CommandOptions = {}): Promise<{ readonly queued: number }> {
    return enqueueValues({ module: this, changes: () => this.#txChanges }, values, options);
  }

  /** Connection, signal, time, ids, firmware and queues in one object. @throws SakuraError as the commands */
  status(options?: CommandOptions): Promise<ModuleStatus> {
    return readStatus(this, options);
  }

  /** What both queues hold, and how the last sends went. @throws SakuraError as the commands */
  queues(options?: CommandOptions): Promise<ModuleQueues> {
    return readQueues(this, options);
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

  /**
   * Starts to download a file, 1 to 5, and waits for what it is; its bytes come from the {@link FileDownload}. A
   * download that is under way in the module is cancelled. What a bad line loses is read again; with `reopen` a port
   * that goes and comes back is only waited for.
   *
   *     const bytes = await (await module.downloadFile(1)).bytes();
   *
   * @throws SakuraError MODULE_REFUSED with context.status `not-found`, `error` (offline), … for a file that cannot be
   *   had; TIMEOUT; INVALID_ARGUMENT; INVALID_PAYLOAD for a file above `maxBytes`; as any command
   */
  downloadFile(file: RequestOf<"START_FILE_DOWNLOAD">, options: FileDownloadOptions = {}): Promise<FileDownload> {
    return downloadFile(this, this.#connection, this.#clock, file, options);
  }

  /** Restarts the module: UNLOCK and SOFTWARE_RESET. Both queues are empty after it, and it is offline for a while. */
  reset(options?: CommandOptions): Promise<void> {
    return reset(this, options);
  }

  /**
   * Restarts the module and waits until it answers and is online again; silence is borne meanwhile.
   * @throws SakuraError TIMEOUT, where context.answers says whether it answers at least; ABORTED; as `reset`
   */
  restart(options: RestartOptions = {}): Promise<{ readonly elapsedMs: number }> {
    return restart(this, { ...options, clock: this.#clock, connection: this.#connection });
  }

  /**
   * Updates the firmware and waits for the result: silence is borne, and so is a port that goes and comes back where
   * the module was opened with `reopen`. An update that runs already is followed. A failed update is a `result`, no
   * error; errors say that the result is not known.
   *
   *     const { before, after, result } = await module.runFirmwareUpdate({ onProgress: console.log });
   *
   * @throws SakuraError TIMEOUT, PORT_LOST, ABORTED by the signal: with context.outcome `unknown` once it has begun,
   *   because the module goes on by itself; MODULE_REFUSED when it does not begin
   */
  runFirmwareUpdate(options: FirmwareUpdateOptions = {}): Promise<FirmwareUpdate> {
    return runFirmwareUpdate(this, { ...options, clock: this.#clock, connection: this.#connection });
  }

  /** Lets go of the port. Whatever waits or is under way is rejected with CLOSED. Further calls do nothing more. */
  close(): Promise<void> {
    this.#queue.close();
    return this.#connection.close();
  }
}

const txChanging: ReadonlySet<CommandName> = new Set([
  "TX_ENQUEUE",
  "TX_SEND",
  "TX_CLEAR",
  "SOFTWARE_RESET",
  "UPDATE_FIRMWARE",
]);

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
