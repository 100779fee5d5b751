/**
 * The service `aws-iot`: an MQTT 3.1.1 client of the user's AWS IoT Core endpoint, over TLS with certificates on both
 * sides. One MQTT.js client serves one connection: its own reconnecting has no jitter, and its queues no bounds
 * (aws-iot §4), so both stay unused.
 */
import { isIP } from "node:net";
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import type { IClientOptions, MqttClient } from "mqtt";
import type { Clock } from "../../protocol/bus.ts";
import { reasonOf, SakuraError } from "../../protocol/errors.ts";
import type { AwsIotServiceConfig } from "../config/schema.ts";
import { type Ending, explainFailure, type Phase } from "./aws-iot-failure.ts";
import { endsWithin } from "./backoff.ts";
import { ConnectedService, type Connection, type ConnectionEvents } from "./connected-service.ts";
import type { OutboxLane, OutboxMessage } from "./outbox/outbox.ts";
import type { Service } from "./service.ts";
import { publishTopic } from "./topics.ts";

export interface AwsIotServiceOptions {
  readonly config: AwsIotServiceConfig;
  readonly clientId: string;
  readonly lane: OutboxLane;
  readonly clock: Clock;
  readonly random?: (() => number) | undefined;
}

/** AWS clamps to 30–1200 s. The shorter, the sooner a dead connection is noticed: after one and a half of it. */
const KEEP_ALIVE_S = 30;
/** From the name's resolution to the SUBACK. */
const CONNECT_TIMEOUT_MS = 30_000;
/** AWS takes MQTT on the port of HTTPS from who names it in the handshake (aws-iot §3). */
const HTTPS_PORT = 443;
const ALPN = "x-amzn-mqtt-ca";
/** What AWS allows a connection, in and out together; elsewhere there is no such limit. */
const AWS_RATE_MAX = 100;

export function awsIotService({ config, clientId, lane, clock, random }: AwsIotServiceOptions): Service {
  const aws = /\.amazonaws\.com(\.cn)?$/i.test(config.hostname);
  return new ConnectedService({
    name: config.name,
    endpoint: `${config.hostname}:${config.port}`,
    lane,
    clock,
    random,
    maxRate: config.max_publish_rate ?? (aws ? AWS_RATE_MAX : undefined),
    async connect(events, signal) {
      // Loaded here, so that who has no such service does not wait for it.
      const { MqttClient } = await import("mqtt");
      return new Attempt({ config, clientId, clock, events, signal }, MqttClient).connection;
    },
  });
}

interface AttemptOptions {
  readonly config: AwsIotServiceConfig;
  readonly clientId: string;
  readonly clock: Clock;
  readonly events: ConnectionEvents;
  readonly signal: AbortSignal;
}

/** One connection, from the resolution of the name to its end. */
class Attempt {
  /** Rejects with SERVICE_FAILED or ABORTED. */
  readonly connection: Promise<Connection>;
  readonly #options: AttemptOptions;
  readonly #socket: TLSSocket;
  readonly #topics = new Map<string, string>();
  /** To be called when the socket has taken all that it was given. */
  readonly #unwritten: (() => void)[] = [];
  readonly #closed: Promise<void>;
  readonly #cancelTimeout: () => void;
  #phase: Phase;
  /** The first thing that went wrong: what follows it is its consequence. */
  #ending: Ending | undefined;
  /** It ends because we want it to. */
  #leaving = false;
  #settle: { readonly up: (connection: Connection) => void; readonly failed: (error: SakuraError) => void };

