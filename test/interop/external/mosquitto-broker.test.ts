/** The bridge at a broker that nobody here wrote: Mosquitto, with certificates on both sides. */
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { expect, it, onTestFinished } from "vitest";
import { createAuthority } from "../../../emulator/aws-iot/index.ts";
import { configOf, type Pems, startTestBridge, temporaryDirectory } from "../../bridge/support.ts";
import { Mosquitto } from "../../support/mosquitto.ts";

const authority = createAuthority();

async function broker(...configuration: string[]): Promise<{ mosquitto: Mosquitto; pems: Pems }> {
  const { certificate: root, issueClient, issueServer } = await authority;
  const server = await issueServer(["localhost", "127.0.0.1"]);
  const mosquitto = await Mosquitto.start({
    ...{ directory: join(temporaryDirectory(), "mosquitto"), root, configuration },
    ...{ certificate: server.certificate, privateKey: server.privateKey },
  });
  onTestFinished(() => mosquitto.end("SIGKILL"));
  return { mosquitto, pems: { root, ...(await issueClient("bridge")) } };
}

/** An application in the cloud: keeps its session, so that a broker's restart costs it nothing. */
async function application(
  { port }: Mosquitto,
  { root }: Pems,
): Promise<{ client: MqttClient; lines: string[]; until(count: number): Promise<string[]> }> {
  const { certificate, privateKey } = await (await authority).issueClient("application");
  const client = await connectAsync({
    ...{ protocol: "mqtts", host: "localhost", port, ca: root, cert: certificate, key: privateKey },
    ...{ clientId: "application", clean: false, reconnectPeriod: 100 },
  });
  onTestFinished(() => client.endAsync(true));
  client.on("error", () => undefined);
  const lines: string[] = [];
  let wake = (): void => undefined;
  client.on("message", (topic, payload) => {
    lines.push(`${topic} ${payload.toString()}`);
    wake();
  });
  await client.subscribeAsync("sakura/up/#", { qos: 1 });
  const until = async (count: number): Promise<string[]> => {
    while (lines.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return lines;
  };
  return { client, lines, until };
}

const numberIn = (line: string): number => JSON.parse(line.slice(line.indexOf("{"))).payload.channels[0].value;

it.each([0, 1])("publishes in order and takes what comes down, at QoS %i", async (qos) => {
  const { mosquitto, pems } = await broker();
  const cloud = await application(mosquitto, pems);
  const { events, u1, u2 } = await startTestBridge(
    configOf(pems, { service: { hostname: "localhost", port: mosquitto.port, qos } }),
  );
  await events.service("online");
  for (let n = 1; n <= 300; n++) await (n % 3 === 0 ? u2 : u1).send(n);
  const lines = await cloud.until(300);
  const u1Values = lines.filter((line) => line.startsWith("sakura/up/u1 ")).map(numberIn);
  expect(u1Values).toEqual([...u1Values].sort((a, b) => a - b));
  expect(u1Values).toHaveLength(200);
  expect(lines.filter((line) => line.startsWith("sakura/up/u2 ")).map(numberIn)).toHaveLength(100);

  const down =
    '{"type":"channels","module":"u1","payload":{"channels":[{"channel":5,"type":"L","value":18446744073709551615}]}}';
  await cloud.client.publishAsync("sakura/down", down, { qos: 1 });
  await events.first(({ type }) => type === "downlink");
  expect(u1.delivered).toEqual([
    {
      type: "channels",
      module: "u1",
      payload: { channels: [{ channel: 5, type: "L", value: 18446744073709551615n }] },
    },
  ]);
});

it("keeps what comes while the broker is down, and publishes it in order when it is back", async () => {
  const { mosquitto, pems } = await broker();
  const cloud = await application(mosquitto, pems);
  const { bridge, events, u1 } = await startTestBridge(
    configOf(pems, { service: { hostname: "localhost", port: mosquitto.port, qos: 1 } }),
  );
  await events.service("online");
  await u1.send(1);
  await cloud.until(1);
  await mosquitto.end();
  await events.service("error");
  for (let n = 2; n <= 50; n++) await u1.send(n);
  await mosquitto.begin();
  bridge.retry("plant-a");
  const values = (await cloud.until(50)).map(numberIn);
  expect([...new Set(values)]).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
});

it("gets down what was published while it was away, at QoS 1", async () => {
  const { mosquitto, pems } = await broker();
  const cloud = await application(mosquitto, pems);
  const config = configOf(pems, { service: { hostname: "localhost", port: mosquitto.port, qos: 1 } });
  const first = await startTestBridge(config);
  await first.events.service("online");
  await first.bridge.close();
  const down = '{"type":"channels","module":"u1","payload":{"channels":[{"channel":1,"type":"i","value":7}]}}';
  await cloud.client.publishAsync("sakura/down", down, { qos: 1 });
  const second = await startTestBridge(config);
  await second.events.first(({ type }) => type === "downlink");
  expect(second.u1.delivered).toHaveLength(1);
});

it("says why a certificate is refused", async () => {
  const { mosquitto, pems } = await broker();
  const stranger = await (await createAuthority()).issueClient("bridge");
  const { events } = await startTestBridge(
    configOf({ ...pems, ...stranger }, { service: { hostname: "localhost", port: mosquitto.port } }),
  );
  expect(await events.service("error")).toMatchObject({ failure: "certificate-refused" });
});

it("says that its certificate has expired", async () => {
  const { mosquitto, pems } = await broker();
  const { issueClient } = await authority;
  const expired = await issueClient("bridge", { notBefore: new Date("2024-01-01"), notAfter: new Date("2024-06-01") });
  const { events } = await startTestBridge(
    configOf({ ...pems, ...expired }, { service: { hostname: "localhost", port: mosquitto.port } }),
  );
  expect(await events.service("error")).toMatchObject({
    failure: "certificate-expired",
    reason: expect.stringContaining("2024-06-01"),
  });
});

it("says that the broker's root is not the one it trusts", async () => {
  const { mosquitto, pems } = await broker();
  const { certificate: root } = await createAuthority();
  const { events } = await startTestBridge(
    configOf({ ...pems, root }, { service: { hostname: "localhost", port: mosquitto.port } }),
  );
  expect(await events.service("error")).toMatchObject({ failure: "server-not-trusted" });
});
