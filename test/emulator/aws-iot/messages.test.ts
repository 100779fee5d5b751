import type { MqttClient } from "mqtt";
import { describe, expect, it } from "vitest";
import type { AwsIotEndpoint } from "../../../emulator/aws-iot/index.ts";
import { VirtualClock } from "../../../emulator/clock.ts";
import {
  allow,
  CONNACK,
  CONNECT_A,
  connectClient,
  everything,
  hex,
  messages,
  openClient,
  openRaw,
  policy,
  recordEvents,
  registered,
  startEndpoint,
} from "./support.ts";

const closed = (client: MqttClient) => new Promise<void>((resolve) => client.once("close", () => resolve()));

/** Somebody to whom everything is delivered. Returns what was, up to now; in order, as the last comes from itself. */
async function startWatcher(endpoint: AwsIotEndpoint): Promise<() => Promise<string[]>> {
  const client = await connectClient(endpoint, await registered(endpoint, everything), { clientId: "watcher" });
  await client.subscribeAsync("#");
  const received: string[] = [];
  const end = new Promise<string[]>((resolve) => {
    client.on("message", (topic, payload) => {
      if (topic === "end") resolve(received);
      else received.push(`${topic} ${payload.toString()}`);
    });
  });
  return async () => {
    await client.publishAsync("end", "");
    return end;
  };
}

describe("publish", () => {
  it("delivers what the policy allows, at QoS 0 and 1", async () => {
    const endpoint = await startEndpoint();
    const watcher = await startWatcher(endpoint);
    const log = recordEvents(endpoint);
    const identity = await registered(
      endpoint,
      policy("p", allow("iot:Connect", "client/*"), allow("iot:Publish", `topic/up/\${iot:ClientId}`)),
    );
    const client = await connectClient(endpoint, identity, { clientId: "u1" });
    await client.publishAsync("up/u1", "one");
    await client.publishAsync("up/u1", "two", { qos: 1 });
    expect(await watcher()).toEqual(["up/u1 one", "up/u1 two"]);
    expect(log.all.filter((event) => event.type === "published" && event.clientId === "u1")).toEqual([
      { type: "published", clientId: "u1", topic: "up/u1", bytes: 3, qos: 0 },
      { type: "published", clientId: "u1", topic: "up/u1", bytes: 3, qos: 1 },
    ]);
  });

  it.each([
    ["at QoS 0", "30 04 0001 62 78", "publish-denied"],
    ["at QoS 1, without a PUBACK", "32 06 0001 62 0007 78", "publish-denied"],
    ["retained, where only a plain one is allowed", "31 04 0001 61 78", "publish-denied"],
    ["to a topic of the broker's own", "30 0a 0007 24 535953 2f 61 62 78", "reserved-topic"],
    ["to a topic of 8 slashes", "30 12 000f 612f2f2f2f2f2f2f2f626262626262 78", "topic-too-long"],
  ])("ends the connection for what is not allowed, and does not deliver it: %s", async (_what, bytes, expected) => {
    const endpoint = await startEndpoint();
    const watcher = await startWatcher(endpoint);
    const log = recordEvents(endpoint);
    const identity = await registered(
      endpoint,
      policy("p", allow("iot:Connect", "client/a"), allow("iot:Publish", "topic/a", "topic/a/*", "topic/$SYS/*")),
    );
    const raw = openRaw(endpoint, identity);
    // The publish before it is taken, though it comes in the same chunk; the one after it is not.
    raw.socket.write(Buffer.concat([CONNECT_A, hex("30 04 0001 61 31"), hex(bytes), hex("30 04 0001 61 32")]));
    expect(CONNACK).toContain(await raw.ended);
    expect(await watcher()).toEqual(["a 1"]);
    expect((await log.first("disconnected")).reason).toBe(expected);
  });

  it("is a mere close to a client", async () => {
    const endpoint = await startEndpoint();
    const identity = await registered(endpoint, policy("p", allow("iot:Connect", "client/*")));
    const client = await connectClient(endpoint, identity);
    const end = closed(client);
    client.publish("a", "x");
    await end;
  });

  it("ends the connection for QoS 2", async () => {
    const endpoint = await startEndpoint();
    const watcher = await startWatcher(endpoint);
    const log = recordEvents(endpoint);
    const client = await connectClient(endpoint, await registered(endpoint, everything));
    const end = closed(client);
    client.publish("a", "x", { qos: 2 });
    await end;
    expect(await watcher()).toEqual([]);
    expect((await log.first("disconnected")).reason).toBe("qos-2");
  });

  it("takes 128 KB and ends the connection for a byte more, unless that limit is off", async () => {
    for (const [limits, expected] of [
      [{}, "payload-too-large"],
      [{ payload: false, throughput: false }, undefined],
    ] as const) {
      const endpoint = await startEndpoint({ limits });
      const log = recordEvents(endpoint);
      const client = await connectClient(endpoint, await registered(endpoint, everything));
      await client.publishAsync("a", Buffer.alloc(131_072), { qos: 1 });
      if (expected === undefined) {
        await client.publishAsync("a", Buffer.alloc(1_000_000), { qos: 1 });
        expect(log.all.map(({ type }) => type)).toEqual(["connected", "published", "published"]);
      } else {
        const end = closed(client);
        client.publish("a", Buffer.alloc(131_073), { qos: 1 });
        await end;
        expect((await log.first("disconnected")).reason).toBe(expected);
      }
    }
  });

  it("does not wait for the whole of a packet beyond all limits", async () => {
    const endpoint = await startEndpoint();
    const log = recordEvents(endpoint);
    const raw = openRaw(endpoint, await registered(endpoint, everything));
    raw.socket.write(Buffer.concat([CONNECT_A, hex("30 ff ff ff 7f")]));
    await raw.ended;
    expect((await log.first("disconnected")).reason).toBe("payload-too-large");
  });
});

