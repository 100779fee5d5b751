/**
 * A service that is reached by one connection or several: each is made, and made again when it is gone, and together
 * they hand over what the outbox's lane holds. How a connection is made is each kind of service's own.
 */
import type { Clock } from "../../../protocol/bus.ts";
import { SakuraError } from "../../../protocol/errors.ts";
import { pause } from "../../clock.ts";
import { endsWithin } from "../backoff.ts";
import type { OutboxLane, OutboxMessage } from "../outbox/outbox.ts";
import type { Service, ServiceEvents, ServiceState } from "../service.ts";
import { StateHolder } from "../state-holder.ts";
import { type Connection, type ConnectionEvents, type Delivery, type Loss, newDelivery } from "./connection.ts";
import { type Address, Dispatcher } from "./dispatcher.ts";
import { Member } from "./member.ts";
import { Sender } from "./sender.ts";
import { standingOf } from "./standing.ts";

export interface ConnectedServiceOptions {
  readonly name: string;
  /** `HOST:PORT` */
  readonly endpoint: string;
  /** One for each connection; the first subscribes. */
  readonly clientIds: readonly string[];
  /** 0: a message leaves the lane when it is written to the socket. 1: when it is acknowledged. */
  readonly qos: 0 | 1;
  readonly lane: OutboxLane;
  readonly clock: Clock;
  readonly random?: (() => number) | undefined;
  /** Messages in flight on each connection; default 100, which is what AWS takes unacknowledged (aws-iot §3). */
  readonly window?: number | undefined;
  /** Publishes a second on each connection, in and out together; nothing for no limit. */
  readonly maxRate?: number | undefined;
  /** After how many ms without an acknowledgement a connection is given up; default 20,000. Up to a quarter more. */
  readonly ackTimeoutMs?: number | undefined;
  readonly addressOf: (message: OutboxMessage) => Address;
  /** @throws SakuraError SERVICE_FAILED with context.reason, see ServiceFailure; ABORTED */
  connect(clientId: string, events: ConnectionEvents, signal: AbortSignal): Promise<Connection>;
}

const WINDOW = 100;
const ACK_TIMEOUT_MS = 20_000;
/** What is told and not sent yet. */
const TOLD_MAX = 100;
/** The last part of a drain, in which only acknowledgements are waited for. */
const LAST_ACKS = 0.25;
/** When what keeps the dead letters fails. */
const SET_ASIDE_AGAIN_MS = 10_000;

interface Part {
  readonly sender: Sender;
  readonly member: Member;
}

export class ConnectedService implements Service {
  readonly name: string;
  readonly #options: ConnectedServiceOptions;
  readonly #state: StateHolder<ServiceState>;
  readonly #parts: readonly Part[];
  readonly #dispatcher: Dispatcher;
  readonly #stop = new AbortController();
  #events: ServiceEvents = { onDownlink: () => undefined, onPublished: () => undefined };
  #toldLost = 0;
  #pumpComes = false;
  #removeOnReady: (() => void) | undefined;
  #onQuiet: (() => void) | undefined;
  #isQuiet: () => boolean = () => false;
  #closed: Promise<void> | undefined;

