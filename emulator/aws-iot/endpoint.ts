/**
 * AWS IoT Core's MQTT endpoint, as far as a device sees it: mutual TLS, a policy for everything, and no word about a
 * refusal (aws-iot.md §3). MQTT 3.1.1 at QoS 0 and 1, retained messages, wills and persistent sessions; no MQTT 5, no
 * shared subscriptions, no shadows, no jobs, and a rule of `$aws/rules/…` is a topic like any other.
 */
import { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { Aedes, Client } from "aedes";
import type { Clock } from "../../protocol/bus.ts";
import { realClock } from "../clock.ts";
import { wireBroker } from "./broker.ts";
import { type Authority, certificateIdOf, createAuthority } from "./certificates.ts";
import { Connection, type ConnectionHost } from "./connection.ts";
import type { EndpointEvent } from "./events.ts";
import { type EndpointFaults, Faults } from "./faults.ts";
import { type LimitSwitches, Limits, limitsRule, remainingLengthMax } from "./limits.ts";
import { requirePort } from "./listen.ts";
import { Listener } from "./listener.ts";
import type { Policy } from "./policy.ts";
import { type CertificateRegistration, CertificateRegistry } from "./registry.ts";
import { connectRule, type Objection, reservedTopicsRule } from "./rules.ts";
import { connectRateRule, createTraffic, type Traffic } from "./traffic.ts";

/** Where AWS has a region and an account, in every ARN. */
const REGION = "ap-northeast-1";
const ACCOUNT = "000000000000";
/** For a client that opens a connection and then says nothing, or not enough. */
const HANDSHAKE_TIMEOUT_MS = 30_000;

export interface AwsIotEndpointOptions {
  /** Default 127.0.0.1. `localhost` listens on 127.0.0.1 and, where there is one, on ::1. */
  readonly host?: string;
  /** 0–65535; default 0, which takes a free one. */
  readonly port?: number;
  /** Signs the server's certificate and the clients'; default a new one. */
  readonly authority?: Authority;
  /** What is attached to each certificate that is registered without policies of its own; default nothing. */
  readonly policies?: readonly Policy[];
  /** Which limits hold at the start; default all. */
  readonly limits?: LimitSwitches;
  /** Default the ARNs of account 000000000000 in ap-northeast-1. */
  readonly region?: string;
  readonly account?: string;
  /** Measures every wait, rate and fault; default the wall's. */
  readonly clock?: Clock;
}

export interface AwsIotEndpoint {
  readonly host: string;
  readonly port: number;
  readonly authority: Authority;
  /** What the resources' ARNs begin with: `arn:aws:iot:REGION:ACCOUNT:`. */
  readonly arnPrefix: string;
  /**
   * Makes a certificate known: one that is not gets through the handshake and no further.
   * @returns its certificateId
   * @throws SakuraError INVALID_ARGUMENT when it is not PEM, or not signed by the authority
   */
  registerCertificate(registration: CertificateRegistration): string;
  /** Holds for what comes next, live connections too. @throws SakuraError INVALID_ARGUMENT for an unknown certificate */
  attachPolicy(certificateId: string, policy: Policy): void;
  /**
   * Takes the policy of this name away, and ends the certificate's live connections.
   * @throws SakuraError INVALID_ARGUMENT for an unknown certificate
   */
  detachPolicy(certificateId: string, policy: Pick<Policy, "name">): void;
  /** Inactive: ends the certificate's live connections. @throws SakuraError INVALID_ARGUMENT for an unknown one */
  setActive(certificateId: string, active: boolean): void;
  /**
   * Switches the limits that are named, for what comes next.
   * @throws SakuraError INVALID_ARGUMENT for a number that is no limit
   */
  setLimits(limits: LimitSwitches): void;
  /** What it does wrong on purpose. */
  readonly faults: EndpointFaults;
  /** Calls the listener with what happens, in order. Returns its removal. */
  onEvent(listener: (event: EndpointEvent) => void): () => void;
  /** Ends every connection; resolves when the port is free again. Further calls do nothing more. */
  close(): Promise<void>;
}

/**
 * Starts an endpoint.
 * @throws SakuraError INVALID_ARGUMENT for the port's number; PORT_BUSY, PORT_DENIED or PORT_FAILED when it cannot listen
 */
export async function startAwsIotEndpoint(options: AwsIotEndpointOptions = {}): Promise<AwsIotEndpoint> {
  const { host = "127.0.0.1", port = 0 } = options;
  requirePort(port);
  const authority = options.authority ?? (await createAuthority());
  const { certificate, privateKey } = await authority.issueServer(["localhost", "127.0.0.1", "::1"]);
  // Loaded here, so that a program which never starts an endpoint does not wait for it.
  const broker = await (await import("aedes")).Aedes.createBroker();
  const createOne = (): Server =>
    createServer({
      // A PUBACK is small and comes alone: Nagle's algorithm would hold it for 40 ms.
      noDelay: true,
      ca: authority.certificate,
      cert: certificate,
      key: privateKey,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: "TLSv1.2",
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      // What AWS wants to hear on port 443; who says nothing is served as well.
      ALPNProtocols: ["x-amzn-mqtt-ca", "mqtt"],
    });
  const endpoint = new Endpoint(broker, createOne, { ...options, authority, host });
  try {
    await endpoint.listen(port);
  } catch (error) {
    await endpoint.close();
    throw error;
  }
  return endpoint;
}

type EndpointOptions = AwsIotEndpointOptions & { readonly authority: Authority; readonly host: string };

class Endpoint implements AwsIotEndpoint {
  readonly host: string;
  readonly authority: Authority;
  readonly arnPrefix: string;
  readonly faults: Faults;
  readonly #broker: Aedes;
  readonly #registry: CertificateRegistry;
  readonly #connectionHost: ConnectionHost;
  readonly #listeners = new Set<(event: EndpointEvent) => void>();
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Set<Connection>();
  readonly #byClientId = new Map<string, Connection>();
  readonly #byClient = new WeakMap<Client, Connection>();
  readonly #limits: Limits;
  readonly #listener: Listener;
  #closing: Promise<void> | undefined;

  constructor(broker: Aedes, createOne: () => Server, options: EndpointOptions) {
    const { authority, host, region = REGION, account = ACCOUNT, policies = [], clock = realClock } = options;
    this.host = host;
    this.authority = authority;
    this.arnPrefix = `arn:aws:iot:${region}:${account}:`;
    this.#broker = broker;
    this.#limits = new Limits(options.limits);
    this.#registry = new CertificateRegistry({
      authority: new X509Certificate(authority.certificate),
      arnPrefix: this.arnPrefix,
      defaultPolicies: policies,
    });
    const emit = (event: EndpointEvent): void => this.#emit(event);
    this.#listener = new Listener({
      host,
      clock,
      create: () => this.#wireServer(createOne()),
      onChange: (listening, message) => emit({ type: "listening", listening, message }),
    });
    this.faults = new Faults(clock, {
      endAll: (why) => this.#endAll(why),
      stopListening: (ms) => this.#listener.pause(ms),
    });
    const traffic = createTraffic({ clock, limits: this.#limits, faults: this.faults, emit });
    this.#connectionHost = this.#createHost(traffic);
    wireBroker(broker, {
      registry: this.#registry,
      traffic,
      connectionOf: (client) => this.#byClient.get(client),
    });
  }

  #createHost(traffic: Traffic): ConnectionHost {
    const { clock, limits, faults } = traffic;
    return {
      traffic,
      rules: [
        connectRule,
        faults.rule,
        connectRateRule(clock, limits),
        // Sizes come before permissions: what is too large is not looked at any further.
        limitsRule(limits),
        reservedTopicsRule,
        this.#registry.rule,
      ],
      remainingLengthMax: () => remainingLengthMax(limits),
      handle: (inner, connection) => {
        const client = this.#broker.handle(inner);
        this.#byClient.set(client, connection);
        return client;
      },
      enter: (connection) => this.#enter(connection),
      leave: (connection) => this.#leave(connection),
    };
  }

  get port(): number {
    return this.#listener.port;
  }

  listen(port: number): Promise<void> {
    return this.#listener.open(port);
  }

  setLimits(limits: LimitSwitches): void {
    this.#limits.set(limits);
  }

  registerCertificate(registration: CertificateRegistration): string {
    return this.#registry.register(registration);
  }

  attachPolicy(certificateId: string, policy: Policy): void {
    this.#registry.attach(certificateId, policy);
  }

  detachPolicy(certificateId: string, { name }: Pick<Policy, "name">): void {
    if (!this.#registry.detach(certificateId, name)) return;
    this.#endAll({ reason: "policy-detached", message: `policy ${name} was detached` }, certificateId);
  }

  setActive(certificateId: string, active: boolean): void {
    this.#registry.setActive(certificateId, active);
    if (!active) {
      this.#endAll({ reason: "inactive-certificate", message: "the certificate was made inactive" }, certificateId);
    }
  }

  onEvent(listener: (event: EndpointEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const closed = this.#listener.close();
    for (const connection of this.#connections) connection.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    await new Promise<void>((resolve) => this.#broker.close(resolve));
    this.#listeners.clear();
  }

  #wireServer(server: Server): Server {
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    server.on("secureConnection", (socket) => this.#onSecure(socket));
    server.on("tlsClientError", (error, socket) => this.#onHandshakeFailed(error, socket));
    return server;
  }

  #onSecure(socket: TLSSocket): void {
    const certificate = socket.getPeerX509Certificate();
    if (!certificate || this.#closing !== undefined) {
      socket.destroy();
      return;
    }
    const connection = new Connection(socket, certificateIdOf(certificate), this.#connectionHost);
    this.#connections.add(connection);
    socket.on("close", () => this.#connections.delete(connection));
  }

  #onHandshakeFailed(error: Error, socket: TLSSocket): void {
    if (this.#closing !== undefined) return;
    // Set by the check of the certificate; what follows it is only a socket that hangs up.
    const verdict: unknown = socket.authorizationError;
    if (!verdict && "code" in error && error.code === "ECONNRESET") return;
    const why = verdict ? `the client's certificate was not accepted (${String(verdict)})` : error.message;
    this.#emit({ type: "refused", reason: "tls", message: `the handshake failed: ${why}` });
  }

  #enter(connection: Connection): Promise<void> | undefined {
    const { clientId } = connection.session;
    const earlier = this.#byClientId.get(clientId);
    // MQTT 3.1.1 §3.1.4-2: a second CONNECT throws the first out.
    earlier?.end({ reason: "taken-over", message: `another connection took the client id ${clientId}` });
    this.#byClientId.set(clientId, connection);
    return earlier?.released;
  }

  #leave(connection: Connection): void {
    const { clientId } = connection.session;
    if (this.#byClientId.get(clientId) === connection) this.#byClientId.delete(clientId);
  }

  /** @param certificateId of the connections; default all. @returns how many */
  #endAll(why: Objection, certificateId?: string): number {
    const ended = [...this.#connections].filter(
      ({ session }) => certificateId === undefined || session.certificateId === certificateId,
    );
    for (const connection of ended) connection.end(why);
    return ended.length;
  }

  #emit(event: EndpointEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
