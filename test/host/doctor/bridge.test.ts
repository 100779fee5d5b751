/** The doctor at a whole bridge's file, against the emulated AWS IoT endpoint over real TLS. */
import { X509Certificate } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createAuthority } from "../../../emulator/aws-iot/certificates.ts";
import type { AwsIotEndpoint } from "../../../emulator/aws-iot/index.ts";
import { listenTcp } from "../../../emulator/bus/tcp.ts";
import { attachUart } from "../../../emulator/bus/uart.ts";
import { EmulatedModule } from "../../../emulator/module.ts";
import { startBridge } from "../../../host/bridge/index.ts";
import { doctorVerb } from "../../../host/cli/doctor.ts";
import { linkFactories } from "../../../host/cli/link-factories.ts";
import { systemClock } from "../../../host/clock.ts";
import { loadConfig } from "../../../host/config/load.ts";
import { type ExamineBridgeOptions, examineBridge } from "../../../host/doctor/examine-bridge.ts";
import { diagnose, type Finding } from "../../../host/doctor/finding.ts";
import { openPanel } from "../../../host/panel/server.ts";
import { everything, recordEvents, registered, startEndpoint } from "../../emulator/aws-iot/support.ts";
import { findingOf, verdicts } from "../../support/doctor.ts";
import { FakeIo } from "../../support/fake-io.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "doctor-bridge-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

interface Scene {
  readonly fields?: Readonly<Record<string, string | number | undefined>>;
  readonly modules?: readonly string[];
  readonly rest?: string;
  readonly identity?: { readonly certificate: string; readonly privateKey: string };
}

const startLocal = (): Promise<AwsIotEndpoint> => startEndpoint({ host: "localhost" });

