/**
 * A connection to AWS IoT Core: MQTT 3.1.1 over TLS with certificates on both sides. One MQTT.js client serves one
 * connection: its own reconnecting has no jitter, and its queues no bounds (aws-iot §4), so both stay unused.
 */
import { isIP } from "node:net";
import type { TLSSocket } from "node:tls";
import type { MqttClient, Packet } from "mqtt";
import type { Clock } from "../../../protocol/bus.ts";
import { SakuraError } from "../../../protocol/errors.ts";
import { monotonicMs } from "../../clock.ts";
import type { AwsIotServiceConfig } from "../../config/schema.ts";
import { endsWithin } from "../backoff.ts";
import type { ConnectPacer } from "../service/connect-pacer.ts";
import type { Connection, ConnectionEvents, Delivery } from "../service/connection.ts";
import { type Ending, explainFailure, type Phase } from "./failure.ts";
import type { FailureHistory } from "./history.ts";
import { clientOptions, PacketIds } from "./mqtt.ts";
import { type ServerChain, serverChain } from "./root.ts";
import { openSocket } from "./tls.ts";

export interface AwsIotConnectionOptions {
  readonly config: AwsIotServiceConfig;
  readonly clientId: string;
  /** The downlink comes on one connection of a service. */
  readonly subscribes: boolean;
  readonly history: FailureHistory;
  readonly pacer: ConnectPacer;
  readonly clock: Clock;
  readonly events: ConnectionEvents;
  readonly signal: AbortSignal;
}

/** From the name's resolution to the SUBACK. */
const CONNECT_TIMEOUT_MS = 30_000;
/** An end so soon after a publish may be its answer. */
const BLAME_MS = 5_000;

/** @throws SakuraError SERVICE_FAILED with context.reason, see ServiceFailure; ABORTED */
export async function connectAwsIot(options: AwsIotConnectionOptions): Promise<Connection> {
  // Loaded here, so that who has no such service does not wait for it.
  const { MqttClient } = await import("mqtt");
  return new Attempt(options, MqttClient).connection;
}

/** One connection, from the resolution of the name to its end. */
class Attempt {
  /** Rejects with SERVICE_FAILED or ABORTED. */
  readonly connection: Promise<Connection>;
  readonly #options: AwsIotConnectionOptions;
  readonly #socket: TLSSocket;
  /** QoS 0: handed over, and the socket has not taken all yet. */
  readonly #unwritten: Delivery[] = [];
  /** QoS 1, by packet identifier. */
  readonly #unacknowledged = new Map<number, Delivery>();
  readonly #closed: Promise<void>;
  readonly #cancelTimeout: () => void;
  #phase: Phase;
  /** The first thing that went wrong: what follows it is its consequence. */
  #ending: Ending | undefined;
  /** It ends because we want it to. */
  #leaving = false;
  #onlineAt = 0;
  #lastPublish: Delivery | undefined;
  #lastPublishAt = 0;
  #serverChain: ServerChain | undefined;
  #settle: { readonly up: (connection: Connection) => void; readonly failed: (error: SakuraError) => void };

