import { createServer as createTcpServer, type Server } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { type AwsIotEndpoint, createAuthority, type Policy } from "../../emulator/aws-iot/index.ts";
import { realClock, VirtualClock } from "../../emulator/clock.ts";
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
import { configOf, type Pems, startTestBridge, type TestBridge } from "./support.ts";

const authority = createAuthority();

async function pemsFor(endpoint: AwsIotEndpoint, ...policies: Policy[]): Promise<Pems & { certificateId: string }> {
  const identity = await registered(endpoint, ...policies);
  return { ...identity, root: endpoint.authority.certificate };
}

/** A bridge at this endpoint, with a certificate that may do everything. */
async function bridgeAt(endpoint: AwsIotEndpoint, service = {}): Promise<TestBridge & { pems: Pems }> {
  const pems = await pemsFor(endpoint, everything);
  return { ...(await startTestBridge(configOf(pems, { service: { port: endpoint.port, ...service } }))), pems };
}

/** A subscriber to everything that is published under sakura/. */
async function subscriber(endpoint: AwsIotEndpoint, filter = "sakura/up/#") {
  const client = await connectClient(endpoint, await registered(endpoint, everything), { clientId: "subscriber" });
  await client.subscribeAsync(filter);
  return client;
}

const valueIn = (line: string): number => JSON.parse(line.slice(line.indexOf("{"))).payload.channels[0].value;

