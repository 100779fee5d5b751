import { X509Certificate } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import {
  createAuthority,
  startWorkspace,
  type Workspace,
  type WorkspaceOptions,
} from "../../../emulator/aws-iot/index.ts";
import { isSakuraError } from "../../../protocol/errors.ts";
import { connectClient, messages, recordEvents } from "./support.ts";

const FILES = [
  "certs/device.pem.crt",
  "certs/observer.pem.crt",
  "certs/observer.pem.key",
  "certs/private.pem.key",
  "certs/root-ca.key",
  "certs/root-ca.pem",
];

async function temporary(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), "sakuraio-aws-iot-"));
  onTestFinished(() => rm(parent, { recursive: true }));
  return join(parent, "workspace");
}

async function start(dir: string, options: Partial<WorkspaceOptions> = {}): Promise<Workspace> {
  const workspace = await startWorkspace({ dir, policy: true, ...options });
  onTestFinished(() => workspace.close());
  return workspace;
}

const read = (dir: string, file: string) => readFile(join(dir, file), "utf8");
const readAll = (dir: string) => Promise.all([...FILES, "bridge.yaml"].map((file) => read(dir, file)));
const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

async function pair(dir: string, certificate: string, privateKey: string) {
  return { certificate: await read(dir, certificate), privateKey: await read(dir, privateKey) };
}
const device = (dir: string) => pair(dir, "certs/device.pem.crt", "certs/private.pem.key");
const observer = (dir: string) => pair(dir, "certs/observer.pem.crt", "certs/observer.pem.key");

/** Self-signed; its key is gone. */
const AMAZON_LIKE = `-----BEGIN CERTIFICATE-----
MIIBrDCCAVGgAwIBAgIUdl6pUnnFPxmn8B9qRAX810yd7JQwCgYIKoZIzj0EAwIw
KjEoMCYGA1UECgwfQW1hem9uLWxpa2UsIG1hZGUgdXAgZm9yIGEgdGVzdDAgFw0y
NjExMjMyMDEwMDdaGA8yMTI2MTAzMDIwMTAwN1owKjEoMCYGA1UECgwfQW1hem9u
LWxpa2UsIG1hZGUgdXAgZm9yIGEgdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABEhEmfGV9FML4dXNNKncnQomcY/j18K0QIj9uxKF4rP+MnNMOUsR7XpsBLZy
IxKMwZ0QKgOpaEEWM6eeS9hBStWjUzBRMB0GA1UdDgQWBBQ7YX5XhY8nqgygZIWL
EURb6lXrAzAfBgNVHSMEGDAWgBQ7YX5XhY8nqgygZIWLEURb6lXrAzAPBgNVHRMB
Af8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQDEwKSJ88wFLbL3SpErvv4MC5zR
NtWeCOgiX+7xJBxiEAIhALyLTKuo8bqZ/sK2PZ7pWsXsfEK3pebzK/HD4y/0ZFCO
-----END CERTIFICATE-----
`;

const invalidConfig = (error: unknown) => isSakuraError(error, "INVALID_CONFIG");

describe("a new workspace", () => {
  it("has the files, the keys for their owner alone", async () => {
    const dir = await temporary();
    await start(dir);
    expect((await readdir(dir, { recursive: true })).sort()).toEqual(["bridge.yaml", "certs", ...FILES]);
    if (process.platform === "win32") return;
    expect(await mode(dir)).toBe("700");
    for (const key of ["root-ca.key", "private.pem.key", "observer.pem.key"]) {
      expect(await mode(join(dir, "certs", key))).toBe("600");
    }
  });

  it("has a bridge.yaml that says where all is", async () => {
    const dir = await temporary();
    const { endpoint, configPath } = await start(dir);
    expect(configPath).toBe(join(dir, "bridge.yaml"));
    expect(parse(await read(dir, "bridge.yaml"))).toEqual({
      services: [
        {
          name: "emulated AWS IoT",
          type: "aws-iot",
          hostname: "localhost",
          port: endpoint.port,
          publish_prefix: "sakura/up",
          subscribe_topic: "sakura/down",
          rootca_cert: "certs/root-ca.pem",
          cert: "certs/device.pem.crt",
          private_key: "certs/private.pem.key",
        },
      ],
      modules: [{ id: "u0123456789ab", link: "emulated", uart: "pty" }],
    });
  });

  it("has topics that need quotes in YAML", async () => {
    const dir = await temporary();
    await start(dir, { publishPrefix: "a: b/#c".replace("#", "%"), subscribeTopic: "123" });
    const [service] = parse(await read(dir, "bridge.yaml")).services;
    expect([service.publish_prefix, service.subscribe_topic]).toEqual(["a: b/%c", "123"]);
  });

  it.each(["", "/", "a/#", "a/+/b", "a*", "a?", `\${iot:ClientId}`])("refuses the prefix %j", async (publishPrefix) => {
    const starting = start(await temporary(), { publishPrefix });
    await expect(starting).rejects.toSatisfy((error) => isSakuraError(error, "INVALID_ARGUMENT"));
  });
});