  constructor(options: AwsIotConnectionOptions, Client: typeof MqttClient) {
    this.#options = options;
    this.#settle = { up: () => undefined, failed: () => undefined };
    this.connection = new Promise((up, failed) => {
      this.#settle = { up, failed };
    });
    const { clock, config, signal } = options;
    this.#phase = isIP(config.hostname) === 0 ? "resolve" : "connect";
    this.#socket = openSocket(config);
    this.#watchSocket(Client);
    this.#closed = new Promise((resolve) => {
      this.#socket.once("close", () => {
        resolve();
        this.#onClose();
      });
    });
    this.#cancelTimeout = clock.after(CONNECT_TIMEOUT_MS, () =>
      this.#fail({ how: "timeout", seconds: CONNECT_TIMEOUT_MS / 1_000 }),
    );
    signal.addEventListener("abort", this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
  }

  readonly #onAbort = (): void => {
    this.#leaving = true;
    this.#socket.destroy();
  };

  #watchSocket(Client: typeof MqttClient): void {
    const socket = this.#socket;
    socket.once("lookup", (error) => {
      if (!error) this.#phase = "connect";
    });
    socket.once("connect", () => {
      this.#phase = "handshake";
    });
    // Before Node looks at the certificates: of a server that is not trusted nothing can be seen afterwards.
    socket.prependOnceListener("secure", () => {
      this.#serverChain = serverChain(socket.getPeerCertificate(true));
    });
    socket.once("secureConnect", () => {
      this.#phase = "connack";
      // Not before: with a CONNECT waiting, a failed handshake is a failed write, and its reason is lost.
      this.#connectMqtt(Client).catch((error) => this.#fail({ how: "error", error }));
    });
    socket.on("drain", () => this.#onDrain());
    socket.on("error", (error) => this.#fail({ how: "error", error }));
  }

  async #connectMqtt(Client: typeof MqttClient): Promise<void> {
    const { pacer, config, clientId, signal } = this.#options;
    await pacer.turn(`${config.hostname}:${config.port}`, clientId, signal);
    if (this.#socket.destroyed) return;
    const ids = new PacketIds(this.#unacknowledged);
    this.#speakMqtt(new Client(() => this.#socket, clientOptions(clientId, config, ids)));
  }

  #speakMqtt(client: MqttClient): void {
    const { config, events, subscribes } = this.#options;
    client.onKeepaliveTimeout = () => this.#fail({ how: "timeout", seconds: config.keep_alive * 1.5 });
    client.on("error", (error) => {
      // Of MQTT.js's own errors a refusing CONNACK alone has a code, its return code.
      const code: unknown = "code" in error ? error.code : undefined;
      this.#fail(typeof code === "number" ? { how: "connack", code } : { how: "error", error });
    });
    client.once("connect", () => {
      if (!subscribes) {
        this.#succeed(client);
        return;
      }
      this.#phase = "suback";
      client.subscribe(config.subscribe_topic, { qos: config.qos }, (error) => {
        if (error) this.#fail({ how: "suback" });
        else this.#succeed(client);
      });
    });
    client.on("message", (_topic, payload) => events.onDownlink(payload));
  }

  #succeed(client: MqttClient): void {
    if (this.#phase === "online" || this.#ending || this.#leaving) return;
    this.#phase = "online";
    this.#onlineAt = monotonicMs(this.#options.clock);
    this.#cancelTimeout();
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    this.#settle.up({
      publish: (delivery, again) => this.#publish(client, delivery, again),
      end: (timeoutMs) => this.#end(client, timeoutMs),
    });
  }

  #fail(ending: Ending): void {
    this.#ending ??= ending;
    this.#socket.destroy();
  }

  #onClose(): void {
    this.#cancelTimeout();
    const { config, clientId, clock, events, signal, history } = this.#options;
    signal.removeEventListener("abort", this.#onAbort);
    if (this.#leaving) {
      this.#settle.failed(new SakuraError("ABORTED", `connecting to ${config.hostname} was given up`));
      return;
    }
    const ending = this.#ending ?? { how: "closed" };
    const now = monotonicMs(clock);
    const isOnline = this.#phase === "online";
    const silently = isByPeer(ending);
    const blamed = isOnline && silently && this.#isBlamed(now) ? this.#lastPublish : undefined;
    const reason = explainFailure(this.#phase, ending, {
      hostname: config.hostname,
      port: config.port,
      clientId,
      publishPrefix: config.publish_prefix,
      subscribeTopic: config.subscribe_topic,
      certificate: config.credentials.certificate,
      now: clock.now(),
      repeats: history.note({
        phase: this.#phase,
        silently,
        onlineMs: isOnline ? now - this.#onlineAt : 0,
        afterPublish: blamed !== undefined,
      }),
      serverChain: this.#serverChain,
      lastPublish: blamed && { topic: blamed.topic, bytes: blamed.payload.length },
    });
    if (isOnline) events.onLost({ reason, afterPublish: blamed !== undefined });
    else this.#settle.failed(reason);
  }

  /** Whether what was published may have ended it: what has been acknowledged has not. */
  #isBlamed(now: number): boolean {
    if (this.#lastPublish === undefined || now - this.#lastPublishAt > BLAME_MS) return false;
    return this.#options.config.qos === 0 || this.#unacknowledged.size > 0;
  }

  #publish(client: MqttClient, delivery: Delivery, again: boolean): void {
    // Between the end of the socket and its event, MQTT.js would write to nowhere and say that all is well.
    if (!client.connected || this.#leaving || !this.#socket.writable) return;
    const { topic, payload } = delivery;
    this.#lastPublish = delivery;
    this.#lastPublishAt = monotonicMs(this.#options.clock);
    if (this.#options.config.qos === 1) {
      client.publish(topic, asBuffer(payload), again ? AGAIN : ONCE, this.#onPuback);
      this.#unacknowledged.set(client.getLastMessageId(), delivery);
      return;
    }
    // Without a callback: MQTT.js would listen for `drain` once for every message.
    client.publish(topic, asBuffer(payload));
    if (this.#socket.writableNeedDrain) this.#unwritten.push(delivery);
    else this.#options.events.onDelivered(delivery);
  }

  /** One for all, which knows the message by its packet identifier. Called with an error when there will be no PUBACK. */
  readonly #onPuback = (error?: Error | null, packet?: Packet): void => {
    if (error || packet?.messageId === undefined) return;
    const delivery = this.#unacknowledged.get(packet.messageId);
    if (delivery === undefined) return;
    this.#unacknowledged.delete(packet.messageId);
    this.#options.events.onDelivered(delivery);
  };

  #onDrain(): void {
    for (const delivery of this.#unwritten.splice(0)) this.#options.events.onDelivered(delivery);
  }

  async #end(client: MqttClient, timeoutMs: number): Promise<void> {
    this.#leaving = true;
    // Says DISCONNECT when everything is acknowledged, and nothing before.
    client.end();
    if (!(await endsWithin(this.#options.clock, timeoutMs, this.#closed))) this.#socket.destroy();
    await this.#closed;
  }
}

const ONCE = { qos: 1 } as const;
const AGAIN = { qos: 1, dup: true } as const;

/** The network's own failures are not the other side's word. */
function isByPeer(ending: Ending): boolean {
  if (ending.how === "closed") return true;
  if (ending.how !== "error" || !(ending.error instanceof Error) || !("code" in ending.error)) return false;
  return ["ECONNRESET", "EPIPE", "ECONNABORTED"].includes(String(ending.error.code));
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
