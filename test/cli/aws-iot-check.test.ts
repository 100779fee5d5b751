/** `sakuraio aws-iot check` against the emulated endpoint, over real TLS, with one right missing at a time. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { AwsIotEndpoint, Policy } from "../../emulator/aws-iot/index.ts";
import { awsIotCheck } from "../../host/cli/aws-iot-check.ts";
import {
  allow,
  connectClient,
  everything,
  messages,
  openClient,
  policy,
  recordEvents,
  registered,
  startEndpoint,
} from "../emulator/aws-iot/support.ts";
import { FakeIo } from "../support/fake-io.ts";

interface Fields {
  readonly [key: string]: string | number;
}

async function fileFor(endpoint: AwsIotEndpoint, policies: readonly Policy[], fields: Fields = {}): Promise<string> {
  const identity = await registered(endpoint, ...policies);
  return writeFile(endpoint, identity, fields);
}

function writeFile(
  endpoint: AwsIotEndpoint,
  identity: { readonly certificate: string; readonly privateKey: string },
  fields: Fields,
): string {
  const directory = mkdtempSync(join(tmpdir(), "sakuraio-check-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, "root.pem"), endpoint.authority.certificate);
  writeFileSync(join(directory, "cert.pem"), identity.certificate);
  writeFileSync(join(directory, "key.pem"), identity.privateKey);
  const all: Fields = {
    name: "plant-a",
    type: "aws-iot",
    hostname: "localhost",
    port: endpoint.port,
    publish_prefix: "sakura/up",
    subscribe_topic: "sakura/down",
    rootca_cert: "root.pem",
    cert: "cert.pem",
    private_key: "key.pem",
    client_id: "gateway",
    ...fields,
  };
  const lines = Object.entries(all).map(([key, value]) => `${key}: ${value}`);
  const file = join(directory, "bridge.yaml");
  const modules = "modules:\n  - { id: u1, link: emulated, uart: pty }\n";
  writeFileSync(file, `services:\n  - ${lines.join("\n    ")}\n${modules}`);
  return file;
}

async function check(config: string, publish = true) {
  const io = new FakeIo();
  const code = await awsIotCheck({ config, publish, json: true }, io);
  const lines = io.out.trim().split("\n");
  const parsed = lines.map((line) => JSON.parse(line) as Record<string, string>);
  const checks = parsed.filter(({ event }) => event === "check");
  const results = checks.map((line) => `${line["check"]} ${line["result"]}`);
  return { code, results, checks, last: parsed.at(-1) };
}

const RIGHTS = {
  connect: allow("iot:Connect", "client/gateway", "client/gateway-2"),
  subscribe: allow("iot:Subscribe", "topicfilter/sakura/down"),
  receive: allow("iot:Receive", "topic/sakura/down"),
  publish: allow("iot:Publish", "topic/sakura/up/*"),
};
const without = (...missing: (keyof typeof RIGHTS)[]) =>
  policy(
    "p",
    ...Object.entries(RIGHTS).flatMap(([name, right]) => (missing.some((one) => one === name) ? [] : [right])),
  );

const startLocal = () => startEndpoint({ host: "localhost" });

it("does not take the limit of one CONNECT a second for a refusal, however soon it is asked again", async () => {
  const endpoint = await startEndpoint({ limits: { connectRate: true } });
  const config = await fileFor(endpoint, [policy("all", ...Object.values(RIGHTS))]);
  for (let times = 0; times < 2; times++) {
    const { code, results } = await check(config, false);
    expect([code, results.includes("connect ok")]).toEqual([0, true]);
  }
});

describe("aws-iot check", () => {
  it("says of each step and right that all is well", async () => {
    const endpoint = await startLocal();
    const file = await fileFor(endpoint, [without()], { connections: 2 });
    const cloud = await connectClient(endpoint, await registered(endpoint, everything), { clientId: "cloud" });
    await cloud.subscribeAsync("sakura/up/#");
    const arrived = messages(cloud, 1);
    const { code, results, checks, last } = await check(file);
    expect(results).toEqual([
      "certificate ok",
      "name ok",
      "tcp ok",
      "tls ok",
      "connect ok",
      "connect ok",
      "subscribe ok",
      "receive not-tested",
      "publish ok",
    ]);
    expect(checks[5]?.["message"]).toBe("iot:Connect on client/gateway-2");
    expect(code).toBe(0);
    expect(last).toEqual({ event: "checked", ok: true });
    expect((await arrived)[0]).toMatch(/^sakura\/up\/u1 \{"type":"keepalive","datetime":"[^"]+"\}$/);
  });

  it("publishes nothing unless it is told to", async () => {
    const endpoint = await startLocal();
    const log = recordEvents(endpoint);
    const { code, results } = await check(
      await fileFor(endpoint, [without()], { result_topic: "sakura/result" }),
      false,
    );
    expect(results.slice(-2)).toEqual(["publish not-tested", "result-topic not-tested"]);
    expect(code).toBe(0);
    expect(log.all.filter(({ type }) => type === "published")).toEqual([]);
  });

  it.each([
    [
      "connect",
      ["connect failed", "subscribe not-tested", "receive not-tested", "publish not-tested"],
      "client/gateway",
    ],
    ["subscribe", ["connect ok", "subscribe failed", "receive not-tested", "publish ok"], "topicfilter/sakura/down"],
    ["publish", ["connect ok", "subscribe ok", "receive not-tested", "publish failed"], "topic/sakura/up/u1"],
  ] as const)("says which right is missing: %s", async (missing, expected, words) => {
    const endpoint = await startLocal();
    const { code, results, checks, last } = await check(await fileFor(endpoint, [without(missing)]));
    expect(results.slice(4)).toEqual(expected);
    expect(checks.find(({ result }) => result === "failed")?.["message"]).toContain(words);
    expect(code).toBe(1);
    expect(last).toEqual({ event: "checked", ok: false });
  });

  it("tests the rights one by one: two that are missing are both told", async () => {
    const endpoint = await startLocal();
    const file = await fileFor(endpoint, [without("subscribe", "publish")], { result_topic: "sakura/up/result/x" });
    const { results } = await check(file);
    expect(results.slice(4)).toEqual([
      "connect ok",
      "subscribe failed",
      "receive not-tested",
      "publish failed",
      "result-topic failed",
    ]);
  });

  it("says which client id may not connect", async () => {
    const endpoint = await startLocal();
    const file = await fileFor(endpoint, [without()], { connections: 3 });
    const { code, checks } = await check(file);
    const failed = checks.filter(({ result }) => result === "failed");
    expect(failed).toHaveLength(1);
    expect(failed[0]?.["message"]).toContain("client/gateway-3");
    expect(code).toBe(1);
  });

  it("tells where a connection ends before there is one", async () => {
    const endpoint = await startLocal();
    const identity = await registered(endpoint, everything);
    const away = await startLocal();
    const { port } = away;
    await away.close();
    const cases: [Fields, string[]][] = [
      [{ hostname: "no-such-host.invalid" }, ["name failed"]],
      [{ port }, ["name ok", "tcp failed"]],
      [{ rootca_cert: "cert.pem", cert: "other.pem", private_key: "other.key" }, ["name ok", "tcp ok", "tls failed"]],
    ];
    for (const [fields, expected] of cases) {
      const file = writeFile(endpoint, identity, fields);
      const other = await endpoint.authority.issueClient("another");
      writeFileSync(join(file, "../other.pem"), other.certificate);
      writeFileSync(join(file, "../other.key"), other.privateKey);
      const { code, results } = await check(file);
      expect(results.slice(1, -3)).toEqual(expected);
      expect(code).toBe(1);
    }
  });

  it("knows an expired certificate by its date", async () => {
    const endpoint = await startLocal();
    const notBefore = new Date(Date.now() - 7_200_000);
    const expired = await endpoint.authority.issueClient("old", {
      notBefore,
      notAfter: new Date(Date.now() - 3_600_000),
    });
    const { code, results } = await check(writeFile(endpoint, expired, {}));
    expect(results[0]).toBe("certificate failed");
    expect(code).toBe(1);
  });

  it("leaves to the bridge what its persistent session holds", async () => {
    const endpoint = await startLocal();
    const identity = await registered(endpoint, everything);
    const options = { clientId: "gateway", clean: false };
    const bridge = await connectClient(endpoint, identity, options);
    await bridge.subscribeAsync("sakura/down", { qos: 1 });
    await bridge.endAsync();
    const cloud = await connectClient(endpoint, await registered(endpoint, everything), { clientId: "cloud" });
    await cloud.publishAsync("sakura/down", "kept", { qos: 1 });
    const { code, results } = await check(writeFile(endpoint, identity, { qos: 1 }));
    expect([code, results.at(-1)]).toEqual([0, "publish ok"]);
    expect(await messages(openClient(endpoint, identity, options), 1)).toEqual(["sakura/down kept"]);
  });

  it("is text for people, a line each, and stops when it is told to", async () => {
    const endpoint = await startLocal();
    const file = await fileFor(endpoint, [without()]);
    const io = new FakeIo();
    expect(await awsIotCheck({ config: file, publish: false, json: false }, io)).toBe(0);
    expect(io.out).toMatch(/^ok {10}connect {6}iot:Connect on client\/gateway$/m);
    expect(io.out).toMatch(
      /^not tested {2}publish {6}iot:Publish on topic\/sakura\/up\/u1: "sakuraio aws-iot check --publish"/m,
    );
    const stopped = new FakeIo();
    stopped.stop();
    await expect(awsIotCheck({ config: file, publish: false, json: false }, stopped)).rejects.toMatchObject({
      code: "ABORTED",
    });
  });
});