/** Writes a bridge's file whose service is at the endpoint. */
async function place(endpoint: AwsIotEndpoint, scene: Scene = {}): Promise<string> {
  const identity = scene.identity ?? (await registered(endpoint, everything));
  writeFileSync(join(folder, "root.pem"), endpoint.authority.certificate);
  writeFileSync(join(folder, "cert.pem"), identity.certificate);
  writeFileSync(join(folder, "key.pem"), identity.privateKey, { mode: 0o600 });
  const fields = {
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
    ...scene.fields,
  };
  const service = Object.entries(fields).flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${value}`]));
  const modules = (scene.modules ?? ["{ id: u1, link: emulated, uart: pty }"]).map((line) => `  - ${line}`);
  const file = join(folder, "bridge.yaml");
  const parts = [`services:\n  - ${service.join("\n    ")}`, `modules:\n${modules.join("\n")}`, scene.rest ?? ""];
  writeFileSync(file, parts.join("\n"));
  return file;
}

async function examined(file: string, options: ExamineBridgeOptions = {}): Promise<Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of examineBridge(file, { echoes: 3, ...options })) findings.push(finding);
  return findings;
}

const of = (findings: readonly Finding[], subject: string): Finding[] =>
  findings.filter((finding) => finding.subject === subject);

describe("a service", () => {
  it("passes each step, and nothing is made or published", async () => {
    const endpoint = await startLocal();
    const file = await place(endpoint);
    const before = readdirSync(folder);
    const findings = await examined(file);
    expect(verdicts(findings)).toEqual([
      "ok file",
      "ok outbox",
      "ok certificate",
      "ok root",
      "ok name",
      "ok tcp",
      "ok tls",
      "ok connect",
      "ok subscribe",
      "skipped receive",
      "skipped publish",
      "ok uart",
    ]);
    expect(diagnose(findings).text).toBe("All that was checked is well. Not checked: receive, publish");
    expect(readdirSync(folder)).toEqual(before);
  });

  it("without a policy stops at the connection", async () => {
    const endpoint = await startLocal();
    const findings = await examined(await place(endpoint, { identity: await registered(endpoint) }));
    const finding = findingOf(findings, "connect");
    expect(finding).toMatchObject({ subject: "service plant-a", verdict: "problem" });
    expect(finding.seen).toContain("iot:Connect on client/gateway");
    expect(diagnose(findings)).toMatchObject({ outcome: "stops", first: finding });
  });

  it("at a closed port stops at tcp", async () => {
    const endpoint = await startLocal();
    const file = await place(endpoint);
    await endpoint.close();
    expect(verdicts(of(await examined(file), "service plant-a"))).toEqual([
      "ok certificate",
      "ok root",
      "ok name",
      "problem tcp",
      "skipped subscribe",
      "skipped receive",
      "skipped publish",
    ]);
  });

  it("with a name that nobody knows stops at name", async () => {
    const endpoint = await startLocal();
    const findings = await examined(await place(endpoint, { fields: { hostname: "nowhere.invalid" } }));
    expect(findingOf(findings, "name").verdict).toBe("problem");
  });

  it.each([
    [-1, "problem", "cert expired on "],
    [10, "warning", "cert expires in 10 days, on "],
    [29, "warning", "cert expires in 29 days, on "],
    [31, "ok", "cert is valid until "],
  ])("whose certificate has %s days left is %s", async (days, verdict, seen) => {
    const endpoint = await startLocal();
    const file = await place(endpoint);
    const { validTo } = loadConfig(file).services[0]?.credentials.certificate ?? { validTo: "" };
    // A minute inside the day.
    const now = Date.parse(validTo) - days * 86_400_000 - 60_000;
    const clock = { ...systemClock, now: () => now, monotonic: () => systemClock.now() };
    const finding = findingOf(await examined(file, { clock }), "certificate");
    expect(finding).toMatchObject({ verdict, subject: "service plant-a" });
    expect(finding.seen.startsWith(seen)).toBe(true);
  });

  it("with another certificate's key is a problem of the file", async () => {
    const endpoint = await startLocal();
    const identity = await registered(endpoint, everything);
    const { privateKey } = await registered(endpoint, everything);
    const findings = await examined(await place(endpoint, { identity: { ...identity, privateKey } }));
    expect(verdicts(findings)).toEqual(["problem file"]);
    expect(findings[0]?.seen).toContain("does not belong to cert");
  });

  it("without a client id is reached and not connected to, none is made, and it is not said to work", async () => {
    const endpoint = await startLocal();
    const log = recordEvents(endpoint);
    const file = await place(endpoint, { fields: { client_id: undefined } });
    const findings = await examined(file);
    expect(verdicts(of(findings, "service plant-a"))).toEqual([
      "ok certificate",
      "ok root",
      "ok name",
      "ok tcp",
      "ok tls",
      "skipped connect",
    ]);
    expect(log.all.filter(({ type }) => type === "connected")).toEqual([]);
    expect(existsSync(join(folder, "outbox"))).toBe(false);
    const { outcome, text } = diagnose(findings);
    expect(outcome).toBe("unknown");
    expect(text).toContain(`"service plant-a: connect" was not checked. Do this first: \`sakuraio aws-iot policy`);
    expect(text).toContain(`--config ${file} --service plant-a`);
    const io = new FakeIo();
    expect(await doctorVerb({ config: file, json: true }, io)).toBe(1);
    expect(JSON.parse(io.out.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({ ok: false, outcome: "unknown" });
  });

  it("without a client id stops where it cannot be reached", async () => {
    const endpoint = await startLocal();
    const file = await place(endpoint, { fields: { client_id: undefined } });
    writeFileSync(join(folder, "root.pem"), (await createAuthority()).certificate);
    const findings = await examined(file);
    expect(verdicts(of(findings, "service plant-a")).slice(3)).toEqual(["ok tcp", "problem tls", "skipped connect"]);
    expect(diagnose(findings)).toMatchObject({ outcome: "stops", first: findingOf(findings, "tls") });
    await endpoint.close();
    expect(findingOf(await examined(file), "tcp").verdict).toBe("problem");
  });

  it.each([
    [-1, "problem", "rootca_cert expired on "],
    [10, "warning", "rootca_cert expires in 10 days, on "],
    [31, "ok", "rootca_cert is valid until "],
  ])("whose root certificate has %s days left is %s", async (days, verdict, seen) => {
    const endpoint = await startLocal();
    const file = await place(endpoint);
    const { validTo } = new X509Certificate(endpoint.authority.certificate);
    const now = Date.parse(validTo) - days * 86_400_000 - 60_000;
    const clock = { ...systemClock, now: () => now, monotonic: () => systemClock.now() };
    const finding = findingOf(await examined(file, { clock }), "root");
    expect(finding).toMatchObject({ verdict, subject: "service plant-a" });
    expect(finding.seen.startsWith(seen)).toBe(true);
  });

  it("among whose roots some are valid says only what has become of the others", async () => {
    const endpoint = await startLocal();
    const file = await place(endpoint);
    const old = await createAuthority({ notAfter: new Date("2020-01-01T00:00:00Z") });
    writeFileSync(join(folder, "root.pem"), `${old.certificate}\n${endpoint.authority.certificate}`);
    const finding = findingOf(await examined(file), "root");
    expect(finding.verdict).toBe("ok");
    expect(finding.seen).toContain("1 of its 2 certificates is out of date");
  });
});

