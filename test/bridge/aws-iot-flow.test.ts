/** A service aws-iot over real TLS: what it sends, what it makes of acknowledgements, and what it says of refusals. */
import { describe, expect, it } from "vitest";
import type { AwsIotEndpoint } from "../../emulator/aws-iot/index.ts";
import { VirtualClock } from "../../emulator/clock.ts";
import { PacketIds } from "../../host/bridge/aws-iot/mqtt.ts";
import { type BridgeEvent, MemoryOutbox } from "../../host/bridge/index.ts";
import {
  allow,
  connectClient,
  everything,
  messages,
  policy,
  recordEvents,
  registered,
  startEndpoint,
} from "../emulator/aws-iot/support.ts";
import { settled } from "../support/held-uplink.ts";
import { configOf, type Events, type Pems, startTestBridge } from "./support.ts";
import { startWireBroker } from "./wire-broker.ts";

const valueIn = (line: string): number => JSON.parse(line.slice(line.indexOf("{"))).payload.channels[0].value;
const range = (count: number): number[] => Array.from({ length: count }, (_, value) => value);

async function pemsFor(endpoint: AwsIotEndpoint, ...policies: Parameters<typeof registered>[1][]): Promise<Pems> {
  return { ...(await registered(endpoint, ...policies)), root: endpoint.authority.certificate };
}

async function subscriber(endpoint: AwsIotEndpoint, filter = "sakura/up/#") {
  const client = await connectClient(endpoint, await registered(endpoint, everything), { clientId: "subscriber" });
  await client.subscribeAsync(filter, { qos: 1 });
  return client;
}

type Failed = Extract<Extract<BridgeEvent, { type: "service" }>["state"], { state: "error" }>;

/** Waits that are longer than what must lie between two CONNECTs. */
const HALFWAY = (): number => 0.5;

/** The states of so many failures in a row, with time going on to the next try after each. */
async function failures(events: Events, clock: VirtualClock, count: number): Promise<Failed[]> {
  const found: Failed[] = [];
  for (let from = 0; found.length < count; ) {
    const isFailure = (event: BridgeEvent): event is BridgeEvent & { type: "service"; state: Failed } =>
      event.type === "service" && event.state.state === "error" && event.state.nextAttempt !== undefined;
    const event = await events.first(isFailure, from);
    from = events.all.indexOf(event, from) + 1;
    found.push(event.state);
    if (found.length < count) await clock.advance((event.state.nextAttempt ?? 0) - clock.now());
  }
  return found;
}

