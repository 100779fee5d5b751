/**
 * One client's connection: between its TLS socket and the broker stand the rules.
 *
 *     TLS socket ──bytes──▶ packets ──rules──▶ inner ──▶ aedes
 *         ▲                                      │
 *         └──────────────── bytes ───────────────┘
 *
 * The broker sees only what no rule objects to, and nothing at all of a connection whose CONNECT is refused: so AWS's
 * silence is kept to the byte, and the broker needs to know nothing of AWS.
 */
import { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Client } from "aedes";
import type { Clock } from "../../protocol/bus.ts";
import type { EndpointEvent } from "./events.ts";
import { firstObjection, type Objection, type Rule, type Session } from "./rules.ts";
import {
  type ConnectRequest,
  type Packet,
  PacketSplitter,
  packetTypes,
  readConnect,
  readPublish,
  readSubscribe,
  withKeepAlive,
} from "./wire.ts";

/** What a connection needs of its endpoint. */
export interface ConnectionHost {
  readonly clock: Clock;
  readonly rules: readonly Rule[];
  /** Remaining length beyond which a packet is refused unread; nothing for MQTT's own bound. */
  readonly remainingLengthMax: number | undefined;
  /** Hands the broker its side of the connection. */
  handle(inner: Duplex, connection: Connection): Client;
  /** Enters it under its client id, and throws an earlier one out: then a promise until that one is gone. */
  enter(connection: Connection): Promise<void> | undefined;
  leave(connection: Connection): void;
  emit(event: EndpointEvent): void;
}

/** How long a client may take for its CONNECT. */
const CONNECT_TIMEOUT_MS = 30_000;
/** How long a client may take to close its side after we closed ours, so that it reads our end and not a reset. */
const LINGER_MS = 2_000;
/** What AWS makes of other keep-alive periods, in seconds. 0, which asks for none, gets the longest. */
const KEEP_ALIVE_MIN = 30;
const KEEP_ALIVE_MAX = 1_200;

const MALFORMED: Objection = { reason: "protocol", message: "what came is not MQTT 3.1.1" };

export class Connection {
  /** Resolves when the broker is done with it. */
  readonly released: Promise<void>;
  readonly #socket: TLSSocket;
  readonly #host: ConnectionHost;
  readonly #splitter: PacketSplitter;
  readonly #inner: Duplex;
  readonly #cancellations = new Set<() => void>();
  readonly #resolveReleased: () => void;
  /** What is for the broker while an earlier connection of the same client id is not gone; null is the end. */
  #held: (Buffer | null)[] | undefined;
  #client: Client | undefined;
  #phase: "new" | "open" | "over" = "new";
  #session: Session;
  #lastHeard = 0;
  #lost: Error | undefined;

