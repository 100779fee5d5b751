/** The limits that are measured in time or in open acknowledgements, aws-iot.md §3; all in virtual time. */
import type { MqttClient } from "mqtt";
import { describe, expect, it } from "vitest";
import type { AwsIotEndpoint, AwsIotEndpointOptions, LimitSwitches } from "../../../emulator/aws-iot/index.ts";
import { VirtualClock } from "../../../emulator/clock.ts";
import { thrown } from "../../protocol/thrown.ts";
import {
  CONNACK,
  CONNECT_A,
  connectClient,
  everything,
  hex,
  openRaw,
  recordEvents,
  registered,
  startEndpoint,
} from "./support.ts";

/** PUBLISH to "a", payload "x": QoS 0, or QoS 1 with a packet id. */
const publish = (id?: number) =>
  id === undefined ? hex("30 04 0001 61 78") : hex(`32 06 0001 61 ${id.toString(16).padStart(4, "0")} 78`);
const many = (count: number, packet: (i: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => packet(i + 1)));
const PING = hex("c0 00");
const PONG = "d000";
/** SUBSCRIBE to "a" at QoS 1, and its SUBACK. */
const SUBSCRIBE = hex("82 06 0001 0001 61 01");
const SUBACK = "9003000101";

async function start(limits: LimitSwitches, options: AwsIotEndpointOptions = {}) {
  const clock = new VirtualClock();
  const endpoint = await startEndpoint({ clock, limits, ...options });
  return { clock, endpoint, log: recordEvents(endpoint) };
}

/** A raw connection that has its CONNACK. */
async function connected(endpoint: AwsIotEndpoint) {
  const raw = openRaw(endpoint, await registered(endpoint, everything));
  raw.socket.write(CONNECT_A);
  await raw.received(4);
  return raw;
}

async function subscriber(endpoint: AwsIotEndpoint): Promise<{ client: MqttClient; received: string[] }> {
  const client = await connectClient(endpoint, await registered(endpoint, everything), { clientId: "watcher" });
  const received: string[] = [];
  client.on("message", (_topic, payload) => received.push(payload.toString()));
  await client.subscribeAsync("#");
  return { client, received };
}

const counted = (log: { all: readonly { type: string }[] }, type: string) =>
  log.all.filter((event) => event.type === type).length;