describe("its identities", () => {
  it("are a bridge's and a person's, each allowed what it needs", async () => {
    const dir = await temporary();
    const { endpoint } = await start(dir, { publishPrefix: "up/" });
    const bridge = await connectClient(endpoint, await device(dir), { clientId: "bridge" });
    const person = await connectClient(endpoint, await observer(dir), { clientId: "person" });
    await bridge.subscribeAsync("sakura/down");
    await person.subscribeAsync("up/#");
    const up = messages(person, 1);
    await bridge.publishAsync("up/u0123456789ab", "1", { qos: 1 });
    expect(await up).toEqual(["up/u0123456789ab 1"]);
    const down = messages(bridge, 1);
    await person.publishAsync("sakura/down", "2", { qos: 1 });
    expect(await down).toEqual(["sakura/down 2"]);
  });

  it.each([
    ["publish elsewhere", (client: Client) => client.publish("up", "")],
    ["publish as the cloud", (client: Client) => client.publish("sakura/down", "")],
    ["subscribe to more", (client: Client) => client.subscribe("sakura/#")],
  ])("do not let a bridge %s", async (_what, act) => {
    const dir = await temporary();
    const { endpoint } = await start(dir);
    const bridge = await connectClient(endpoint, await device(dir));
    const closed = new Promise<void>((resolve) => bridge.once("close", () => resolve()));
    act(bridge);
    await closed;
  });

  it("have the bridge's policy only when it is wanted, and from when it is attached", async () => {
    const dir = await temporary();
    const workspace = await start(dir, { policy: false });
    const log = recordEvents(workspace.endpoint);
    await expect(connectClient(workspace.endpoint, await device(dir))).rejects.toThrow("before a CONNACK");
    expect((await log.first("refused")).reason).toBe("no-policy");
    workspace.attachPolicy();
    const bridge = await connectClient(workspace.endpoint, await device(dir));
    const closed = new Promise<void>((resolve) => bridge.once("close", () => resolve()));
    workspace.detachPolicy();
    await closed;
    await connectClient(workspace.endpoint, await observer(dir));
  });
});

type Client = Awaited<ReturnType<typeof connectClient>>;