describe("a service aws-iot at QoS 1", () => {
  it("keeps its session, subscribes at QoS 1, and counts a message once its PUBACK is there", async () => {
    const broker = await startWireBroker();
    broker.acknowledges = false;
    const config = configOf(broker.pems, { service: { port: broker.port, qos: 1, keep_alive: 120 } });
    const { bridge, u1 } = await startTestBridge(config);
    await u1.send(7);
    await broker.until(({ packets }) => packets.length === 3);
    // MQTT 3.1.1 §3.1: clean session 0, keep alive 120 s, client id "bridge"; §3.8: "sakura/down" at QoS 1.
    expect(broker.packets[0]).toBe("101200044d515454040000780006627269646765");
    expect(broker.packets[1]).toMatch(/^8210....000b73616b7572612f646f776e01$/);
    expect(broker.publishes()).toEqual([expect.stringMatching(/^32 \{"module":"u1"/)]);
    expect(bridge.stats().services).toMatchObject([{ published: 0, waiting: 1 }]);
  });

  it("publishes again, marked, on the next connection what it got no PUBACK for", async () => {
    const broker = await startWireBroker();
    broker.acknowledges = false;
    const clock = new VirtualClock(Date.now());
    const { bridge, events, u1 } = await startTestBridge(
      configOf(broker.pems, { service: { port: broker.port, qos: 1 } }),
      {
        clock,
      },
    );
    await u1.send(1);
    await u1.send(2);
    await broker.until(() => broker.publishes().length === 2);
    await clock.advance(25_000);
    const [failed] = await failures(events, clock, 1);
    expect(failed).toMatchObject({ failure: "puback-timeout", reason: expect.stringContaining("sakura/up/u1") });
    broker.acknowledges = true;
    await u1.send(3);
    bridge.retry("plant-a");
    await broker.until(() => broker.publishes().length === 5);
    const seen = broker.publishes().map((line) => `${line.slice(0, 2)} ${valueIn(line)}`);
    expect(seen).toEqual(["32 1", "32 2", "3a 1", "3a 2", "32 3"]);
    await events.first(({ type }) => type === "published", events.all.length - 1);
  });

  it("loses nothing, and keeps the order, when the endpoint goes in the middle of it", async () => {
    const first = await startEndpoint();
    const pems = await pemsFor(first, everything);
    const log = recordEvents(first);
    const { bridge, events, u1 } = await startTestBridge(configOf(pems, { service: { port: first.port, qos: 1 } }));
    for (const value of range(600)) await u1.send(value);
    await log.first("published");
    await first.close();
    await events.service("error");
    const left = bridge.stats().services[0]?.waiting ?? 0;
    expect(left).toBeGreaterThan(0);
    const second = await startEndpoint({ port: first.port });
    second.registerCertificate({ certificatePem: pems.certificate, policies: [everything] });
    const arrived = messages(await subscriber(second), left);
    bridge.retry("plant-a");
    expect((await arrived).map(valueIn)).toEqual(range(600).slice(-left));
  });

  it("says goodbye once everything is acknowledged", async () => {
    const endpoint = await startEndpoint();
    const log = recordEvents(endpoint);
    const pems = await pemsFor(endpoint, everything);
    const { bridge, events, u1 } = await startTestBridge(configOf(pems, { service: { port: endpoint.port, qos: 1 } }));
    await events.service("online");
    for (const value of range(150)) await u1.send(value);
    await bridge.close();
    expect(bridge.stats().services).toMatchObject([{ published: 150, waiting: 0 }]);
    expect(await log.first("disconnected")).toMatchObject({ clientId: "bridge", reason: "client" });
  });

  it("sets aside what the endpoint hangs up on, with the topic that the policy lacks, and the rest goes on", async () => {
    const broker = await startWireBroker();
    broker.poison = '"value":666';
    const clock = new VirtualClock(Date.now());
    const outbox = new MemoryOutbox(1_000_000);
    const config = configOf(broker.pems, { service: { port: broker.port, qos: 1 } });
    const { events, u1, u2 } = await startTestBridge(config, { clock, outbox, random: HALFWAY });
    await u1.send(666);
    await u2.send(1);
    // Both go down with it; then it goes alone; then, u2's having gone through, alone again, and once more.
    const [, , , fourth] = await failures(events, clock, 4);
    const lane = outbox.lane("plant-a");
    const [letter] = await lane.listDeadLetters({ limit: 10 });
    expect(letter).toMatchObject({
      module: "u1",
      reason: expect.stringMatching(/closed 3 times.*to sakura\/up\/u1 .*while 1 other messages were acknowledged/),
    });
    await u1.send(5);
    await clock.advance((fourth?.nextAttempt ?? 0) - clock.now());
    await broker.until(() => broker.publishes().some((line) => valueIn(line) === 5));
    expect(broker.publishes().map(valueIn)).toEqual([666, 1, 666, 1, 666, 666, 5]);
    await events.first((event) => event.type === "published" && event.module === "u1");
    expect(lane).toMatchObject({ messages: 0, deadLetters: 1 });
  });
});

describe("a service aws-iot with several connections", () => {
  it("numbers the client ids, subscribes once, and keeps each module's order", async () => {
    const endpoint = await startEndpoint();
    const log = recordEvents(endpoint);
    const pems = await pemsFor(endpoint, everything);
    const cloud = await subscriber(endpoint);
    const arrived = messages(cloud, 400);
    const config = configOf(pems, { service: { port: endpoint.port, qos: 1, connections: 3 } });
    const { events, u1, u2 } = await startTestBridge(config);
    const online = await events.service("online");
    expect(online.connections?.map(({ clientId, state }) => `${clientId} ${state}`)).toEqual([
      "bridge online",
      "bridge-2 online",
      "bridge-3 online",
    ]);
    for (const value of range(200)) {
      await u1.send(value);
      await u2.send(value);
    }
    const lines = await arrived;
    for (const module of ["u1", "u2"]) {
      expect(lines.filter((line) => line.startsWith(`sakura/up/${module} `)).map(valueIn)).toEqual(range(200));
    }
    const subscribed = log.all.filter((event) => event.type === "subscribed" && event.clientId.startsWith("bridge"));
    expect(subscribed).toMatchObject([{ clientId: "bridge", filter: "sakura/down", qos: 1 }]);
    expect(log.all.some((event) => event.type === "published" && event.clientId !== "bridge")).toBe(true);
  });
});

describe("what a service aws-iot says of repeated refusals", () => {
  it("is sure after the third close without a word, and forgets none of it while it tries", async () => {
    const endpoint = await startEndpoint();
    const clock = new VirtualClock(Date.now());
    const pems = await pemsFor(endpoint);
    const config = configOf(pems, { service: { port: endpoint.port } });
    const { events } = await startTestBridge(config, { clock, random: HALFWAY });
    const [first, , third] = await failures(events, clock, 3);
    expect(first).toMatchObject({ failure: "no-connack", attempts: 1 });
    expect(first?.reason).not.toContain("in a row");
    expect(third).toMatchObject({ failure: "no-connack", attempts: 3, lastFailure: { failure: "no-connack" } });
    expect(third?.reason).toMatch(/3 times in a row.*certificate is active.*policy is attached.*client\/bridge/);
  });

  it("knows that it was thrown out once that has happened twice", async () => {
    const endpoint = await startEndpoint();
    const clock = new VirtualClock(Date.now());
    const pems = await pemsFor(endpoint, everything);
    const config = configOf(pems, { service: { port: endpoint.port } });
    const { events } = await startTestBridge(config, { clock, random: HALFWAY });
    const other = await registered(endpoint, everything);
    await events.service("online");
    await connectClient(endpoint, other, { clientId: "bridge" });
    const [first] = await failures(events, clock, 1);
    expect(first?.failure).toBe("connection-lost");
    const from = events.all.length;
    await clock.advance((first?.nextAttempt ?? 0) - clock.now());
    await events.service("online", from);
    const again = events.all.length;
    await connectClient(endpoint, other, { clientId: "bridge" });
    const second = await events.service("error", again);
    expect(second).toMatchObject({ failure: "thrown-out" });
    expect(second.reason).toMatch(/another client with the client id bridge throws this one out/);
  });

  it("names the topic that the policy refuses, once it was closed twice right after a publish", async () => {
    const endpoint = await startEndpoint();
    const clock = new VirtualClock(Date.now());
    const denied = policy("p", allow("iot:Connect", "*"), allow("iot:Subscribe", "*"));
    const config = configOf(await pemsFor(endpoint, denied), { service: { port: endpoint.port, qos: 1 } });
    const { events, u1 } = await startTestBridge(config, { clock, random: HALFWAY });
    await u1.send(1);
    const [first, second] = await failures(events, clock, 2);
    expect(first).toMatchObject({
      failure: "connection-lost",
      reason: expect.stringContaining("a publish to sakura/up/u1"),
    });
    expect(second).toMatchObject({ failure: "publish-refused" });
    expect(second?.reason).toMatch(/2 times in a row.*iot:Publish on topic\/sakura\/up\/u1/);
  });
});

describe("a service aws-iot's CONNECT", () => {
  it("goes at most once a second, however often it is told to try again", async () => {
    const endpoint = await startEndpoint();
    const log = recordEvents(endpoint);
    const clock = new VirtualClock(Date.now());
    const config = configOf(await pemsFor(endpoint), { service: { port: endpoint.port } });
    const { bridge, events } = await startTestBridge(config, { clock, random: HALFWAY });
    await failures(events, clock, 1);
    bridge.retry("plant-a");
    // The limit of the whole attempt, and then, after the handshake, the wait for its turn.
    while (clock.pending < 2) await settled();
    await clock.advance(1_099);
    expect(log.all.filter(({ type }) => type === "refused")).toHaveLength(1);
    await clock.advance(1);
    await events.first(({ type }) => type === "service", events.all.length);
    expect(log.all.filter(({ type }) => type === "refused")).toHaveLength(2);
  });

  it("asks for MQTT in the handshake on port 443, and for nothing elsewhere", async ({ skip }) => {
    const elsewhere = await startWireBroker();
    const there = await startTestBridge(configOf(elsewhere.pems, { service: { port: elsewhere.port } }));
    await there.events.service("online");
    expect(elsewhere.protocols).toEqual([false]);
    const broker = await startWireBroker(443).catch(() => undefined);
    if (broker === undefined) return skip("this system does not let us listen on port 443");
    const here = await startTestBridge(configOf(broker.pems, { service: { port: 443 } }));
    await here.events.service("online");
    expect(broker.protocols).toEqual(["x-amzn-mqtt-ca"]);
  });
});

describe("packet identifiers", () => {
  it("come in turn from 1 to 65535 and leave out those that wait for a PUBACK", () => {
    const waiting = new Map([[2, "withheld"]]);
    const ids = new PacketIds(waiting);
    expect([ids.allocate(), ids.allocate()]).toEqual([1, 3]);
    for (let i = 0; i < 65_535 - 3; i++) ids.allocate();
    expect(ids.getLastAllocated()).toBe(65_535);
    expect([ids.allocate(), ids.allocate()]).toEqual([1, 3]);
  });
});
