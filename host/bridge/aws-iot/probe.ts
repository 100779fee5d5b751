/** One connection to a service's endpoint, made step by step so that the step which fails is known. */
import { isIP } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { SakuraError } from "../../../protocol/errors.ts";
import { systemClock } from "../../clock.ts";
import type { AwsIotServiceConfig } from "../../config/schema.ts";
import { type Ending, explainFailure, type Phase } from "./failure.ts";
import {
  type Answer,
  answers,
  connectPacket,
  disconnectPacket,
  publishPacket,
  readAnswers,
  subscribePacket,
} from "./mqtt-wire.ts";

export interface ProbeOptions {
  readonly config: AwsIotServiceConfig;
  readonly clientId: string;
  readonly signal: AbortSignal;
  /** Told of each step that has succeeded, with what was seen. */
  readonly onPassed: (phase: Phase, what: string) => void;
}

const STEP_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_S = 60;
const HTTPS_PORT = 443;
/** What AWS wants to hear on the port of HTTPS (aws-iot §3). */
const ALPN = "x-amzn-mqtt-ca";

/** What is waited for: an answer of this type, or the end. */
interface Wait {
  readonly type: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: SakuraError) => void;
}

export class Probe {
  readonly #options: ProbeOptions;
  readonly #socket: TLSSocket;
  readonly #closed: Promise<void>;
  #phase: Phase;
  #bytes: Buffer = Buffer.alloc(0);
  #wait: Wait | undefined;
  /** The first thing that went wrong. */
  #failure: SakuraError | undefined;