describe("a workspace that is there", () => {
  it("is used as it is, on the same port", async () => {
    const dir = await temporary();
    const first = await start(dir);
    const before = await readAll(dir);
    await first.close();
    const second = await start(dir, { port: first.endpoint.port });
    expect(await readAll(dir)).toEqual(before);
    expect(second.notes).toEqual([]);
    await connectClient(second.endpoint, await device(dir));
  });

  it("has nothing but the port changed in its bridge.yaml", async () => {
    const dir = await temporary();
    const first = await start(dir);
    await first.close();
    const edited = `# mine
services:
  - { type: aws-iot, name: other, hostname: example.com, port: 8883, rootca_cert: certs/root-ca.pem }
  - type:   aws-iot
    name: "edited"
    hostname: 127.0.0.1
    port:   0x1F90   # decimal or not
    rootca_cert: ./certs/root-ca.pem
  - { type: aws-iot, hostname: localhost, port: 9, rootca_cert: elsewhere/root-ca.pem }
`;
    await writeFile(join(dir, "bridge.yaml"), edited);
    await chmod(join(dir, "bridge.yaml"), 0o640);
    const second = await start(dir);
    expect(second.notes).toEqual([]);
    expect(await read(dir, "bridge.yaml")).toBe(edited.replace("0x1F90", String(second.endpoint.port)));
    if (process.platform !== "win32") expect(await mode(join(dir, "bridge.yaml"))).toBe("640");
  });

  it.each([
    ["that is not YAML", "services: [", "not YAML"],
    ["without services", "modules: []\n", "no service in it"],
    [
      "of another endpoint",
      "services:\n  - { hostname: localhost, rootca_cert: other.pem, port: 1 }\n",
      "no service in it",
    ],
    ["without a port", "services:\n  - { hostname: localhost, rootca_cert: certs/root-ca.pem }\n", 'the line "port: '],
  ])("has a bridge.yaml %s left alone, and says so", async (_what, text, note) => {
    const dir = await temporary();
    await mkdir(dir);
    await writeFile(join(dir, "bridge.yaml"), text);
    const { notes } = await start(dir);
    expect(notes).toEqual([expect.stringContaining(note)]);
    expect(await read(dir, "bridge.yaml")).toBe(text);
  });

  it("gets back what is missing, from the same authority", async () => {
    const dir = await temporary();
    await (await start(dir)).close();
    const before = await Promise.all(FILES.map((file) => read(dir, file)));
    await rm(join(dir, "certs/private.pem.key"));
    const { endpoint } = await start(dir);
    const after = await Promise.all(FILES.map((file) => read(dir, file)));
    expect(FILES.filter((_file, i) => before[i] !== after[i])).toEqual([
      "certs/device.pem.crt",
      "certs/private.pem.key",
    ]);
    await connectClient(endpoint, await device(dir));
  });

  it.each([
    ["a damaged device key", "certs/private.pem.key", "certs/observer.pem.key"],
    ["another certificate's key", "certs/observer.pem.key", "certs/private.pem.key"],
  ])("gets a new pair for %s", async (_what, damaged, other) => {
    const dir = await temporary();
    await (await start(dir)).close();
    await writeFile(join(dir, damaged), await read(dir, other));
    const { endpoint } = await start(dir);
    await connectClient(endpoint, await device(dir), { clientId: "device" });
    await connectClient(endpoint, await observer(dir), { clientId: "observer" });
  });

  it("gets all anew when its authority cannot sign any more", async () => {
    const dir = await temporary();
    await (await start(dir)).close();
    const before = await Promise.all(FILES.map((file) => read(dir, file)));
    await rm(join(dir, "certs/root-ca.key"));
    const { endpoint } = await start(dir);
    const after = await Promise.all(FILES.map((file) => read(dir, file)));
    expect(FILES.filter((_file, i) => before[i] === after[i])).toEqual([]);
    await connectClient(endpoint, await device(dir));
  });

  it("gets all anew when its authority is about to expire", async () => {
    const dir = await temporary();
    await mkdir(join(dir, "certs"), { recursive: true });
    const old = await createAuthority({ notAfter: new Date(Date.now() + 3600 * 1000) });
    await writeFile(join(dir, "certs/root-ca.pem"), old.certificate);
    await writeFile(join(dir, "certs/root-ca.key"), old.privateKey);
    await start(dir);
    expect(await read(dir, "certs/root-ca.pem")).not.toBe(old.certificate);
  });
});

describe("a directory with files of somebody else's", () => {
  it.each([
    ["a key without a certificate", "certs/private.pem.key", "-----BEGIN RSA PRIVATE KEY-----"],
    ["something that is no certificate", "certs/device.pem.crt", "mine"],
    ["something that is no root", "certs/root-ca.pem", "mine"],
  ])("is not touched: %s", async (_what, file, text) => {
    const dir = await temporary();
    await mkdir(join(dir, "certs"), { recursive: true });
    await writeFile(join(dir, file), text);
    await expect(start(dir)).rejects.toSatisfy(invalidConfig);
    expect(await readdir(dir, { recursive: true })).toEqual(["certs", file]);
    expect(await read(dir, file)).toBe(text);
  });

  it("is not touched: a certificate that another authority signed", async () => {
    const dir = await temporary();
    await mkdir(join(dir, "certs"), { recursive: true });
    await writeFile(join(dir, "certs/device.pem.crt"), AMAZON_LIKE);
    expect(new X509Certificate(AMAZON_LIKE).issuer).toContain("Amazon");
    await expect(start(dir)).rejects.toSatisfy(invalidConfig);
    expect(await readdir(dir, { recursive: true })).toEqual(["certs", "certs/device.pem.crt"]);
  });

  it("is refused when it is a file", async () => {
    const dir = await temporary();
    await writeFile(dir, "");
    await expect(start(dir)).rejects.toSatisfy(invalidConfig);
  });

  it("is not written when the port is taken", async () => {
    const dir = await temporary();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void taken.close());
    const address = taken.address();
    const port = typeof address === "object" && address ? address.port : 0;
    await expect(start(dir, { port })).rejects.toSatisfy((error) => isSakuraError(error, "PORT_BUSY"));
    expect(await readdir(dir)).toEqual(["certs"]);
  });
});