  constructor(options: ConnectedServiceOptions) {
    const { name, lane, qos, clock, clientIds, addressOf } = options;
    this.name = name;
    this.#options = options;
    this.#parts = clientIds.map((clientId) => this.#createPart(clientId));
    this.#dispatcher = new Dispatcher({
      lane,
      senders: this.#parts.map(({ sender }) => sender),
      acknowledges: qos === 1,
      addressOf,
      onPublished: (message) => this.#events.onPublished(message),
      setAside: (message, reason) => this.#setAside(message, reason),
    });
    this.#state = new StateHolder<ServiceState>(standingOf(this.#connectionStates(), undefined, clock.now()));
  }

  start(events: ServiceEvents): void {
    this.#events = events;
    const { lane } = this.#options;
    // Another service object may have had it before.
    lane.rewind();
    this.#removeOnReady = lane.onReady(() => this.#pumpSoon());
    for (const { member } of this.#parts) member.start();
  }

  state(): ServiceState {
    return this.#state.current;
  }

  onState(listener: (state: ServiceState) => void): () => void {
    return this.#state.onChange(listener);
  }

  retry(): void {
    for (const { member } of this.#parts) member.retry();
  }

  get toldLost(): number {
    return this.#toldLost;
  }

  tell(topic: string, payload: Uint8Array): void {
    const [first] = this.#parts;
    if (this.#closed !== undefined || first === undefined) this.#toldLost++;
    else this.#giveUrgent(first.sender, newDelivery(undefined, topic, payload), false);
    this.#pumpSoon();
  }

  close(drainMs: number): Promise<void> {
    this.#closed ??= this.#close(drainMs);
    return this.#closed;
  }

  async #close(drainMs: number): Promise<void> {
    const lastMs = drainMs * LAST_ACKS;
    await this.#quietWithin(drainMs - lastMs, () => this.#isDrained());
    this.#dispatcher.pause();
    await this.#quietWithin(lastMs, () => this.#parts.every(({ sender }) => sender.inFlight === 0));
    this.#removeOnReady?.();
    this.#stop.abort();
    await Promise.all(this.#parts.map(({ member }) => member.stop()));
    this.#tellState();
  }

  /** Waits until it is so, or nothing is connected any more, or the time is over. */
  async #quietWithin(ms: number, isSo: () => boolean): Promise<void> {
    this.#isQuiet = () => isSo() || !this.#parts.some(({ sender }) => sender.isUp);
    if (ms <= 0 || this.#isQuiet()) return;
    const quiet = new Promise<void>((resolve) => {
      this.#onQuiet = resolve;
    });
    await endsWithin(this.#options.clock, ms, quiet);
    this.#onQuiet = undefined;
  }

  #isDrained(): boolean {
    return (
      this.#options.lane.messages === 0 && this.#parts.every(({ sender }) => sender.inFlight + sender.urgent === 0)
    );
  }

  #createPart(clientId: string): Part {
    const { clock, random, endpoint, window = WINDOW, maxRate, qos, ackTimeoutMs = ACK_TIMEOUT_MS } = this.#options;
    const sender = new Sender({
      clock,
      window,
      maxRate,
      ackTimeoutMs: qos === 1 ? ackTimeoutMs : undefined,
      onRoom: () => this.#dispatcher.pump(),
      onOverdue: (delivery) => member.drop(this.#overdue(delivery, ackTimeoutMs)),
    });
    const member = new Member({
      clientId,
      endpoint,
      clock,
      random,
      connect: (events, signal) => this.#options.connect(clientId, events, signal),
      onUp: (connection) => {
        sender.attach(connection);
        this.#dispatcher.pump();
      },
      onDown: (loss) => this.#lost(sender, loss),
      onDelivered: (delivery) => this.#delivered(sender, delivery),
      onDownlink: (payload) => {
        sender.countIncoming();
        this.#events.onDownlink(payload);
      },
      // One after the other they stop: that is told once, at the end.
      onState: () => {
        if (!this.#stop.signal.aborted) this.#tellState();
      },
    });
    return { sender, member };
  }

  #tellState(): void {
    this.#state.set(standingOf(this.#connectionStates(), this.#state.current, this.#options.clock.now()));
  }

  #connectionStates() {
    return this.#parts.map(({ member }) => member.state);
  }

  #delivered(sender: Sender, delivery: Delivery): void {
    if (!sender.delivered(delivery)) return;
    if (delivery.message !== undefined) this.#dispatcher.delivered(delivery, delivery.message);
    this.#dispatcher.pump();
    if (this.#onQuiet !== undefined && this.#isQuiet()) this.#onQuiet();
  }

  #lost(sender: Sender, loss: Loss | undefined): void {
    const { told, givenUp } = this.#dispatcher.lost(sender, loss);
    this.#toldLost += givenUp;
    for (const delivery of [...told].reverse()) this.#giveUrgent(sender, delivery, true);
    // The others may go on with what it had.
    this.#dispatcher.pump();
    if (this.#onQuiet !== undefined && this.#isQuiet()) this.#onQuiet();
  }

  #giveUrgent(sender: Sender, delivery: Delivery, first: boolean): void {
    if (sender.giveUrgent(delivery, { max: TOLD_MAX, first }) !== undefined) this.#toldLost++;
  }

  #overdue({ topic }: Delivery, ackTimeoutMs: number): SakuraError {
    const { endpoint } = this.#options;
    const message =
      `${endpoint} has not acknowledged a message to ${topic} within ${ackTimeoutMs / 1_000} s: the network is slow or ` +
      "gone, or the service discards what is past its limits; check what else publishes with this account, and max_publish_rate";
    return new SakuraError("SERVICE_FAILED", message, { context: { reason: "puback-timeout", topic } });
  }

  async #setAside(message: OutboxMessage, reason: string): Promise<void> {
    const { lane, clock } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        await lane.setAside(message, reason);
        return;
      } catch {
        // It is still in its lane, and the outbox tells what is wrong with it.
        await pause(clock, SET_ASIDE_AGAIN_MS, this.#stop.signal);
      }
    }
  }

  /** Once a turn of the event loop: what came in one goes out in one, and who appended hears of that first. */
  #pumpSoon(): void {
    if (this.#pumpComes) return;
    this.#pumpComes = true;
    setImmediate(() => {
      this.#pumpComes = false;
      this.#dispatcher.pump();
    });
  }
}
