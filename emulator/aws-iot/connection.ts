/**
 * One client's connection: between its TLS socket and the broker stand the rules.
 *
 *     TLS socket ──bytes──▶ packets ──rules──▶ Incoming ──▶ inner ──▶ aedes
 *         ▲                                                   │
 *         └──────────────────── Outgoing ◀── bytes ───────────┘
 *
 * The broker sees only what no rule objects to, and nothing at all of a connection whose CONNECT is refused: so AWS's
 * silence is kept to the byte, and the broker needs to know nothing of AWS.
 */
import { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Client } from "aedes";
import { KeepAlive } from "./keep-alive.ts";
import { Outgoing } from "./outgoing.ts";
import { firstObjection, type Objection, type Rule, type Session } from "./rules.ts";
import { Timers } from "./timers.ts";
import { type ConnectionRates, createRates, Incoming, type Traffic } from "./traffic.ts";
import {
  type Packet,
  PacketSplitter,
  type PublishRequest,
  packetTypes,
  readConnect,
  readPacketId,
  readPublish,
  readSubscribe,
  withKeepAlive,
} from "./wire.ts";

/** What a connection needs of its endpoint. */
export interface ConnectionHost {
  readonly traffic: Traffic;
  readonly rules: readonly Rule[];
  /** Remaining length beyond which a packet is refused unread; nothing for MQTT's own bound. */
  readonly remainingLengthMax: () => number | undefined;
  /** Hands the broker its side of the connection. */
  handle(inner: Duplex, connection: Connection): Client;
  /** Enters it under its client id, and throws an earlier one out: then a promise until that one is gone. */
  enter(connection: Connection): Promise<void> | undefined;
  leave(connection: Connection): void;
}

/** How long a client may take for its CONNECT. */
const CONNECT_TIMEOUT_MS = 30_000;
/** How long a client may take to close its side after we closed ours, so that it reads our end and not a reset. */
const LINGER_MS = 2_000;
/** An earlier connection of the same client id is not gone; the throughput is used up; the broker has no room. */
type Pause = "held" | "throughput" | "full";

const MALFORMED: Objection = { reason: "protocol", message: "what came is not MQTT 3.1.1" };

export class Connection {
  /** Resolves when the broker is done with it. */
  readonly released: Promise<void>;
  readonly #socket: TLSSocket;
  readonly #host: ConnectionHost;
  readonly #splitter: PacketSplitter;
  readonly #inner: Duplex;
  readonly #rates: ConnectionRates;
  readonly #incoming: Incoming;
  readonly #timers: Timers;
  readonly #keepAlive: KeepAlive;
  /** Why the socket is not read: it is read when there is no reason left. */
  readonly #pauses = new Set<Pause>();
  /** What is for the broker while an earlier connection of the same client id is not gone; null is the end. */
  #held: (Buffer | null)[] | undefined;
  #resolveReleased = (): void => undefined;
  #client: Client | undefined;
  #outgoing: Outgoing | undefined;
  #phase: "new" | "open" | "over" = "new";
  #session: Session;
  #lost: Error | undefined;