describe("publishes a second", () => {
  it("are discarded past 100, without a word, and taken again later", async () => {
    const { clock, endpoint, log } = await start({ publishRate: true });
    const raw = await connected(endpoint);
    raw.socket.write(Buffer.concat([many(101, () => publish()), PING]));
    expect(await raw.received(6)).toBe(CONNACK + PONG);
    expect(counted(log, "published")).toBe(100);
    expect(await log.first("discarded")).toEqual({
      type: "discarded",
      clientId: "a",
      direction: "in",
      topic: "a",
      bytes: 1,
      qos: 0,
      reason: "publish-rate",
    });
    await clock.advance(500);
    raw.socket.write(Buffer.concat([many(51, () => publish()), PING]));
    await raw.received(8);
    expect([counted(log, "published"), counted(log, "discarded")]).toEqual([150, 2]);
  });

  it("have no PUBACK past 100, at QoS 1", async () => {
    const { endpoint, log } = await start({ publishRate: true, unacknowledged: false });
    const raw = await connected(endpoint);
    raw.socket.write(many(101, publish));
    await raw.received(4 + 100 * 4);
    raw.socket.write(PING);
    const all = await raw.received(4 + 100 * 4 + 2);
    expect(all.endsWith(PONG)).toBe(true);
    expect(all).toContain("40020064");
    expect(all).not.toContain("40020065");
    expect(await log.first("discarded")).toMatchObject({ qos: 1, reason: "publish-rate" });
  });

  it("count both ways together; what goes down is lost at QoS 0 and waits at QoS 1", async () => {
    const { clock, endpoint, log } = await start({ publishRate: 3 });
    const raw = await connected(endpoint);
    raw.socket.write(SUBSCRIBE);
    await raw.received(9);
    endpoint.setLimits({ publishRate: 2 });
    // The two go up; of the two that would come back down, neither may.
    raw.socket.write(Buffer.concat([publish(), publish(7)]));
    await log.first("withheld");
    expect(log.all.filter(({ type }) => type === "discarded" || type === "withheld")).toEqual([
      { type: "discarded", clientId: "a", direction: "out", topic: "a", bytes: 1, qos: 0, reason: "publish-rate" },
      { type: "withheld", clientId: "a", what: "message", packetId: expect.any(Number), reason: "publish-rate" },
    ]);
    expect(await raw.received(13)).toBe(`${CONNACK}${SUBACK}40020007`);
    await clock.advance(500);
    expect((await raw.received(13 + 8)).slice(26)).toMatch(/^3206000161....78$/);
  });

  it("are not counted where the limit is off", async () => {
    const { endpoint, log } = await start({ publishRate: false });
    const raw = await connected(endpoint);
    raw.socket.write(Buffer.concat([many(500, () => publish()), PING]));
    await raw.received(6);
    expect([counted(log, "published"), counted(log, "discarded")]).toEqual([500, 0]);
  });

  it("of all connections together are discarded past the account's", async () => {
    const { clock, endpoint, log } = await start({ accountRate: 3 });
    const { received } = await subscriber(endpoint);
    const raw = await connected(endpoint);
    raw.socket.write(Buffer.concat([many(4, () => publish()), PING]));
    await raw.received(6);
    expect(await log.first("discarded")).toMatchObject({ direction: "in", reason: "account-rate" });
    await clock.advance(1_000);
    raw.socket.write(Buffer.concat([publish(), PING]));
    await raw.received(8);
    expect(counted(log, "published")).toBe(4);
    expect(received.length).toBeLessThanOrEqual(4);
  });
});

