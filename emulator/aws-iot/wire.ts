/**
 * MQTT 3.1.1 as far as AWS's rules look into it: where a packet ends, and what CONNECT, PUBLISH and SUBSCRIBE ask
 * for. The broker behind reads the packets for itself; the section numbers are those of the OASIS standard.
 */
import { isUtf8 } from "node:buffer";

/** §2.2.1 */
export const packetTypes = { connect: 1, publish: 3, puback: 4, subscribe: 8, suback: 9, disconnect: 14 } as const;

/** The largest remaining length that four digits hold (§2.2.3). */
const REMAINING_LENGTH_MAX = 268_435_455;

/** One whole control packet. */
export interface Packet {
  /** 0–15, §2.2.1. */
  readonly type: number;
  /** The lower four bits of the first byte, §2.2.2. */
  readonly flags: number;
  /** The whole packet as it was received. */
  readonly bytes: Buffer;
  /** What follows the fixed header. */
  readonly body: Buffer;
}

export interface ConnectRequest {
  /** 4 is MQTT 3.1.1, 3 is 3.1, 5 is 5.0. */
  readonly protocolLevel: number;
  readonly clientId: string;
  /** Seconds; 0 asks for none. */
  readonly keepAlive: number;
  /** What to publish when the connection ends without a DISCONNECT. */
  readonly will: PublishRequest | undefined;
}

export interface PublishRequest {
  readonly topic: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly payloadBytes: number;
  /** What its PUBACK names; a will, and QoS 0, have none. */
  readonly packetId?: number;
}

export interface SubscribeRequest {
  readonly filters: readonly { readonly filter: string; readonly qos: number }[];
}

/** Why a stream of bytes is no MQTT, or more of it than is taken. After one, the stream cannot be read on. */
type StreamFault = "malformed" | "too-large";

/** Cuts a byte stream into packets, however it arrives. */
export class PacketSplitter {
  readonly #maxRemaining: number;
  #chunks: Buffer[] = [];
  #length = 0;
  #wanted = 2;

  /** @param maxRemaining a packet with a longer remaining length (§2.2.3) is `too-large`, without waiting for it */
  constructor(maxRemaining: number = REMAINING_LENGTH_MAX) {
    this.#maxRemaining = maxRemaining;
  }

  /** The packets that these bytes complete, in order, and the fault that comes after them, if any. */
  push(chunk: Buffer): { readonly packets: readonly Packet[]; readonly fault: StreamFault | undefined } {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const packets: Packet[] = [];
    if (this.#length < this.#wanted) return { packets, fault: undefined };
    let rest = Buffer.concat(this.#chunks);
    let fault: StreamFault | undefined;
    for (;;) {
      const header = readHeader(rest);
      if (header === "short") {
        this.#wanted = rest.length + 1;
        break;
      }
      if (header === "malformed" || header.remaining > this.#maxRemaining) {
        fault = header === "malformed" ? "malformed" : "too-large";
        break;
      }
      const end = header.length + header.remaining;
      if (rest.length < end) {
        this.#wanted = end;
        break;
      }
      const first = rest.readUInt8(0);
      packets.push({
        type: first >> 4,
        flags: first & 0x0f,
        bytes: rest.subarray(0, end),
        body: rest.subarray(header.length, end),
      });
      rest = rest.subarray(end);
    }
    this.#chunks = [rest];
    this.#length = rest.length;
    return { packets, fault };
  }
}

/** The fixed header (§2.2): a byte, then the remaining length in one to four digits of seven bits. */
function readHeader(bytes: Buffer): "short" | "malformed" | { readonly length: number; readonly remaining: number } {
  let remaining = 0;
  for (let digit = 0; digit < 4; digit++) {
    const byte = bytes[1 + digit];
    if (byte === undefined) return "short";
    remaining += (byte & 0x7f) * 128 ** digit;
    if (byte < 0x80) return { length: 2 + digit, remaining };
  }
  return "malformed";
}

/** §3.1; nothing when the packet does not hold what it must. */
export function readConnect({ body }: Packet): ConnectRequest | undefined {
  return reading(body, (reader) => {
    reader.text();
    const protocolLevel = reader.byte();
    const flags = reader.byte();
    const keepAlive = reader.word();
    // MQTT 5 puts properties here, which nobody needs to read: it is refused by its level.
    if (protocolLevel > 4) return { protocolLevel, clientId: "", keepAlive, will: undefined };
    const clientId = reader.text();
    if ((flags & 0x04) === 0) return { protocolLevel, clientId, keepAlive, will: undefined };
    const topic = reader.text();
    const payloadBytes = reader.skip(reader.word());
    const will = { topic, qos: (flags >> 3) & 0x03, retain: (flags & 0x20) !== 0, payloadBytes };
    return { protocolLevel, clientId, keepAlive, will };
  });
}

/** The bytes of a CONNECT that {@link readConnect} could read, its keep alive replaced (§3.1.2.10). */
export function withKeepAlive({ bytes, body }: Packet, seconds: number): Buffer {
  const patched = Buffer.from(bytes);
  const protocolNameBytes = 2 + body.readUInt16BE(0);
  patched.writeUInt16BE(seconds, bytes.length - body.length + protocolNameBytes + 2);
  return patched;
}

/** §3.3; nothing when the packet does not hold what it must. */
export function readPublish({ body, flags }: Packet): PublishRequest | undefined {
  return reading(body, (reader) => {
    const topic = reader.text();
    const qos = (flags >> 1) & 0x03;
    const packetId = qos > 0 ? reader.word() : undefined;
    const retain = (flags & 0x01) === 1;
    return { topic, qos, retain, payloadBytes: reader.left(), ...(packetId !== undefined && { packetId }) };
  });
}

/** What a PUBACK or SUBACK answers to (§3.4, §3.9); nothing when it does not say. */
export function readPacketId({ body }: Packet): number | undefined {
  return reading(body, (reader) => reader.word());
}

/** §3.8; nothing when the packet does not hold what it must. */
export function readSubscribe({ body }: Packet): SubscribeRequest | undefined {
  return reading(body, (reader) => {
    reader.word();
    const filters: { filter: string; qos: number }[] = [];
    while (reader.left() > 0) filters.push({ filter: reader.text(), qos: reader.byte() & 0x03 });
    return { filters };
  });
}

/** Reads fields one after the other. Past the end, or at text that is no UTF-8, it fails, and reads zeros from there. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  failed = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    return this.#take(1)?.readUInt8(0) ?? 0;
  }

  word(): number {
    return this.#take(2)?.readUInt16BE(0) ?? 0;
  }

  /** §1.5.3: a length, then UTF-8 without U+0000. */
  text(): string {
    const bytes = this.#take(this.word());
    if (!bytes || !isUtf8(bytes) || bytes.includes(0)) return this.#fail("");
    return bytes.toString("utf8");
  }

  /** Passes over bytes. @returns how many */
  skip(count: number): number {
    return this.#take(count)?.length ?? 0;
  }

  #take(count: number): Buffer | undefined {
    if (this.left() < count) return this.#fail(undefined);
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  #fail<T>(value: T): T {
    this.failed = true;
    this.#at = this.#bytes.length;
    return value;
  }
}

function reading<T>(bytes: Buffer, read: (reader: Reader) => T): T | undefined {
  const reader = new Reader(bytes);
  const value = read(reader);
  return reader.failed ? undefined : value;
}