describe("a service aws-iot", () => {
  it("publishes what modules send, byte for byte, stamped once", async () => {
    const endpoint = await startEndpoint();
    const pems = await pemsFor(endpoint, everything);
    const cloud = await subscriber(endpoint);
    const arrived = messages(cloud, 3);
    const { u1, u2 } = await startTestBridge(configOf(pems, { service: { port: endpoint.port } }), {
      clock: { now: () => 1_529_543_457_770, after: realClock.after },
    });
    await u1.send(12345);
    const datetime = "2018-06-21T01:10:55Z";
    await u2.take({
      module: "u2",
      type: "channels",
      payload: {
        channels: [
          { channel: 1, type: "l", value: 9223372036854775807n, datetime },
          { channel: 127, type: "f", value: 0.0010000000474974513, datetime },
        ],
      },
    });
    await u2.take({ module: "u2", type: "connection", payload: { is_online: true } });
    expect(await arrived).toEqual([
      'sakura/up/u1 {"module":"u1","type":"channels","datetime":"2018-06-21T01:10:57.770Z","payload":{"channels":[{"channel":0,"type":"i","value":12345,"datetime":"2018-06-21T01:10:57.770Z"}]}}',
      'sakura/up/u2 {"module":"u2","type":"channels","datetime":"2018-06-21T01:10:57.770Z","payload":{"channels":[{"channel":1,"type":"l","value":9223372036854775807,"datetime":"2018-06-21T01:10:55Z"},{"channel":127,"type":"f","value":0.001,"datetime":"2018-06-21T01:10:55Z"}]}}',
      'sakura/up/u2 {"module":"u2","type":"connection","datetime":"2018-06-21T01:10:57.770Z","payload":{"is_online":true}}',
    ]);
  });

  it("delivers what comes from the subscribe topic", async () => {
    const endpoint = await startEndpoint();
    const { events, u1, u2 } = await bridgeAt(endpoint);
    await events.service("online");
    const cloud = await connectClient(endpoint, await registered(endpoint, everything), { clientId: "cloud" });
    cloud.publish(
      "sakura/down",
      '{"type":"channels","module":"u2","payload":{"channels":[{"channel":1,"type":"b","value":"0f1e2d3c4b5c6b7a"},{"channel":2,"type":"L","value":18446744073709551615}]}}',
    );
    await events.first(({ type }) => type === "downlink");
    expect(u1.delivered).toEqual([]);
    expect(u2.delivered.map(({ payload }) => payload.channels)).toEqual([
      [
        { channel: 1, type: "b", value: Uint8Array.of(0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5c, 0x6b, 0x7a) },
        { channel: 2, type: "L", value: 18446744073709551615n },
      ],
    ]);
  });

  it("connects by name, with SNI, MQTT 3.1.1 at QoS 0, and the client id of the configuration", async () => {
    const endpoint = await startEndpoint({ host: "localhost" });
    const log = recordEvents(endpoint);
    const { events, u1 } = await bridgeAt(endpoint, { hostname: "localhost", client_id: "plant-a-1" });
    expect((await events.service("online")).endpoint).toBe(`localhost:${endpoint.port}`);
    await u1.send(1);
    expect(await log.first("connected")).toMatchObject({ clientId: "plant-a-1" });
    expect(await log.first("subscribed")).toMatchObject({ filter: "sakura/down", qos: 0 });
    expect(await log.first("published")).toMatchObject({ topic: "sakura/up/u1", qos: 0 });
  });

  it("shows the server's name in the handshake, and no address", async () => {
    const names: (string | false)[] = [];
    const server = await tlsServer({}, (socket) => names.push(socket.servername));
    const pems = await pemsOf();
    const byName = await startTestBridge(configOf(pems, { service: { port: server.port, hostname: "localhost" } }));
    await byName.events.service("error");
    const byAddress = await startTestBridge(configOf(pems, { service: { port: server.port } }));
    await byAddress.events.service("error");
    expect(names).toEqual(["localhost", false]);
  });

  it("says goodbye at the end, after what waited", async () => {
    const endpoint = await startEndpoint();
    const log = recordEvents(endpoint);
    const cloud = await subscriber(endpoint);
    const arrived = messages(cloud, 50);
    const { bridge, events, u1 } = await bridgeAt(endpoint);
    await events.service("online");
    for (let value = 0; value < 50; value++) await u1.send(value);
    await bridge.close();
    expect((await arrived).map(valueIn)).toEqual(Array.from({ length: 50 }, (_, value) => value));
    const { clientId, reason } = await log.first("disconnected");
    expect({ clientId, reason }).toEqual({ clientId: "bridge", reason: "client" });
    expect(events.all.some(({ type }) => type === "unsent")).toBe(false);
  });

  it("hands over in order what was accepted while the endpoint was away", async () => {
    const first = await startEndpoint();
    const { bridge, events, u1, pems } = await bridgeAt(first);
    await events.service("online");
    await first.close();
    const down = await events.service("error");
    expect(down.failure).toBe("connection-lost");
    for (let value = 0; value < 300; value++) await u1.send(value);
    const second = await startEndpoint({ port: first.port });
    second.registerCertificate({ certificatePem: pems.certificate, policies: [everything] });
    const arrived = messages(await subscriber(second), 300);
    bridge.retry("plant-a");
    expect((await arrived).map(valueIn)).toEqual(Array.from({ length: 300 }, (_, value) => value));
  });

  it("carries more than the socket takes at once, all of it and in order", async () => {
    const endpoint = await startEndpoint();
    const arrived = messages(await subscriber(endpoint), 5_000);
    const { bridge, u1 } = await bridgeAt(endpoint);
    for (let value = 0; value < 5_000; value++) await u1.send(value);
    expect((await arrived).map(valueIn)).toEqual(Array.from({ length: 5_000 }, (_, value) => value));
    expect(bridge.stats().services).toMatchObject([{ published: 5_000, waiting: 0, waitingBytes: 0 }]);
  });
});