describe("subscribe", () => {
  it("is told, and delivers", async () => {
    const endpoint = await startEndpoint();
    const log = recordEvents(endpoint);
    const identity = await registered(
      endpoint,
      policy(
        "p",
        allow("iot:Connect", "client/*"),
        allow("iot:Subscribe", "topicfilter/down"),
        allow("iot:Receive", "topic/down"),
      ),
    );
    const client = await connectClient(endpoint, identity, { clientId: "a" });
    await client.subscribeAsync("down", { qos: 1 });
    expect(await log.first("subscribed")).toEqual({ type: "subscribed", clientId: "a", filter: "down", qos: 1 });
    const received = messages(client, 1);
    const sender = await connectClient(endpoint, await registered(endpoint, everything));
    await sender.publishAsync("down", "x", { qos: 1 });
    expect(await received).toEqual(["down x"]);
  });

  it.each([
    ["a filter that is not allowed", "82 06 0001 0001 62 00", "subscribe-denied"],
    ["an allowed filter beside one that is not", "82 0a 0001 0001 61 00 0001 62 00", "subscribe-denied"],
    ["QoS 2", "82 06 0001 0001 61 02", "qos-2"],
    ["a shared subscription", "82 10 0001 000b 24 7368617265 2f 67 2f 61 62 00", "reserved-topic"],
    ["nine topics", `82 26 0001 ${"0001 61 00".repeat(9)}`, "too-many-topics"],
  ])("ends the connection without a SUBACK for %s", async (_what, bytes, reason) => {
    const endpoint = await startEndpoint();
    const log = recordEvents(endpoint);
    const identity = await registered(
      endpoint,
      policy("p", allow("iot:Connect", "client/a"), allow("iot:Subscribe", "topicfilter/a", "topicfilter/$share/*")),
    );
    const raw = openRaw(endpoint, identity);
    raw.socket.write(CONNECT_A);
    await raw.received(4);
    raw.socket.write(hex(bytes));
    expect(await raw.ended).toBe(CONNACK);
    expect((await log.first("disconnected")).reason).toBe(reason);
    expect(log.all.map(({ type }) => type)).toEqual(["connected", "disconnected"]);
  });
});

describe("receive", () => {
  it("delivers only what the policy allows", async () => {
    const endpoint = await startEndpoint();
    const identity = await registered(
      endpoint,
      policy(
        "p",
        allow("iot:Connect", "client/*"),
        allow("iot:Subscribe", "topicfilter/a/*"),
        allow("iot:Receive", "topic/a/yes", "topic/a/end"),
      ),
    );
    const client = await connectClient(endpoint, identity);
    await client.subscribeAsync("a/#", { qos: 1 });
    const received = messages(client, 3);
    const sender = await connectClient(endpoint, await registered(endpoint, everything));
    for (const topic of ["a/no", "a/yes", "a/no", "a/yes", "a/no", "a/end"]) {
      await sender.publishAsync(topic, "", { qos: 1 });
    }
    expect(await received).toEqual(["a/yes ", "a/yes ", "a/end "]);
  });
});

