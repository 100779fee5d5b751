import { describe, expect, it } from "vitest";
import {
  type Packet,
  PacketSplitter,
  readConnect,
  readPublish,
  readSubscribe,
  withKeepAlive,
} from "../../../emulator/aws-iot/wire.ts";
import { CONNECT_A, hex } from "./support.ts";

const PUBLISH = hex("32 0a 0003 612f62 0007 686579"); // QoS 1, a/b, packet id 7, "hey"
const PINGREQ = hex("c0 00");

const show = (packets: readonly Packet[]) =>
  packets.map(({ type, flags, bytes }) => [type, flags, bytes.toString("hex")]);

function only(bytes: Buffer): Packet {
  const { packets, fault } = new PacketSplitter().push(bytes);
  expect(fault).toBeUndefined();
  const [packet, ...others] = packets;
  if (!packet || others.length > 0) throw new Error("not one packet");
  return packet;
}

describe("where packets end", () => {
  const stream = Buffer.concat([CONNECT_A, PUBLISH, PINGREQ, PUBLISH]);
  const expected = [
    [1, 0, "100d00044d5154540402003c000161"],
    [3, 2, "320a0003612f620007686579"],
    [12, 0, "c000"],
    [3, 2, "320a0003612f620007686579"],
  ];

  it("finds them in one chunk", () => {
    expect(show(new PacketSplitter().push(stream).packets)).toEqual(expected);
  });

  it.each([1, 2, 3, 7, 16])("finds them in chunks of %d bytes", (size) => {
    const splitter = new PacketSplitter();
    const found: Packet[] = [];
    for (let at = 0; at < stream.length; at += size)
      found.push(...splitter.push(stream.subarray(at, at + size)).packets);
    expect(show(found)).toEqual(expected);
  });

  it("reads lengths of up to four digits", () => {
    const splitter = new PacketSplitter();
    expect(splitter.push(hex("30 80 80 01")).packets).toEqual([]);
    const { packets } = splitter.push(Buffer.concat([Buffer.alloc(16_384), PINGREQ]));
    expect(packets.map(({ body }) => body.length)).toEqual([16_384, 0]);
    expect(new PacketSplitter().push(hex("30 ff ff ff 7f")).fault).toBeUndefined();
  });

  it("calls a fifth digit malformed, after the packets before it", () => {
    const { packets, fault } = new PacketSplitter().push(Buffer.concat([PINGREQ, hex("30 80 80 80 80")]));
    expect(show(packets)).toEqual([[12, 0, "c000"]]);
    expect(fault).toBe("malformed");
  });

  it("does not wait for a packet that is too large", () => {
    expect(new PacketSplitter(128).push(hex("30 80 01")).fault).toBeUndefined();
    expect(new PacketSplitter(128).push(hex("30 81 01")).fault).toBe("too-large");
  });
});

describe("what packets ask for", () => {
  it("reads a CONNECT", () => {
    expect(readConnect(only(CONNECT_A))).toEqual({ protocolLevel: 4, clientId: "a", keepAlive: 60, will: undefined });
  });

  it("reads a will", () => {
    const connect = hex("10 18 0004 4d515454 04 2e 0000 0001 61 0003 772f78 0004 01020304");
    expect(readConnect(only(connect))).toEqual({
      protocolLevel: 4,
      clientId: "a",
      keepAlive: 0,
      will: { topic: "w/x", qos: 1, retain: true, payloadBytes: 4 },
    });
  });

  it("reads no more than the level of MQTT 5", () => {
    const connect = hex("10 0e 0004 4d515454 05 02 003c 00 0001 61");
    expect(readConnect(only(connect))?.protocolLevel).toBe(5);
  });

  it("replaces the keep alive and nothing else", () => {
    expect(withKeepAlive(only(CONNECT_A), 0x1234).toString("hex")).toBe("100d00044d51545404021234000161");
    expect(CONNECT_A.toString("hex")).toBe("100d00044d5154540402003c000161");
  });

  it("reads a PUBLISH, the payload without a packet id at QoS 0", () => {
    expect(readPublish(only(PUBLISH))).toEqual({ packetId: 7, topic: "a/b", qos: 1, retain: false, payloadBytes: 3 });
    const retained = hex("31 08 0003 612f62 686579");
    expect(readPublish(only(retained))).toEqual({ topic: "a/b", qos: 0, retain: true, payloadBytes: 3 });
  });

  it("reads a SUBSCRIBE", () => {
    const subscribe = hex("82 0c 0001 0003 612f23 01 0001 62 00");
    expect(readSubscribe(only(subscribe))).toEqual({
      filters: [
        { filter: "a/#", qos: 1 },
        { filter: "b", qos: 0 },
      ],
    });
  });

  it.each([
    ["a CONNECT that ends in its client id", readConnect, "10 0c 0004 4d515454 04 02 003c 0001"],
    ["a PUBLISH without its packet id", readPublish, "32 05 0003 612f62"],
    ["a topic that is not UTF-8", readPublish, "30 04 0002 61ff"],
    ["a topic with a NUL", readPublish, "30 04 0002 6100"],
    ["a SUBSCRIBE without a QoS", readSubscribe, "82 05 0001 0001 61"],
  ])("reads nothing from %s", (_what, read, bytes) => {
    expect(read(only(hex(bytes)))).toBeUndefined();
  });
});