  /** @param certificateId of the certificate that the handshake was made with */
  constructor(socket: TLSSocket, certificateId: string, host: ConnectionHost) {
    this.#socket = socket;
    this.#host = host;
    this.#session = { certificateId, clientId: "" };
    this.#splitter = new PacketSplitter(host.remainingLengthMax());
    this.#timers = new Timers(host.traffic.clock);
    this.#keepAlive = new KeepAlive(host.traffic.clock);
    this.#rates = createRates(host.traffic);
    this.#incoming = new Incoming(host.traffic, this.#rates);
    this.released = new Promise((resolve) => {
      this.#resolveReleased = resolve;
    });
    this.#inner = this.#createInner();
    this.#timers.after(CONNECT_TIMEOUT_MS, () => this.end({ reason: "no-connect", message: "no CONNECT in time" }));
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("error", (error) => {
      this.#lost = error;
    });
    socket.on("end", () => this.#onLost());
    socket.on("close", () => {
      this.#onLost();
      this.#settle();
    });
  }

  /** Who it is; the client id is empty before a CONNECT. */
  get session(): Session {
    return this.#session;
  }

  /** Ends it, once: tells the owner why, and the client nothing. */
  end({ reason, message }: Objection): void {
    const phase = this.#phase;
    if (phase === "over") return;
    this.#phase = "over";
    this.#timers.cancelAll();
    this.#outgoing?.close();
    const { clientId, certificateId } = this.#session;
    if (phase === "open") {
      this.#host.leave(this);
      this.#host.traffic.emit({ type: "disconnected", clientId, reason, message });
    } else if (reason !== "connection-lost" && reason !== "closing") {
      // One that comes and goes without asking for anything, as a port check does, is not refused anything.
      this.#host.traffic.emit({
        type: "refused",
        reason,
        message,
        certificateId,
        ...(clientId !== "" && { clientId }),
      });
    }
    this.#endBroker();
    this.#socket.end();
    this.#socket.resume();
    this.#timers.after(LINGER_MS, () => this.destroy());
  }

  /** Lets go of everything at once. */
  destroy(): void {
    this.end({ reason: "closing", message: "the endpoint was closed" });
    this.#socket.destroy();
    this.#client?.close();
    this.#settle();
  }

  /** What the client sent before its end is still carried out: the broker sees the end after it. */
  #endBroker(): void {
    const client = this.#client;
    if (client?.connected) this.#forward(null);
    // Until its CONNECT is through, the broker puts packets by, and would forget them at an end.
    else client?.on("connected", () => this.#forward(null));
  }

  #createInner(): Duplex {
    return new Duplex({
      read: () => this.#goOn("full"),
      write: (chunk: Buffer, _encoding, done) => {
        if (this.#phase === "over" || !this.#outgoing) done();
        else this.#outgoing.push(chunk, () => done());
      },
      destroy: (error, done) => {
        // The broker's own objections: a packet that MQTT forbids, or a client that does not read.
        this.end(error ? { reason: "protocol", message: `the broker gave up: ${error.message}` } : MALFORMED);
        this.#settle();
        done(null);
      },
    });
  }

  #onData(chunk: Buffer): void {
    if (this.#phase === "over") return;
    const { packets, fault } = this.#splitter.push(chunk);
    for (const packet of packets) {
      this.#take(packet);
      if (this.#isOver()) return;
    }
    if (fault === "malformed") this.end(MALFORMED);
    if (fault === "too-large") this.end({ reason: "payload-too-large", message: "a packet beyond all limits" });
    this.#holdToThroughput(chunk.length);
  }

  #holdToThroughput(bytes: number): void {
    if (this.#isOver()) return;
    const ms = this.#rates.throughput.take(bytes, this.#session.clientId);
    if (ms === 0) return;
    this.#pause("throughput");
    this.#timers.after(ms, () => this.#goOn("throughput"));
  }

  #pause(why: Pause): void {
    this.#pauses.add(why);
    this.#socket.pause();
  }

  #goOn(why: Pause): void {
    this.#pauses.delete(why);
    if (this.#pauses.size === 0) this.#socket.resume();
  }

  /** After the socket's end: what it was is known from what came before. */
  #onLost(): void {
    const why = this.#lost ? `: ${this.#lost.message}` : "";
    this.end({ reason: "connection-lost", message: `it went without a DISCONNECT${why}` });
  }

  #isOver(): boolean {
    return this.#phase === "over";
  }

  #take(packet: Packet): void {
    this.#keepAlive.heard();
    if (this.#phase === "new") {
      this.#takeConnect(packet);
      return;
    }
    switch (packet.type) {
      case packetTypes.connect:
        this.end({ reason: "protocol", message: "a second CONNECT on one connection" });
        break;
      case packetTypes.publish:
        this.#takePublish(packet, readPublish(packet));
        break;
      case packetTypes.puback:
        this.#outgoing?.acknowledged(readPacketId(packet) ?? 0);
        this.#forward(packet.bytes);
        break;
      case packetTypes.subscribe:
        if (this.#allowed(readSubscribe(packet), (rule, request) => rule.subscribe?.(request, this.#session))) {
          this.#forward(packet.bytes);
        }
        break;
      case packetTypes.disconnect:
        this.#forward(packet.bytes);
        this.end({ reason: "client", message: "it sent DISCONNECT" });
        break;
      default:
        this.#forward(packet.bytes);
    }
  }

  /** Ends the connection where some rule objects. */
  #allowed<T>(request: T | undefined, ask: (rule: Rule, request: T) => Objection | undefined): request is T {
    const objection = request ? firstObjection(this.#host.rules, (rule) => ask(rule, request)) : MALFORMED;
    if (objection) this.end(objection);
    return objection === undefined;
  }

  #takePublish({ bytes }: Packet, request: PublishRequest | undefined): void {
    if (!this.#allowed(request, (rule, asked) => rule.publish?.(asked, this.#session))) return;
    if (this.#incoming.take(request, this.#session)) this.#forward(bytes);
    const fault = this.#incoming.fault();
    if (fault) this.end(fault);
  }

  #takeConnect(packet: Packet): void {
    const request = packet.type === packetTypes.connect ? readConnect(packet) : undefined;
    if (request) this.#session = { ...this.#session, clientId: request.clientId };
    const objection = request
      ? firstObjection(this.#host.rules, (rule) => rule.connect?.(request, this.#session))
      : MALFORMED;
    if (!request || objection) {
      this.end(objection ?? MALFORMED);
      return;
    }
    this.#phase = "open";
    this.#timers.cancelAll();
    this.#outgoing = this.#createOutgoing();
    this.#keepAlive.watch(request.keepAlive, this.#timers, (why) => this.end(why));
    const gone = this.#host.enter(this);
    this.#host.traffic.emit({ type: "connected", ...this.#session });
    this.#client = this.#host.handle(this.#inner, this);
    if (gone !== undefined) this.#hold(gone);
    // The keep alive is watched here, by the endpoint's clock.
    this.#forward(withKeepAlive(packet, 0));
  }

  #createOutgoing(): Outgoing {
    return new Outgoing({
      clientId: this.#session.clientId,
      traffic: this.#host.traffic,
      rates: this.#rates,
      write: (bytes, done) => {
        if (this.#isOver()) done();
        else this.#socket.write(bytes, done);
      },
      onPuback: (packetId) => this.#incoming.acknowledged(packetId),
    });
  }

  #hold(gone: Promise<void>): void {
    this.#held = [];
    this.#pause("held");
    void gone.then(() => {
      const held = this.#held ?? [];
      this.#held = undefined;
      for (const bytes of held) this.#forward(bytes);
      this.#goOn("held");
    });
  }

  #forward(bytes: Buffer | null): void {
    if (this.#held) this.#held.push(bytes);
    else if (!this.#inner.destroyed && !this.#inner.push(bytes) && !this.#isOver()) this.#pause("full");
  }

  #settle(): void {
    if (this.#socket.destroyed && (!this.#client || this.#inner.destroyed)) this.#timers.cancelAll();
    if (!this.#client || this.#inner.destroyed) this.#resolveReleased();
  }
}