describe("a service aws-iot in error", () => {
  it("says what to check when the endpoint closes without a word, and is online once a policy is attached", async () => {
    const endpoint = await startEndpoint();
    const pems = await pemsFor(endpoint);
    const { bridge, events } = await startTestBridge(configOf(pems, { service: { port: endpoint.port } }));
    const state = await events.service("error");
    expect(state.failure).toBe("no-connack");
    expect(state.reason).toMatch(/certificate is active.*policy is attached.*iot:Connect on client\/bridge/);
    expect(state.nextAttempt).toBeGreaterThan(state.since);
    endpoint.attachPolicy(pems.certificateId, everything);
    bridge.retry("plant-a");
    await events.service("online");
  });

  it("comes back by itself", async () => {
    const endpoint = await startEndpoint();
    const pems = await pemsFor(endpoint);
    // The shortest wait there is.
    const { events } = await startTestBridge(configOf(pems, { service: { port: endpoint.port } }), { random: () => 0 });
    await events.service("error");
    endpoint.attachPolicy(pems.certificateId, everything);
    await events.service("online");
  });

  it("tells an inactive certificate and a wrong client id like a missing policy, for AWS does too", async () => {
    const endpoint = await startEndpoint();
    const pems = await pemsFor(endpoint, policy("p", allow("iot:Connect", "client/another")));
    const { events } = await startTestBridge(configOf(pems, { service: { port: endpoint.port } }));
    expect(await events.service("error")).toMatchObject({ failure: "no-connack" });
  });

  it("names the subscription when the policy does not allow it", async () => {
    const endpoint = await startEndpoint();
    const pems = await pemsFor(endpoint, policy("p", allow("iot:Connect", "*"), allow("iot:Publish", "*")));
    const { events } = await startTestBridge(configOf(pems, { service: { port: endpoint.port } }));
    const { failure, reason } = await events.service("error");
    expect({ failure, reason }).toMatchObject({
      failure: "subscribe-refused",
      reason: expect.stringContaining("iot:Subscribe on topicfilter/sakura/down"),
    });
  });

  it("names the topic when a publish ends the connection", async () => {
    const endpoint = await startEndpoint();
    const pems = await pemsFor(
      endpoint,
      policy("p", allow("iot:Connect", "*"), allow("iot:Subscribe", "*"), allow("iot:Publish", "topic/other/*")),
    );
    const { events, u1 } = await startTestBridge(configOf(pems, { service: { port: endpoint.port } }));
    await events.service("online");
    await u1.send(1);
    const { failure, reason } = await events.service("error");
    expect(failure).toBe("connection-lost");
    expect(reason).toContain("iot:Publish on topic/sakura/up/u1");
  });

  it("says that another client took its client id", async () => {
    const endpoint = await startEndpoint();
    const { events } = await bridgeAt(endpoint);
    await events.service("online");
    await connectClient(endpoint, await registered(endpoint, everything), { clientId: "bridge" });
    const { failure, reason } = await events.service("error");
    expect(failure).toBe("connection-lost");
    expect(reason).toContain("another client with the client id bridge throws this one out");
  });

  it("knows that its own certificate has expired, or is not valid yet", async () => {
    const endpoint = await startEndpoint();
    const expired = await endpoint.authority.issueClient("old", { notAfter: new Date("2020-02-03T04:05:06Z") });
    const future = await endpoint.authority.issueClient("new", { notBefore: new Date(Date.now() + 86_400_000) });
    const root = endpoint.authority.certificate;
    const old = await startTestBridge(configOf({ root, ...expired }, { service: { port: endpoint.port } }));
    const { failure, reason } = await old.events.service("error");
    expect(failure).toBe("certificate-expired");
    expect(reason).toContain("expired on 2020-02-03T04:05:06.000Z");
    const early = await startTestBridge(configOf({ root, ...future }, { service: { port: endpoint.port } }));
    expect(await early.events.service("error")).toMatchObject({ failure: "certificate-not-yet-valid" });
  });

  it("does not trust a server that rootca_cert has not signed, and names the root", async () => {
    const endpoint = await startEndpoint();
    const identity = await registered(endpoint, everything);
    const other = await createAuthority();
    const pems = { root: other.certificate, ...identity };
    const log = recordEvents(endpoint);
    const { events } = await startTestBridge(configOf(pems, { service: { port: endpoint.port } }));
    const { failure, reason } = await events.service("error");
    expect(failure).toBe("server-not-trusted");
    expect(reason).toMatch(
      /it is signed by sakuraio-kit throwaway CA.*rootca_cert must be that authority's certificate/,
    );
    expect(log.all.some(({ type }) => type === "connected")).toBe(false);
  });

  it("does not take a certificate for another name", async () => {
    const server = await tlsServer({ names: ["elsewhere.example"] });
    const { events } = await startTestBridge(configOf(await pemsOf(), { service: { port: server.port } }));
    expect(await events.service("error")).toMatchObject({ failure: "server-name-mismatch" });
  });

  it("does not take a server whose certificate has expired", async () => {
    const server = await tlsServer({ notAfter: new Date("2020-02-03T04:05:06Z") });
    const { events } = await startTestBridge(configOf(await pemsOf(), { service: { port: server.port } }));
    expect(await events.service("error")).toMatchObject({ failure: "server-expired" });
  });

  it("offers TLS 1.3 and 1.2, and nothing older", async () => {
    let hello: (bytes: Buffer) => void = () => undefined;
    const first = new Promise<Buffer>((resolve) => (hello = resolve));
    const server = await listening(createTcpServer((socket) => socket.once("data", hello)));
    await startTestBridge(configOf(await pemsOf(), { service: { port: server.port } }));
    // RFC 8446 §4.2.1: the extension 43, its length, the length of the list, the versions.
    expect((await first).toString("hex")).toContain("002b00050403040303");
  });

  it("says that nothing listens", async () => {
    const server = await listening(createTcpServer());
    await server.close();
    const { events } = await startTestBridge(configOf(await pemsOf(), { service: { port: server.port } }));
    const { failure, reason } = await events.service("error");
    expect(failure).toBe("connection-refused");
    expect(reason).toContain(`nothing listens on 127.0.0.1:${server.port}`);
  });

  it("says that what listens does not speak TLS", async () => {
    const server = await listening(createTcpServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")));
    const { events } = await startTestBridge(configOf(await pemsOf(), { service: { port: server.port } }));
    expect(await events.service("error")).toMatchObject({ failure: "not-tls" });
  });

  it("gives up a server that never answers, before TLS or after it", async () => {
    for (const start of [() => listening(createTcpServer()), () => tlsServer({})]) {
      const server = await start();
      const clock = new VirtualClock(Date.now());
      const { events } = await startTestBridge(configOf(await pemsOf(), { service: { port: server.port } }), { clock });
      await server.connected;
      await clock.advance(30_000);
      const { failure, reason } = await events.service("error");
      expect(failure).toBe("timed-out");
      expect(reason).toContain("after 30 s");
    }
  });

  it("is closed at once while it waits for an answer", async () => {
    const server = await listening(createTcpServer());
    const { bridge, events } = await startTestBridge(configOf(await pemsOf(), { service: { port: server.port } }), {
      clock: new VirtualClock(Date.now()),
    });
    await server.connected;
    await bridge.close();
    expect(await events.service("stopped")).toBeDefined();
  });
});

/** Certificates that no server of this file asks for. */
async function pemsOf(): Promise<Pems> {
  const ca = await authority;
  return { root: ca.certificate, ...(await ca.issueClient("a test's")) };
}

interface Listening {
  readonly port: number;
  /** Resolves with the first connection. */
  readonly connected: Promise<void>;
  close(): Promise<void>;
}

/** A server of the test's own on a free port, closed after the test with all of its connections. */
async function listening(server: Server): Promise<Listening> {
  const sockets = new Set<{ destroy(): void }>();
  const connected = new Promise<void>((resolve) => {
    server.on("connection", (socket) => {
      sockets.add(socket.on("error", () => undefined));
      resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  onTestFinished(close);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { port: address.port, connected, close };
}

/** A TLS server that shakes hands and then says nothing. */
async function tlsServer(
  { names = ["localhost", "127.0.0.1"], notAfter, tls = {} }: { names?: string[]; notAfter?: Date; tls?: TlsOptions },
  onSecure: (socket: { servername: string | false }) => void = () => undefined,
): Promise<Listening> {
  const identity = await (await authority).issueServer(names, notAfter ? { notAfter } : {});
  const server = createTlsServer({ key: identity.privateKey, cert: identity.certificate, ...tls });
  server.on("tlsClientError", () => undefined);
  server.on("secureConnection", (socket) => {
    socket.on("error", () => undefined);
    onSecure({
      servername: "servername" in socket && typeof socket.servername === "string" ? socket.servername : false,
    });
    if (onSecure.length > 0) socket.end();
  });
  return listening(server);
}