describe("the outbox's folder and the HTTP port", () => {
  it.skipIf(process.platform !== "linux")("are a running bridge's: it and its ports are left alone", async () => {
    const endpoint = await startLocal();
    const panel = await openPanel({ listen: "127.0.0.1:0", clock: systemClock, onFailure: () => undefined });
    onTestFinished(() => panel.close());
    const rest = `http: { listen: "${panel.address}" }`;
    const modules = [`{ id: u1, link: emulated, uart: "pty:${join(folder, "mcu")}" }`];
    const file = await place(endpoint, { modules, rest });
    const bridge = await startBridge({ config: loadConfig(file), links: linkFactories });
    onTestFinished(() => bridge.close());
    const findings = await examined(file);
    expect(findingOf(findings, "outbox")).toMatchObject({
      verdict: "ok",
      facts: { running: true, pid: process.pid },
    });
    expect(findingOf(findings, "http").seen).toBe(`the running bridge answers on ${panel.address}`);
    expect(findingOf(findings, "port")).toMatchObject({ verdict: "skipped", subject: "module u1" });
    expect(verdicts(of(findings, "service plant-a"))).toEqual(["ok certificate", "ok root", "skipped connect"]);
    expect(diagnose(findings).outcome).toBe("unknown");
  });

  it("are taken by another program", async () => {
    const endpoint = await startLocal();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen({ host: "127.0.0.1", port: 0 }, resolve));
    onTestFinished(() => void other.close());
    const address = other.address();
    const port = typeof address === "object" ? address?.port : undefined;
    other.on("connection", (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"));
    const findings = await examined(await place(endpoint, { rest: `http: { listen: "127.0.0.1:${port}" }` }));
    expect(findingOf(findings, "http")).toMatchObject({
      verdict: "problem",
      seen: `another program listens on 127.0.0.1:${port}`,
    });
  });

  it("may be a file, and no folder", async () => {
    const endpoint = await startLocal();
    writeFileSync(join(folder, "outbox"), "");
    chmodSync(join(folder, "outbox"), 0o700);
    expect(findingOf(await examined(await place(endpoint)), "outbox").verdict).toBe("problem");
  });
});

describe("the links", () => {
  it("of a real module are examined as a port is", async () => {
    const endpoint = await startLocal();
    const emulated = new EmulatedModule({ online: false });
    const port = await listenTcp({ host: "127.0.0.1", port: 0 });
    onTestFinished(() => port.close());
    port.onConnection((duplex) => attachUart(emulated, duplex));
    const modules = [`{ id: u1, link: module, port: "${port.uri}" }`];
    const findings = of(await examined(await place(endpoint, { modules })), "module u1");
    expect(findingOf(findings, "parity").verdict).toBe("ok");
    expect(findingOf(findings, "connection").verdict).toBe("problem");
  });

  it("of the others: whether their ports can be had", async () => {
    const endpoint = await startLocal();
    const busy = await listenTcp({ host: "127.0.0.1", port: 0 });
    onTestFinished(() => busy.close());
    writeFileSync(join(folder, "file"), "");
    mkdirSync(join(folder, "here"));
    const modules = [
      `{ id: u1, link: emulated, uart: "${busy.uri}" }`,
      `{ id: u2, link: emulated, uart: "pty:${join(folder, "missing", "link")}" }`,
      `{ id: u3, link: emulated, uart: "pty:${join(folder, "file")}" }`,
      `{ id: u4, link: emulated, bus_pirate: "pty:${join(folder, "here", "link")}" }`,
      `{ id: u5, link: tap, mcu: "/dev/none-such", module: "uart:/dev/none-such-either" }`,
    ];
    const findings = await examined(await place(endpoint, { modules }));
    expect(
      findings.filter(({ subject }) => subject?.startsWith("module")).map(({ verdict, check }) => [verdict, check]),
    ).toEqual([
      ["problem", "uart"],
      ["problem", "uart"],
      ["problem", "uart"],
      ["ok", "bus_pirate"],
      ["problem", "mcu port"],
      ["problem", "module port"],
    ]);
  });
});

describe("the verb", () => {
  it("prints what each finding is about, and the verdict", async () => {
    const file = await place(await startLocal());
    const io = new FakeIo();
    expect(await doctorVerb({ config: file, json: false }, io)).toBe(0);
    expect(io.out).toContain("\n\nservice plant-a\nok  certificate    cert is valid until ");
    expect(io.out).toContain("\n\nmodule u1\nok  uart ");
  });

  it("says what is wrong with a file, and exits 1", async () => {
    const io = new FakeIo();
    const config = join(folder, "none.yaml");
    expect(await doctorVerb({ config, json: true }, io)).toBe(1);
    const [first, last] = io.out
      .trimEnd()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(first).toMatchObject({ event: "finding", check: "file", verdict: "problem" });
    expect(last).toMatchObject({ event: "verdict", ok: false, outcome: "stops", check: "file" });
  });
});