  /** @param certificateId of the certificate that the handshake was made with */
  constructor(socket: TLSSocket, certificateId: string, host: ConnectionHost) {
    this.#socket = socket;
    this.#host = host;
    this.#session = { certificateId, clientId: "" };
    this.#splitter = new PacketSplitter(host.remainingLengthMax);
    const { promise, resolve } = deferred();
    this.released = promise;
    this.#resolveReleased = resolve;
    this.#inner = this.#createInner();
    this.#later(CONNECT_TIMEOUT_MS, () => this.end({ reason: "no-connect", message: "no CONNECT in time" }));
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
    this.#cancelAll();
    const { clientId, certificateId } = this.#session;
    if (phase === "open") {
      this.#host.leave(this);
      this.#host.emit({ type: "disconnected", clientId, reason, message });
    } else if (reason !== "connection-lost" && reason !== "closing") {
      // One that comes and goes without asking for anything, as a port check does, is not refused anything.
      this.#host.emit({ type: "refused", reason, message, certificateId, ...(clientId !== "" && { clientId }) });
    }
    this.#endBroker();
    this.#socket.end();
    this.#socket.resume();
    this.#later(LINGER_MS, () => this.destroy());
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
      read: () => {
        if (!this.#held) this.#socket.resume();
      },
      write: (chunk: Buffer, _encoding, done) => {
        if (this.#phase === "over") done();
        else this.#socket.write(chunk, () => done());
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
    this.#lastHeard = this.#host.clock.now();
    if (this.#phase === "new") {
      this.#takeConnect(packet);
      return;
    }
    switch (packet.type) {
      case packetTypes.connect:
        this.end({ reason: "protocol", message: "a second CONNECT on one connection" });
        break;
      case packetTypes.publish:
        this.#judge(packet, readPublish(packet), (rule, request) => rule.publish?.(request, this.#session));
        break;
      case packetTypes.subscribe:
        this.#judge(packet, readSubscribe(packet), (rule, request) => rule.subscribe?.(request, this.#session));
        break;
      case packetTypes.disconnect:
        this.#forward(packet.bytes);
        this.end({ reason: "client", message: "it sent DISCONNECT" });
        break;
      default:
        this.#forward(packet.bytes);
    }
  }

  #judge<T>(packet: Packet, request: T | undefined, ask: (rule: Rule, request: T) => Objection | undefined): void {
    const objection = request ? firstObjection(this.#host.rules, (rule) => ask(rule, request)) : MALFORMED;
    if (objection) this.end(objection);
    else this.#forward(packet.bytes);
  }

  #takeConnect(packet: Packet): void {
    const request = packet.type === packetTypes.connect ? readConnect(packet) : undefined;
    if (request) this.#session = { ...this.#session, clientId: request.clientId };
    const objection = request ? this.#connectObjection(request) : MALFORMED;
    if (!request || objection) {
      this.end(objection ?? MALFORMED);
      return;
    }
    this.#phase = "open";
    this.#cancelAll();
    this.#watch(Math.min(Math.max(request.keepAlive || KEEP_ALIVE_MAX, KEEP_ALIVE_MIN), KEEP_ALIVE_MAX));
    const gone = this.#host.enter(this);
    this.#host.emit({ type: "connected", ...this.#session });
    this.#client = this.#host.handle(this.#inner, this);
    if (gone !== undefined) this.#hold(gone);
    // The keep alive is watched here, by the endpoint's clock.
    this.#forward(withKeepAlive(packet, 0));
  }

  #connectObjection(request: ConnectRequest): Objection | undefined {
    const { protocolLevel, clientId } = request;
    if (protocolLevel !== 4) {
      const message = `protocol level ${protocolLevel}; only MQTT 3.1.1 (level 4) is emulated`;
      return { reason: "unsupported-protocol", message };
    }
    if (clientId === "") return { reason: "client-id", message: "a CONNECT without a client id" };
    return firstObjection(this.#host.rules, (rule) => rule.connect?.(request, this.#session));
  }

  #hold(gone: Promise<void>): void {
    this.#held = [];
    this.#socket.pause();
    void gone.then(() => {
      const held = this.#held ?? [];
      this.#held = undefined;
      for (const bytes of held) this.#forward(bytes);
      this.#socket.resume();
    });
  }

  #forward(bytes: Buffer | null): void {
    if (this.#held) this.#held.push(bytes);
    else if (!this.#inner.destroyed && !this.#inner.push(bytes) && !this.#isOver()) this.#socket.pause();
  }

  #watch(keepAlive: number): void {
    const { clock } = this.#host;
    const patience = keepAlive * 1_500;
    const check = () => {
      const silence = clock.now() - this.#lastHeard;
      if (silence < patience) this.#later(patience - silence, check);
      else
        this.end({
          reason: "keep-alive",
          message: `nothing for ${silence / 1_000} s; the limit is ${patience / 1_000} s`,
        });
    };
    this.#later(patience, check);
  }

  #settle(): void {
    if (this.#socket.destroyed && (!this.#client || this.#inner.destroyed)) this.#cancelAll();
    if (!this.#client || this.#inner.destroyed) this.#resolveReleased();
  }

  #later(ms: number, run: () => void): void {
    const cancel = this.#host.clock.after(ms, () => {
      this.#cancellations.delete(cancel);
      run();
    });
    this.#cancellations.add(cancel);
  }

  #cancelAll(): void {
    for (const cancel of this.#cancellations) cancel();
    this.#cancellations.clear();
  }
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
