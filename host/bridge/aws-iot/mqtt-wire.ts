/**
 * As much of MQTT 3.1.1 as a check of permissions says, by hand: a client library would acknowledge what a persistent
 * session still holds for the bridge, and so take it away. The sections are those of the OASIS standard.
 */

export const answers = { connack: 2, puback: 4, suback: 9 } as const;

export interface Answer {
  /** The packet's type, §2.2.1. */
  readonly type: number;
  readonly body: Buffer;
}

/** §3.1. @param keepAliveS seconds */
export function connectPacket(clientId: string, clean: boolean, keepAliveS: number): Buffer {
  const header = Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4, clean ? 2 : 0]);
  return packet(0x10, header, word(keepAliveS), text(clientId));
}

/** §3.8, of one topic. */
export function subscribePacket(packetId: number, topic: string, qos: number): Buffer {
  return packet(0x82, word(packetId), text(topic), Buffer.from([qos]));
}

/** §3.3, at QoS 1. */
export function publishPacket(packetId: number, topic: string, payload: string): Buffer {
  return packet(0x32, text(topic), word(packetId), Buffer.from(payload));
}

/** §3.14 */
export const disconnectPacket = Buffer.from([0xe0, 0]);

/** Whole packets at the beginning of the bytes, and what is left. Nothing for bytes that are no MQTT. */
export function readAnswers(bytes: Buffer): { readonly packets: readonly Answer[]; readonly rest: Buffer } | undefined {
  const packets: Answer[] = [];
  let rest = bytes;
  for (;;) {
    const length = remainingLength(rest);
    if (length === "malformed") return undefined;
    if (length === "short" || rest.length < length.from + length.bytes) return { packets, rest };
    const end = length.from + length.bytes;
    packets.push({ type: rest.readUInt8(0) >> 4, body: rest.subarray(length.from, end) });
    rest = rest.subarray(end);
  }
}

/** §2.2.3: one to four digits of seven bits. */
function remainingLength(bytes: Buffer): { readonly from: number; readonly bytes: number } | "short" | "malformed" {
  let value = 0;
  for (let digit = 0; digit < 4; digit++) {
    const byte = bytes[1 + digit];
    if (byte === undefined) return "short";
    value += (byte & 0x7f) * 128 ** digit;
    if (byte < 0x80) return { from: 2 + digit, bytes: value };
  }
  return "malformed";
}

function packet(first: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const digits: number[] = [];
  for (let left = body.length; digits.length === 0 || left > 0; left = Math.floor(left / 128)) {
    digits.push((left % 128) + (left >= 128 ? 128 : 0));
  }
  return Buffer.concat([Buffer.from([first, ...digits]), body]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([word(bytes.length), bytes]);
}
