/** The emulated module: request frames in, answer frames out, and everything around it settable (§7). */
import type { Clock, Uplink } from "../protocol/bus.ts";
import { CHANNEL_MAX, type ChannelEntry, valueProblem } from "../protocol/channel.ts";
import { invalidArgument } from "../protocol/codec.ts";
import { type CommandName, commandByCode } from "../protocol/commands.ts";
import { SakuraError } from "../protocol/errors.ts";
import { type AnyRequest, decodeRequest, encodeRefusal, encodeResponse, frameProblem } from "../protocol/frame.ts";
import type { DownlinkMessage, LocationUplink, UplinkMessage } from "../protocol/message.ts";
import { moduleIdSchema } from "../protocol/message.ts";
import type { ConnectionError } from "../protocol/status.ts";
import {
  type Behaviour,
  type Behaviours,
  type ModuleContext,
  type ModuleEvent,
  type Override,
  Refused,
} from "./behaviour.ts";
import { behaviours } from "./behaviours/index.ts";
import { knowsPowerSave, restart } from "./behaviours/operation.ts";
import { realClock } from "./clock.ts";
import { type FaultSpec, Faults, noFaults } from "./faults.ts";
import type { FrameAnswerer, TimedAnswer } from "./frame-answerer.ts";
import { type EmulatedModuleOptions, initialState, isOnline, type ModuleState } from "./state.ts";

/** An uplink for a module that is not connected to anything: every message is taken and forgotten. */
const nowhere: Uplink = { take: () => Promise.resolve() };

export type FrameListener = (request: Uint8Array, answer: Uint8Array | undefined) => void;

/**
 * One emulated module. It knows nothing of buses: `handle` takes a request frame and gives the answer frame, and
 * UART, I2C and SPI carry those each in its own way. Messages go up through its uplink; `deliver` brings one down.
 */
export class EmulatedModule implements FrameAnswerer {
  /** Everything it knows. Tests may read it, and write what is not read-only. */
  readonly state: ModuleState;
  readonly clock: Clock;
  /** The dice of its bad line, which the buses throw for every byte. */
  faults = new Faults();
  readonly #context: ModuleContext;
  #behaviours: Behaviours = behaviours;
  readonly #eventListeners = new Set<(event: ModuleEvent) => void>();
  readonly #frameListeners = new Set<FrameListener>();

