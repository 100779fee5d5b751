/**
 * AWS IoT Core's MQTT endpoint, as far as a device sees it: mutual TLS, a policy for everything, and no word about a
 * refusal (aws-iot.md §3). MQTT 3.1.1 at QoS 0 and 1, retained messages, wills and persistent sessions; no MQTT 5, no
 * shared subscriptions, no shadows, no jobs, and a rule of `$aws/rules/…` is a topic like any other.
 */
import { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { Aedes, Client, PublishPacket } from "aedes";
import type { Clock } from "../../protocol/bus.ts";
import { realClock } from "../clock.ts";
import { type Authority, certificateIdOf, createAuthority } from "./certificates.ts";
import { Connection, type ConnectionHost } from "./connection.ts";
import type { EndpointEvent } from "./events.ts";
import { type LimitSwitches, limitsRule, remainingLengthMax } from "./limits.ts";
import { closeServer, listen, requirePort } from "./listen.ts";
import type { Policy } from "./policy.ts";
import { type CertificateRegistration, CertificateRegistry } from "./registry.ts";
import { firstObjection, type Objection, reservedTopicsRule } from "./rules.ts";

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
  /** Which limits hold; default all. */
  readonly limits?: LimitSwitches;
  /** Default the ARNs of account 000000000000 in ap-northeast-1. */
  readonly region?: string;
  readonly account?: string;
  /** Measures the keep alive and the wait for a CONNECT; default the wall's. */
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
  const endpoint = new Endpoint(broker, authority, host, options);
  try {
    await endpoint.listen(port, () =>
      createServer({
        ca: authority.certificate,
        cert: certificate,
        key: privateKey,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: "TLSv1.2",
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        // What AWS wants to hear on port 443; who says nothing is served as well.
        ALPNProtocols: ["x-amzn-mqtt-ca", "mqtt"],
      }),
    );
  } catch (error) {
    await endpoint.close();
    throw error;
  }
  return endpoint;
}

class Endpoint implements AwsIotEndpoint {
  readonly host: string;
  readonly authority: Authority;
  readonly arnPrefix: string;
  readonly #broker: Aedes;
  readonly #registry: CertificateRegistry;
  readonly #connectionHost: ConnectionHost;
  readonly #listeners = new Set<(event: EndpointEvent) => void>();
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Set<Connection>();
  readonly #byClientId = new Map<string, Connection>();
  readonly #byClient = new WeakMap<Client, Connection>();
  #servers: readonly Server[] = [];
  #port = 0;
  #closing: Promise<void> | undefined;

  constructor(broker: Aedes, authority: Authority, host: string, options: AwsIotEndpointOptions) {
    const { region = REGION, account = ACCOUNT, limits = {}, policies = [], clock = realClock } = options;
    this.host = host;
    this.authority = authority;
    this.arnPrefix = `arn:aws:iot:${region}:${account}:`;
    this.#broker = broker;
    this.#registry = new CertificateRegistry({
      authority: new X509Certificate(authority.certificate),
      arnPrefix: this.arnPrefix,
      defaultPolicies: policies,
    });
    this.#connectionHost = {
      clock,
      // Sizes come before permissions: what is too large is not looked at any further.
      rules: [limitsRule(limits), reservedTopicsRule, this.#registry.rule],
      remainingLengthMax: remainingLengthMax(limits),
      handle: (inner, connection) => {
        const client = broker.handle(inner);
        this.#byClient.set(client, connection);
        return client;
      },
      enter: (connection) => this.#enter(connection),
      leave: (connection) => this.#leave(connection),
      emit: (event) => this.#emit(event),
    };
    this.#wireBroker();
  }

  get port(): number {
    return this.#port;
  }

  async listen(port: number, create: () => Server): Promise<void> {
    const bound = await listen(this.host, port, () => this.#wireServer(create()));
    this.#servers = bound.servers;
    this.#port = bound.port;
  }

  registerCertificate(registration: CertificateRegistration): string {
    return this.#registry.register(registration);
  }

  attachPolicy(certificateId: string, policy: Policy): void {
    this.#registry.attach(certificateId, policy);
  }

  detachPolicy(certificateId: string, { name }: Pick<Policy, "name">): void {
    if (!this.#registry.detach(certificateId, name)) return;
    this.#endAll(certificateId, { reason: "policy-detached", message: `policy ${name} was detached` });
  }

  setActive(certificateId: string, active: boolean): void {
    this.#registry.setActive(certificateId, active);
    if (!active) {
      this.#endAll(certificateId, { reason: "inactive-certificate", message: "the certificate was made inactive" });
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
    const closed = this.#servers.map(closeServer);
    for (const connection of this.#connections) connection.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
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

  #wireBroker(): void {
    const broker = this.#broker;
    broker.authorizePublish = (client, packet, done) => {
      const connection = client ? this.#byClient.get(client) : undefined;
      const objection = connection ? this.#publishObjection(connection, packet) : undefined;
      done(connection && !objection ? null : new Error(objection?.message ?? "nobody's"));
    };
    broker.authorizeForward = (client, packet) => {
      const connection = this.#byClient.get(client);
      return connection && this.#registry.mayReceive(connection.session, packet.topic) ? packet : null;
    };
    broker.on("subscribe", (subscriptions, client) => {
      const clientId = this.#byClient.get(client)?.session.clientId;
      if (clientId === undefined) return;
      for (const { topic, qos } of subscriptions) this.#emit({ type: "subscribed", clientId, filter: topic, qos });
    });
  }

  /**
   * The broker asks before every publish. What the client sent has been judged on the wire already; its will has not,
   * and is published when the policies may have changed.
   */
  #publishObjection({ session }: Connection, packet: PublishPacket): Objection | undefined {
    const { topic, qos, retain } = packet;
    const bytes = Buffer.byteLength(packet.payload);
    const request = { topic, qos, retain, payloadBytes: bytes };
    const stateless = [reservedTopicsRule, this.#registry.rule];
    const objection = firstObjection(stateless, (rule) => rule.publish?.(request, session));
    if (!objection) this.#emit({ type: "published", clientId: session.clientId, topic, bytes, qos });
    return objection;
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

  #endAll(certificateId: string, why: Objection): void {
    for (const connection of this.#connections) {
      if (connection.session.certificateId === certificateId) connection.end(why);
    }
  }

  #emit(event: EndpointEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
