/**
 * What the broker sends to one client, on its way to the socket: held to AWS's limits, and subject to the faults. A
 * publish past the rate is lost at QoS 0; at QoS 1 it waits, in order, as one does while too many are unacknowledged.
 */
import type { FlowReason } from "./events.ts";
import { Timers } from "./timers.ts";
import type { ConnectionRates, Traffic } from "./traffic.ts";
import { type Packet, PacketSplitter, packetTypes, readPacketId, readPublish } from "./wire.ts";

export interface OutgoingOptions {
  readonly clientId: string;
  readonly traffic: Traffic;
  readonly rates: ConnectionRates;
  /** Calls `done` when the socket has taken the bytes. */
  readonly write: (bytes: Buffer, done: () => void) => void;
  /** A PUBACK goes out. */
  readonly onPuback: (packetId: number) => void;
}

/** QoS 1 publishes that wait for one connection; past it they are left to the session. */
const HELD_MAX = 1_000;

interface HeldPublish {
  readonly packet: Packet;
  readonly packetId: number;
}

export class Outgoing {
  readonly #options: OutgoingOptions;
  readonly #splitter = new PacketSplitter();
  readonly #held: HeldPublish[] = [];
  readonly #unacknowledged = new Set<number>();
  readonly #line: DelayLine;
  #cancelPump: (() => void) | undefined;
  #closed = false;

  constructor(options: OutgoingOptions) {
    this.#options = options;
    this.#line = new DelayLine(options);
  }

  /** Bytes of the broker's, split anywhere. `done` may be called at once. */
  push(chunk: Buffer, done: () => void): void {
    if (this.#closed) {
      done();
      return;
    }
    const { packets } = this.#splitter.push(chunk);
    const passing = packets.filter((packet) => this.#passes(packet)).map(({ bytes }) => bytes);
    this.#line.push(passing, done);
  }

  /** The client's PUBACK has come. */
  acknowledged(packetId: number): void {
    if (this.#unacknowledged.delete(packetId)) this.#pump();
  }

  close(): void {
    this.#closed = true;
    this.#cancelPump?.();
    this.#held.length = 0;
    this.#line.close();
  }

  #passes(packet: Packet): boolean {
    switch (packet.type) {
      case packetTypes.publish:
        return this.#passesPublish(packet);
      case packetTypes.puback: {
        const packetId = readPacketId(packet) ?? 0;
        const sent = !this.#options.traffic.faults.keepsPubackBack();
        if (sent) this.#options.onPuback(packetId);
        else this.#withheld("puback", packetId, "fault");
        return sent;
      }
      case packetTypes.suback: {
        const sent = !this.#options.traffic.faults.keepsSubackBack();
        if (!sent) this.#withheld("suback", readPacketId(packet) ?? 0, "fault");
        return sent;
      }
      default:
        return true;
    }
  }

  #passesPublish(packet: Packet): boolean {
    const request = readPublish(packet);
    // QoS 2 has other acknowledgements, and no limit of AWS's, which does not know it.
    if (!request || request.qos > 1) return true;
    const { packetId } = request;
    // At QoS 0 nothing is to be acknowledged, so that it waits behind nothing.
    const behind = packetId !== undefined && this.#held.length > 0;
    const reason = behind ? "unacknowledged" : this.#obstacle(packetId !== undefined);
    if (reason === undefined) {
      this.#count(packetId);
      return true;
    }
    if (packetId === undefined || this.#held.length >= HELD_MAX) {
      const { clientId, traffic } = this.#options;
      const { topic, qos, payloadBytes: bytes } = request;
      traffic.emit({ type: "discarded", clientId, direction: "out", topic, bytes, qos, reason });
      return false;
    }
    this.#held.push({ packet, packetId });
    this.#withheld("message", packetId, reason);
    this.#pump();
    return false;
  }

  #obstacle(acknowledged: boolean): FlowReason | undefined {
    const { limits, accountOut } = this.#options.traffic;
    if (acknowledged && this.#unacknowledged.size >= limits.max("unacknowledged")) return "unacknowledged";
    if (this.#options.rates.publishes.msUntilOne() > 0) return "publish-rate";
    return accountOut.msUntilOne() > 0 ? "account-rate" : undefined;
  }

  #count(packetId: number | undefined): void {
    this.#options.rates.publishes.tryTake();
    this.#options.traffic.accountOut.tryTake();
    if (packetId !== undefined) this.#unacknowledged.add(packetId);
  }

  /** Sends what waits, as far as the limits let it; the rest when they will. */
  #pump(): void {
    this.#cancelPump?.();
    this.#cancelPump = undefined;
    for (let next = this.#held[0]; next && !this.#closed; next = this.#held[0]) {
      const reason = this.#obstacle(true);
      // The next PUBACK comes by here again.
      if (reason === "unacknowledged") return;
      if (reason !== undefined) {
        const { traffic, rates } = this.#options;
        const wait = Math.max(rates.publishes.msUntilOne(), traffic.accountOut.msUntilOne());
        this.#cancelPump = traffic.clock.after(wait, () => this.#pump());
        return;
      }
      this.#held.shift();
      this.#count(next.packetId);
      this.#line.push([next.packet.bytes], () => undefined);
    }
  }

  #withheld(what: "message" | "puback" | "suback", packetId: number, reason: FlowReason): void {
    const { clientId, traffic } = this.#options;
    traffic.emit({ type: "withheld", clientId, what, packetId, reason });
  }
}

/** Bytes in order, each as much later as throughput and faults make it. */
class DelayLine {
  readonly #options: OutgoingOptions;
  readonly #waiting: { readonly due: number; readonly bytes: Buffer }[] = [];
  readonly #timers: Timers;
  /** To be told when there is room again; who waits is told at the end too. */
  readonly #roomless = new Set<() => void>();

  constructor(options: OutgoingOptions) {
    this.#options = options;
    this.#timers = new Timers(options.traffic.clock);
  }

  push(pieces: readonly Buffer[], done: () => void): void {
    const [first] = pieces;
    if (first === undefined) {
      done();
      return;
    }
    const bytes = pieces.length === 1 ? first : Buffer.concat(pieces);
    const { traffic, rates, clientId, write } = this.#options;
    const slow = rates.throughput.take(bytes.length, clientId);
    const wait = slow + traffic.faults.delay;
    if (wait === 0 && this.#waiting.length === 0) {
      write(bytes, done);
      return;
    }
    // What is due sooner than what came before it waits for that.
    this.#waiting.push({ due: traffic.clock.now() + wait, bytes });
    this.#timers.after(wait, () => this.#flush());
    // A delay is no lack of room; a low throughput is, and the broker is to feel it.
    if (slow === 0) done();
    else {
      this.#roomless.add(done);
      this.#timers.after(slow, () => {
        this.#roomless.delete(done);
        done();
      });
    }
  }

  close(): void {
    this.#timers.cancelAll();
    for (const done of this.#roomless) done();
    this.#roomless.clear();
    this.#waiting.length = 0;
  }

  #flush(): void {
    const now = this.#options.traffic.clock.now();
    for (let next = this.#waiting[0]; next && next.due <= now; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#options.write(next.bytes, () => undefined);
    }
  }
}