describe("unacknowledged publishes", () => {
  it("to a client are at most 100: no more until a PUBACK", async () => {
    const { endpoint, log } = await start({});
    const raw = await connected(endpoint);
    raw.socket.write(SUBSCRIBE);
    await raw.received(9);
    const sender = await connectClient(endpoint, await registered(endpoint, everything), { clientId: "sender" });
    for (let i = 0; i < 101; i++) await sender.publishAsync("a", "x", { qos: 1 });
    expect(await log.first("withheld")).toMatchObject({ what: "message", reason: "unacknowledged" });
    const before = await raw.received(9 + 100 * 8);
    const ids = [...before.matchAll(/3206000161(....)78/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(100);
    raw.socket.write(Buffer.concat([PING]));
    expect((await raw.received(9 + 100 * 8 + 2)).endsWith(PONG)).toBe(true);
    raw.socket.write(hex(`40 02 ${ids[0]}`));
    expect(await raw.received(9 + 101 * 8 + 2)).toMatch(/d0003206000161....78$/);
  });

  it("from a client are at most 100: none more is taken", async () => {
    const { endpoint, log } = await start({ unacknowledged: 2 });
    endpoint.faults.set({ delay: 0, "no-puback": 1 });
    const raw = await connected(endpoint);
    raw.socket.write(many(2, publish));
    // Sent again, as it has no PUBACK: the same one, and so not one more.
    raw.socket.write(Buffer.concat([hex("3a 06 0001 61 0001 78"), publish(3), PING]));
    await raw.received(6);
    expect(log.all.filter(({ type }) => type === "discarded")).toEqual([
      expect.objectContaining({ direction: "in", qos: 1, reason: "unacknowledged" }),
    ]);
    endpoint.faults.set({ delay: 0 });
    raw.socket.write(hex("3a 06 0001 61 0001 78"));
    await raw.received(10);
    raw.socket.write(publish(3));
    expect((await raw.received(14)).endsWith("40020003")).toBe(true);
  });
});

describe("throughput", () => {
  /** What was sent before this has been read when it resolves, where it is read at all. */
  async function othersAreServed(client: MqttClient): Promise<void> {
    for (let i = 0; i < 5; i++) await client.publishAsync("others", "", { qos: 1 });
  }

  it("past 512 KiB a second is delayed, and nothing is lost", async () => {
    const { clock, endpoint, log } = await start({ throughput: 1_000 });
    const other = await connectClient(endpoint, await registered(endpoint, everything), { clientId: "other" });
    const raw = await connected(endpoint);
    // A PUBLISH of 2,005 bytes to "a": it takes more than a second to make up for it.
    raw.socket.write(hex(`30 d20f 0001 61 ${"78".repeat(1_999)}`));
    expect(await log.first("delayed")).toMatchObject({ type: "delayed", clientId: "a" });
    raw.socket.write(Buffer.concat([publish(), PING]));
    await othersAreServed(other);
    const published = () => log.all.filter((event) => event.type === "published" && event.topic === "a").length;
    expect(published()).toBe(1);
    await clock.advance(2_000);
    // Back to the event loop for what is read now, and once more to answer it.
    await othersAreServed(other);
    await clock.advance(1_000);
    expect(await raw.received(6)).toBe(CONNACK + PONG);
    expect(published()).toBe(2);
  });

  it("counts what goes down as well", async () => {
    const { clock, endpoint, log } = await start({ throughput: 1_000 });
    const other = await connectClient(endpoint, await registered(endpoint, everything), { clientId: "other" });
    const raw = await connected(endpoint);
    raw.socket.write(SUBSCRIBE);
    await raw.received(9);
    // Each from a client of its own, so that none of those is too fast.
    for (const clientId of ["1", "2", "3"]) {
      const sender = await connectClient(endpoint, await registered(endpoint, everything), { clientId });
      await sender.publishAsync("a", clientId.repeat(450), { qos: 1 });
    }
    expect(await log.first("delayed")).toMatchObject({ clientId: "a" });
    await othersAreServed(other);
    const early = await raw.received(9);
    expect(early).toContain("31".repeat(450));
    expect(early).not.toContain("33".repeat(450));
    await clock.advance(5_000);
    // At QoS 1, with two bytes of length, two of a packet id.
    const all = await raw.received(9 + 3 * 458);
    expect(all.slice(18).replaceAll(/32c703000161..../g, "|")).toBe(
      `|${"31".repeat(450)}|${"32".repeat(450)}|${"33".repeat(450)}`,
    );
  });
});

describe("CONNECTs", () => {
  it("for one client id are refused past one a second, without a word", async () => {
    const { clock, endpoint, log } = await start({ connectRate: true });
    await connected(endpoint);
    const early = openRaw(endpoint, await registered(endpoint, everything));
    early.socket.write(CONNECT_A);
    expect(await early.ended).toBe("");
    expect((await log.first("refused")).reason).toBe("connect-rate");
    // The one that was refused is no reason to refuse the next.
    await clock.advance(1_000);
    await connected(endpoint);
    expect(counted(log, "connected")).toBe(2);
    await connectClient(endpoint, await registered(endpoint, everything), { clientId: "another" });
  });
});

describe("subscriptions", () => {
  it("of one connection are at most 50: the SUBACK says no to more", async () => {
    const { endpoint, log } = await start({ subscriptions: 2 });
    const { client } = await subscriber(endpoint);
    await client.subscribeAsync("b");
    await expect(client.subscribeAsync("c")).rejects.toThrow();
    expect(await log.first("subscribe-refused")).toMatchObject({ clientId: "watcher", filter: "c" });
    await client.subscribeAsync("b", { qos: 1 });
    await client.unsubscribeAsync("b");
    await client.subscribeAsync("c");
    const subscribed = log.all.flatMap((event) => (event.type === "subscribed" ? [event.filter] : []));
    expect(subscribed).toEqual(["#", "b", "b", "c"]);
  });
});

describe("limits that are switched", () => {
  it("must be true, false or a whole number above 0", async () => {
    const { endpoint } = await start({});
    for (const publishRate of [0, -1, 1.5, Number.NaN]) {
      thrown("INVALID_ARGUMENT", () => endpoint.setLimits({ publishRate }));
    }
  });
});