describe("sessions", () => {
  it("throw the first out when a second connection takes the client id", async () => {
    const endpoint = await startEndpoint();
    const log = recordEvents(endpoint);
    const identity = await registered(endpoint, everything);
    const first = await connectClient(endpoint, identity, { clientId: "same" });
    await first.subscribeAsync("a");
    const end = closed(first);
    const second = await connectClient(endpoint, await registered(endpoint, everything), { clientId: "same" });
    await end;
    expect(log.all.map((event) => [event.type, "reason" in event && event.reason])).toEqual([
      ["connected", false],
      ["subscribed", false],
      ["disconnected", "taken-over"],
      ["connected", false],
    ]);
    await second.subscribeAsync("b");
    const received = messages(second, 1);
    await second.publishAsync("a", "not its");
    await second.publishAsync("b", "its");
    expect(await received).toEqual(["b its"]);
  });

  it("survive ten connections that take it in a row", async () => {
    const endpoint = await startEndpoint();
    const identity = await registered(endpoint, everything);
    const raws = Array.from({ length: 10 }, () => openRaw(endpoint, identity));
    for (const raw of raws) raw.socket.write(CONNECT_A);
    // Whoever came last stays: the others end, and nobody waits for ever.
    const survivors = new Set(raws);
    await new Promise<void>((resolve) => {
      for (const raw of raws) {
        void raw.ended.then(() => survivors.delete(raw) && survivors.size === 1 && resolve());
      }
    });
    const [last] = survivors;
    expect(await last?.received(4)).toBe(CONNACK);
    last?.socket.write(hex("c0 00"));
    expect(await last?.received(6)).toBe(`${CONNACK}d000`);
  });

  it("keep QoS 1 messages for a client that comes back", async () => {
    const endpoint = await startEndpoint();
    const identity = await registered(endpoint, everything);
    const options = { clientId: "keeps", clean: false };
    const first = await connectClient(endpoint, identity, options);
    await first.subscribeAsync("down", { qos: 1 });
    await first.endAsync();
    const sender = await connectClient(endpoint, await registered(endpoint, everything));
    await sender.publishAsync("down", "1", { qos: 1 });
    await sender.publishAsync("down", "2", { qos: 1 });
    const log = recordEvents(endpoint);
    // Listening before it is connected: they may come with the CONNACK.
    const again = messages(openClient(endpoint, identity, options), 2);
    expect(await again).toEqual(["down 1", "down 2"]);
    expect((await log.first("connected")).clientId).toBe("keeps");
  });
});

describe("a persistent session that is taken over", () => {
  it("goes on: each QoS 1 message comes once, and none again after its PUBACK", async () => {
    const endpoint = await startEndpoint();
    const identity = await registered(endpoint, everything);
    const options = { clientId: "keeps", clean: false };
    const sender = await connectClient(endpoint, await registered(endpoint, everything));
    const first = await connectClient(endpoint, identity, options);
    await first.subscribeAsync("down", { qos: 1 });
    const second = await connectClient(endpoint, identity, options);
    const received = messages(second, 2);
    await sender.publishAsync("down", "1", { qos: 1 });
    await sender.publishAsync("down", "2", { qos: 1 });
    expect(await received).toEqual(["down 1", "down 2"]);
    await second.endAsync();
    const third = messages(openClient(endpoint, identity, options), 1);
    await sender.publishAsync("down", "3", { qos: 1 });
    expect(await third).toEqual(["down 3"]);
  });
});

describe("the end of a connection", () => {
  const WILL = "0005 77696c6c73 0001 78"; // to "wills", "x"
  const CONNECT_WITH_WILL = hex(`10 17 0004 4d515454 04 06 003c 0001 61 ${WILL}`);

  it.each([
    ["a DISCONNECT", "e0 00", "client", []],
    ["a lost connection", "", "connection-lost", ["wills x"]],
    ["something that MQTT forbids", "30 03 0001 23", "protocol", ["wills x"]],
    ["a second CONNECT", CONNECT_A.toString("hex"), "protocol", ["wills x"]],
  ])("by %s publishes the will or not", async (_what, bytes, reason, expected) => {
    const endpoint = await startEndpoint();
    const watcher = await startWatcher(endpoint);
    const log = recordEvents(endpoint);
    const raw = openRaw(endpoint, await registered(endpoint, everything));
    raw.socket.write(CONNECT_WITH_WILL);
    await raw.received(4);
    raw.socket.end(hex(bytes));
    await raw.ended;
    expect((await log.first("disconnected")).reason).toBe(reason);
    if (expected.length > 0) await log.first("published");
    expect(await watcher()).toEqual(expected);
  });

  it("publishes no will that the policy does not allow", async () => {
    const endpoint = await startEndpoint();
    const watcher = await startWatcher(endpoint);
    const raw = openRaw(endpoint, await registered(endpoint, policy("p", allow("iot:Connect", "client/a"))));
    raw.socket.write(CONNECT_WITH_WILL);
    await raw.received(4);
    raw.socket.destroy();
    await raw.ended;
    expect(await watcher()).toEqual([]);
  });

  it("comes after one and a half keep-alive periods of silence, of at least 30 s each", async () => {
    const clock = new VirtualClock();
    const endpoint = await startEndpoint({ clock });
    const log = recordEvents(endpoint);
    const raw = openRaw(endpoint, await registered(endpoint, everything));
    raw.socket.write(hex("10 0d 0004 4d515454 04 02 0001 0001 61"));
    await raw.received(4);
    await clock.advance(44_000);
    raw.socket.write(hex("c0 00"));
    await raw.received(6);
    await clock.advance(44_999);
    expect(log.all.map(({ type }) => type)).toEqual(["connected"]);
    await clock.advance(1);
    expect(await raw.ended).toBe(`${CONNACK}d000`);
    expect((await log.first("disconnected")).reason).toBe("keep-alive");
  });
});