  /** @throws SakuraError INVALID_ARGUMENT for an option outside its range */
  constructor(options: EmulatedModuleOptions = {}) {
    checkOptions(options);
    this.state = initialState(options);
    this.clock = options.clock ?? realClock;
    const uplink = options.uplink ?? nowhere;
    this.#context = {
      state: this.state,
      clock: this.clock,
      uplink,
      isOnline: () => isOnline(this.state),
      changeConnection: (change) => this.#changeConnection(change),
      report: (event) => this.#report(event),
    };
  }

  get id(): string {
    return this.state.id;
  }

  get online(): boolean {
    return isOnline(this.state);
  }

  /** Whether it answers nothing at all, on any bus: while a firmware update runs that was set to be silent (§2). */
  get silent(): boolean {
    return this.state.update.inProgress && this.state.updatePlan.silent;
  }

  /**
   * Takes one request and gives its answer; nothing while a silent firmware update runs.
   * Carries out a good request at once; a refused one changes nothing.
   */
  handle(frame: Uint8Array): Uint8Array | undefined {
    const answer = this.#answer(frame);
    for (const listener of this.#frameListeners) listener(frame, answer);
    return answer;
  }

  /** As `handle`, with the delay of its faults. */
  answersTo(request: Uint8Array): readonly TimedAnswer[] {
    const frame = this.handle(request);
    return frame ? [{ frame, afterMs: this.faults.spec.delay }] : [];
  }

  #answer(frame: Uint8Array): Uint8Array | undefined {
    if (this.silent) return undefined;
    const decoded = decodeRequest(frame);
    if (!decoded.ok) return encodeRefusal(this.#lacks(frame) ? "MISSING" : decoded.status);
    if (this.faults.busy()) return encodeRefusal("BUSY");
    return this.#carryOut(decoded);
  }

  /** A command that this firmware does not have is MISSING before its payload is looked at (§7). */
  #lacks(frame: Uint8Array): boolean {
    if (frameProblem(frame) !== undefined) return false;
    const name = commandByCode(frame[0] ?? 0);
    return (name === "SET_POWER_SAVE_MODE" || name === "GET_POWER_SAVE_MODE") && !knowsPowerSave(this.state);
  }

  #carryOut<N extends CommandName>({ name, request }: AnyRequest<N>): Uint8Array {
    const answer = this.#behaviours[name](this.#context, request);
    return answer instanceof Refused ? encodeRefusal(answer.status) : encodeResponse(name, answer);
  }

  /**
   * Lays a behaviour over a command's own, newest first. Returns its removal.
   *
   *     module.override("TX_SEND", () => refuse("BUSY"));
   */
  override<N extends CommandName>(name: N, behaviour: Override<N>): () => void {
    const below = this.#behaviours[name];
    let laid = true;
    const laidOver: Behaviour<N> = (module, request) =>
      laid ? behaviour(request, () => below(module, request), module) : below(module, request);
    this.#behaviours = { ...this.#behaviours, [name]: laidOver };
    return () => {
      laid = false;
    };
  }

  /**
   * Brings a downlink message to the RX queue: all of its channels, or none (§7).
   * @throws SakuraError REFUSED; context.reason is `unknown-module`, `offline` or `rx-queue-full`; INVALID_ARGUMENT for
   *   a channel or a value outside its range
   */
  deliver(message: DownlinkMessage): void {
    const { state } = this;
    const { channels } = message.payload;
    for (const entry of channels) checkEntry(entry);
    if (message.module !== state.id)
      throw refused("unknown-module", `there is no module ${message.module} here: this one is ${state.id}`);
    if (!this.online) throw refused("offline", `module ${state.id} is offline: send it again when it is online`);
    const free = state.rxCapacity - state.rxQueue.length;
    if (channels.length > free)
      throw refused(
        "rx-queue-full",
        `the RX queue of module ${state.id} has ${free} of ${state.rxCapacity} places free, and ${channels.length} values came: send it again when the MCU has read some`,
      );
    const receivedAt = this.clock.now();
    for (const entry of channels) state.rxQueue.push({ entry, receivedAt });
  }

  /** Takes the network away, or gives it back. */
  setOnline(online: boolean, lastError: ConnectionError = "out-of-service-area"): void {
    this.#changeConnection(() => {
      this.state.network = online;
      this.state.lastError = online ? "none" : lastError;
    });
  }

  /** @param signal 0 (out of service) to 5 */
  setSignal(signal: number): void {
    if (!Number.isInteger(signal) || signal < 0 || signal > 5)
      throw invalidArgument("a signal is an integer from 0 to 5", signal);
    this.state.signal = signal;
  }

  setFaults(spec: FaultSpec = noFaults): void {
    this.faults = new Faults(spec);
  }

  /** Presses the reset button: queues empty, offline, online again after the boot time. */
  restart(): void {
    restart(this.#context);
  }

  /** Has the module send where it is; null when it does not know. */
  sendLocation(coordinate: LocationUplink["payload"]["coordinate"]): void {
    this.#tell({ module: this.state.id, type: "location", payload: { coordinate } });
  }

  onEvent(listener: (event: ModuleEvent) => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  /** Calls the listener with every request and its answer, as frames. */
  onFrame(listener: FrameListener): () => void {
    this.#frameListeners.add(listener);
    return () => this.#frameListeners.delete(listener);
  }

  #changeConnection(change: () => void): void {
    const before = this.online;
    change();
    if (this.online === before) return;
    this.#report({ kind: "online", online: this.online });
    // The platform tells its services of every change (aws-iot §1).
    this.#tell({ module: this.state.id, type: "connection", payload: { is_online: this.online } });
  }

  /** Hands up a message that no queue holds. */
  #tell(message: Exclude<UplinkMessage, { type: "channels" }>): void {
    const take = async (): Promise<void> => this.#context.uplink.take(message);
    take().catch((error: unknown) => this.#report({ kind: "uplink-refused", type: message.type, error }));
  }

  #report(event: ModuleEvent): void {
    for (const listener of this.#eventListeners) listener(event);
  }
}

function refused(reason: string, message: string): SakuraError {
  return new SakuraError("REFUSED", message, { context: { reason } });
}

function checkEntry(entry: ChannelEntry): void {
  checkRange("a channel", entry.channel, 0, CHANNEL_MAX);
  const problem = valueProblem(entry);
  if (problem !== undefined) throw new SakuraError("INVALID_ARGUMENT", problem);
}

function checkOptions(options: EmulatedModuleOptions): void {
  const id = moduleIdSchema.optional().safeParse(options.id);
  if (!id.success) throw invalidArgument(id.error.issues[0]?.message ?? "a module id", options.id);
  if (options.uniqueId !== undefined && !/^[\x20-\x7e]{10}$/.test(options.uniqueId))
    throw invalidArgument("a unique id has 10 ASCII characters", options.uniqueId);
  if (options.firmware !== undefined && !/^[\x20-\x7e]{1,32}$/.test(options.firmware))
    throw invalidArgument("a firmware version has 1 to 32 ASCII characters", options.firmware);
  checkRange("a TX queue's capacity", options.txQueue, 1, 255);
  checkRange("an RX queue's capacity", options.rxQueue, 1, 255);
  checkRange("a signal", options.signal, 0, 5);
  checkRange("a product id", options.product, 0, 0xffff);
  checkRange("a send time in ms", options.sendTimeMs, 0, 3_600_000);
  checkRange("a boot time in ms", options.bootTimeMs, 0, 3_600_000);
  checkRange("a file delay in ms", options.fileDelayMs, 0, 3_600_000);
}

function checkRange(what: string, value: number | undefined, low: number, high: number): void {
  if (value !== undefined && (!Number.isInteger(value) || value < low || value > high))
    throw invalidArgument(`${what} is an integer from ${low} to ${high}`, value);
}