  private constructor(options: ProbeOptions) {
    this.#options = options;
    const { hostname, port, credentials } = options.config;
    this.#phase = isIP(hostname) === 0 ? "resolve" : "connect";
    this.#socket = connectTls({
      host: hostname,
      port,
      ...(isIP(hostname) === 0 && { servername: hostname }),
      ...(port === HTTPS_PORT && { ALPNProtocols: [ALPN] }),
      minVersion: "TLSv1.2",
      ca: credentials.rootCa,
      cert: credentials.certificateChain,
      key: credentials.privateKey.export({ type: "pkcs8", format: "pem" }),
    });
    this.#closed = new Promise((resolve) => this.#socket.once("close", () => resolve()));
    this.#watch();
  }

  /**
   * Resolves with the connection when the endpoint has said yes to the CONNECT.
   * @throws SakuraError SERVICE_FAILED for the step that fails, ABORTED
   */
  static async open(options: ProbeOptions): Promise<Probe> {
    const probe = new Probe(options);
    await probe.#ready();
    return probe;
  }

  /**
   * Goes as far as TLS and back: all that needs no client id.
   * @throws SakuraError as {@link Probe.open}
   */
  static async reach(options: Omit<ProbeOptions, "clientId">): Promise<void> {
    const probe = new Probe({ ...options, clientId: "" });
    await probe.#secured();
    await probe.end();
  }

  /** @throws SakuraError SERVICE_FAILED: the subscription is not allowed, or not answered; ABORTED */
  async subscribe(topic: string, qos: number): Promise<void> {
    this.#phase = "suback";
    const { body } = await this.#ask(answers.suback, subscribePacket(1, topic, qos));
    // 0x80 is a refusal (§3.9.3).
    if (body[2] === undefined || body[2] > 2) throw this.#fail({ how: "suback" });
    this.#phase = "online";
  }

  /** Publishes at QoS 1. @throws SakuraError SERVICE_FAILED when there is no PUBACK, ABORTED */
  async publish(topic: string, payload: string): Promise<void> {
    const { config, signal } = this.#options;
    await this.#ask(answers.puback, publishPacket(2, topic, payload)).catch((cause: unknown) => {
      if (signal.aborted) throw cause;
      const message =
        `${config.hostname}:${config.port} closed the connection at the PUBLISH, or did not acknowledge it: the ` +
        `policy must allow iot:Publish on topic/${topic}`;
      throw new SakuraError("SERVICE_FAILED", message, { cause });
    });
  }

  /** Whether it can still be used. */
  get isOpen(): boolean {
    return this.#failure === undefined && !this.#socket.destroyed;
  }

  async end(): Promise<void> {
    if (this.isOpen) this.#socket.end(disconnectPacket);
    const cancel = systemClock.after(1_000, () => this.#socket.destroy());
    await this.#closed;
    cancel();
  }

  #watch(): void {
    const socket = this.#socket;
    const { onPassed, config } = this.#options;
    socket.once("lookup", (error, address) => {
      if (error) return;
      onPassed("resolve", `${config.hostname} is ${address}`);
      this.#phase = "connect";
    });
    socket.once("connect", () => {
      onPassed("connect", `port ${config.port} answers`);
      this.#phase = "handshake";
    });
    socket.once("secureConnect", () => {
      onPassed("handshake", `${socket.getProtocol() ?? "TLS"}, its certificate is signed by rootca_cert`);
      this.#phase = "connack";
    });
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("error", (error) => this.#fail({ how: "error", error }));
    socket.once("close", () => this.#fail({ how: "closed" }));
    const onAbort = (): void => {
      const why = new SakuraError("ABORTED", "the check was stopped");
      this.#failure ??= why;
      this.#wait?.reject(why);
      socket.destroy();
    };
    this.#options.signal.addEventListener("abort", onAbort, { once: true });
    socket.once("close", () => this.#options.signal.removeEventListener("abort", onAbort));
    if (this.#options.signal.aborted) onAbort();
  }

  async #ready(): Promise<void> {
    const { config, clientId } = this.#options;
    const connack = this.#answer(answers.connack);
    this.#socket.once("secureConnect", () =>
      this.#socket.write(connectPacket(clientId, config.qos === 0, KEEP_ALIVE_S)),
    );
    const code = (await connack).body[1] ?? 0;
    if (code !== 0) throw this.#fail({ how: "connack", code });
    this.#phase = "online";
  }

  /** The handshake ends a wait that no packet can end: nothing has been sent that would be answered. */
  async #secured(): Promise<void> {
    const secured = this.#answer(answers.connack);
    this.#socket.once("secureConnect", () => this.#wait?.resolve({ type: answers.connack, body: Buffer.alloc(0) }));
    await secured;
  }

  #ask(type: number, bytes: Buffer): Promise<Answer> {
    const answer = this.#answer(type);
    if (this.isOpen) this.#socket.write(bytes);
    return answer;
  }

  #answer(type: number): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure);
        return;
      }
      const cancel = systemClock.after(STEP_TIMEOUT_MS, () =>
        this.#fail({ how: "timeout", seconds: STEP_TIMEOUT_MS / 1_000 }),
      );
      const done =
        <T>(then: (value: T) => void) =>
        (value: T): void => {
          cancel();
          this.#wait = undefined;
          then(value);
        };
      this.#wait = { type, resolve: done(resolve), reject: done(reject) };
    });
  }

  #onData(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const read = readAnswers(this.#bytes);
    if (!read) {
      this.#fail({ how: "error", error: new Error("what came is not MQTT") });
      return;
    }
    this.#bytes = read.rest;
    // Others are messages that wait for the bridge: not acknowledged, they go on waiting.
    for (const answer of read.packets) if (answer.type === this.#wait?.type) this.#wait.resolve(answer);
  }

  #fail(ending: Ending): SakuraError {
    const { config, clientId } = this.#options;
    this.#failure ??= explainFailure(this.#phase, ending, {
      hostname: config.hostname,
      port: config.port,
      clientId,
      publishPrefix: config.publish_prefix,
      subscribeTopic: config.subscribe_topic,
      certificate: config.credentials.certificate,
      now: Date.now(),
    });
    this.#wait?.reject(this.#failure);
    this.#socket.destroy();
    return this.#failure;
  }
}