  constructor(options: AttemptOptions, Client: typeof MqttClient) {
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
    socket.once("secureConnect", () => {
      this.#phase = "connack";
      // Not before: with a CONNECT waiting, a failed handshake is a failed write, and its reason is lost.
      this.#speakMqtt(new Client(() => socket, clientOptions(this.#options.clientId)));
    });
    socket.on("drain", () => this.#onDrain());
    socket.on("error", (error) => this.#fail({ how: "error", error }));
  }

  #speakMqtt(client: MqttClient): void {
    client.onKeepaliveTimeout = () => this.#fail({ how: "timeout", seconds: KEEP_ALIVE_S * 1.5 });
    client.on("error", (error) => {
      // Of MQTT.js's own errors a refusing CONNACK alone has a code, its return code.
      const code: unknown = "code" in error ? error.code : undefined;
      this.#fail(typeof code === "number" ? { how: "connack", code } : { how: "error", error });
    });
    client.once("connect", () => {
      this.#phase = "suback";
      client.subscribe(this.#options.config.subscribe_topic, { qos: 0 }, (error) => {
        if (error) this.#fail({ how: "suback" });
        else this.#succeed(client);
      });
    });
    client.on("message", (_topic, payload) => this.#options.events.onDownlink(payload));
  }

  #succeed(client: MqttClient): void {
    if (this.#phase !== "suback" || this.#ending) return;
    this.#phase = "online";
    this.#cancelTimeout();
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    this.#settle.up({
      publish: (message, done) => this.#publish(client, message, done),
      end: (timeoutMs) => this.#end(client, timeoutMs),
    });
  }

  #fail(ending: Ending): void {
    this.#ending ??= ending;
    this.#socket.destroy();
  }

  #onClose(): void {
    this.#cancelTimeout();
    const { config, clientId, clock, events, signal } = this.#options;
    signal.removeEventListener("abort", this.#onAbort);
    if (this.#leaving) {
      this.#settle.failed(new SakuraError("ABORTED", `connecting to ${config.hostname} was given up`));
      return;
    }
    const failure = explainFailure(this.#phase, this.#ending ?? { how: "closed" }, {
      hostname: config.hostname,
      port: config.port,
      clientId,
      publishPrefix: config.publish_prefix,
      subscribeTopic: config.subscribe_topic,
      certificate: config.credentials.certificate,
      now: clock.now(),
    });
    if (this.#phase === "online") events.onLost(failure);
    else this.#settle.failed(failure);
  }

  #publish(client: MqttClient, { module, payload }: OutboxMessage, done: () => void): void {
    // Between the end of the socket and its event, MQTT.js would write to nowhere and say that all is well.
    if (!client.connected || this.#leaving || !this.#socket.writable) return;
    // Without a callback: MQTT.js would listen for `drain` once for every message.
    client.publish(this.#topic(module), asBuffer(payload));
    if (this.#socket.writableNeedDrain) this.#unwritten.push(done);
    else done();
  }

  #onDrain(): void {
    for (const done of this.#unwritten.splice(0)) done();
  }

  #topic(module: string): string {
    const known = this.#topics.get(module);
    if (known !== undefined) return known;
    const topic = publishTopic(this.#options.config.publish_prefix, module);
    this.#topics.set(module, topic);
    return topic;
  }

  async #end(client: MqttClient, timeoutMs: number): Promise<void> {
    this.#leaving = true;
    client.end();
    if (!(await endsWithin(this.#options.clock, timeoutMs, this.#closed))) this.#socket.destroy();
    await this.#closed;
  }
}

function clientOptions(clientId: string): IClientOptions {
  return {
    clientId,
    protocolVersion: 4,
    clean: true,
    keepalive: KEEP_ALIVE_S,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    // Ours comes first.
    connectTimeout: 2 * CONNECT_TIMEOUT_MS,
    timerVariant: "native",
  };
}

function openSocket(config: AwsIotServiceConfig): TLSSocket {
  const { hostname, port } = config;
  return connectTls({
    host: hostname,
    port,
    // The name must be in the handshake; an address must not.
    ...(isIP(hostname) === 0 && { servername: hostname }),
    ...(port === HTTPS_PORT && { ALPNProtocols: [ALPN] }),
    rejectUnauthorized: true,
    secureContext: secureContext(config),
  }).setNoDelay(true);
}

function secureContext({ name, credentials }: AwsIotServiceConfig): SecureContext {
  try {
    return createSecureContext({
      minVersion: "TLSv1.2",
      ca: credentials.rootCa,
      cert: credentials.certificateChain,
      key: credentials.privateKey.export({ type: "pkcs8", format: "pem" }),
    });
  } catch (cause) {
    const context = { reason: "failed" };
    const message = `TLS does not take the certificates or the key of service ${name}: ${reasonOf(cause)}`;
    throw new SakuraError("SERVICE_FAILED", message, { context, cause });
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
