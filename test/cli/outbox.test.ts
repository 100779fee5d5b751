import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createAuthority } from "../../emulator/aws-iot/index.ts";
import { MemoryOutbox, type Outbox } from "../../host/bridge/index.ts";
import { outboxDeadLetters, outboxDelete, outboxRetry, outboxStatus } from "../../host/cli/outbox.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { temporaryDirectory } from "../bridge/support.ts";
import { serviceStats, startPanel, T0 } from "../panel/support.ts";
import { sakuraio } from "../support/command.ts";
import { failsWith } from "../support/errors.ts";
import { FakeIo } from "../support/fake-io.ts";

const authority = createAuthority();
const MESSAGE =
  '{"module":"u1","type":"channels","datetime":"2026-01-02T03:04:05Z","payload":{"channels":[{"channel":0,"type":"L","value":18446744073709551615,"datetime":"2026-01-02T03:04:05Z"}]}}';
const payload = new TextEncoder().encode(MESSAGE);
const letter = (id: string, reason = "too large") => ({ id, module: "u1", payload, setAsideAt: T0, reason });

async function configFile(rest = ""): Promise<string> {
  const { certificate, issueClient } = await authority;
  const client = await issueClient("a test's");
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "root.pem"), certificate);
  writeFileSync(join(directory, "cert.pem"), client.certificate);
  writeFileSync(join(directory, "key.pem"), client.privateKey);
  const file = join(directory, "bridge.yaml");
  const service = `{ name: plant-a, type: aws-iot, hostname: h, publish_prefix: up, subscribe_topic: down, rootca_cert: root.pem, cert: cert.pem, private_key: key.pem }`;
  writeFileSync(file, `services: [${service}]\nmodules: [{ id: u1, link: emulated, uart: pty }]\n${rest}`);
  return file;
}

/** A port on which nothing listens any more. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : 0);
    });
  });
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Of a service that is gone: two messages wait, and one was set aside. */
async function keptOutbox(): Promise<Outbox> {
  const outbox = new MemoryOutbox(1024 * 1024);
  for (let i = 0; i < 3; i++) await outbox.append({ module: "u1", payload }, ["plant-a"]);
  const first = outbox.lane("plant-a").next();
  if (first) await outbox.lane("plant-a").setAside(first, "too large");
  return outbox;
}

describe("sakuraio outbox, of a bridge that runs", () => {
  it("tells what waits", async () => {
    const { panel, control } = await startPanel();
    control.current = {
      ...control.current,
      outbox: { state: "low-space", reason: "90 MB\u001b[2J are left" },
      services: [serviceStats({ waiting: 2, waitingBytes: 700, oldestAt: T0, deadLetters: 1 })],
      orphans: [{ service: "gone", waiting: 1, waitingBytes: 9, oldestAt: undefined, deadLetters: 0 }],
    };
    const io = new FakeIo();
    expect(await outboxStatus({ panel: panel.address, json: false }, io)).toBe(0);
    expect(io.out).toBe(
      "outbox: low-space: 90 MB\\x1b[2J are left\n" +
        "plant-a: 2 messages wait (700 bytes, the oldest since 2026-01-02T03:04:05.000Z), 1 dead letters\n" +
        "gone: 1 messages wait (9 bytes), 0 dead letters\n",
    );
    const json = new FakeIo();
    control.current = { ...control.current, outbox: { state: "ok" }, orphans: [] };
    await outboxStatus({ panel: panel.address, json: true }, json);
    expect(json.out).toBe(
      '{"event":"outbox","state":"ok"}\n' +
        '{"event":"lane","service":"plant-a","waiting":2,"waitingBytes":700,"oldestAt":"2026-01-02T03:04:05.000Z","deadLetters":1}\n',
    );
  });

  it("lists dead letters to the digit, page by page", async () => {
    const { panel, control } = await startPanel();
    control.letters = [letter("7"), letter("8")];
    const io = new FakeIo();
    await outboxDeadLetters({ panel: panel.address, json: true, limit: 2 }, io);
    const line = (id: string) =>
      `{"event":"dead-letter","service":"plant-a","id":"${id}","module":"u1","setAsideAt":"2026-01-02T03:04:05.000Z","reason":"too large","message":${MESSAGE}}\n`;
    expect(io.out).toBe(line("7") + line("8"));
    expect(io.err).toBe("there may be more: go on with --after 8\n");
    const text = new FakeIo();
    await outboxDeadLetters({ panel: panel.address, json: false, limit: 1_500, after: "6" }, text);
    expect(text.out).toContain(`8  2026-01-02T03:04:05.000Z  u1  too large  ${MESSAGE}\n`);
    expect(text.err).toBe("");
    expect(control.calls).toEqual([
      ["deadLetters", "plant-a", { after: undefined, limit: 2 }],
      ["deadLetters", "plant-a", { after: "6", limit: 1_000 }],
    ]);
  });

  it("retries and deletes them", async () => {
    const { panel, control } = await startPanel();
    const io = new FakeIo();
    await outboxRetry({ panel: panel.address, json: false, all: true }, io);
    await outboxDelete({ panel: panel.address, json: true, all: false, id: ["7"], service: "plant-a" }, io);
    expect(io.out).toBe('2 go to plant-a again\n{"event":"deleted","service":"plant-a","messages":1}\n');
    expect(control.calls).toEqual([
      ["retryDeadLetters", "plant-a", "all"],
      ["deleteDeadLetters", "plant-a", ["7"]],
    ]);
  });

  it("asks which, where that is not clear", async () => {
    const { panel, control } = await startPanel();
    const options = { panel: panel.address, json: false };
    control.current = { ...control.current, services: [serviceStats(), serviceStats({ name: "plant-b" })] };
    const io = new FakeIo();
    const unclear = await failsWith("INVALID_ARGUMENT", outboxDelete({ ...options, all: true }, io));
    expect(unclear.message).toBe("say which service with --service: plant-a, plant-b");
    await failsWith("INVALID_ARGUMENT", outboxDelete({ ...options, all: false, service: "plant-a" }, io));
    await failsWith("INVALID_ARGUMENT", outboxDelete({ ...options, all: true, id: ["7"], service: "plant-a" }, io));
    const strange = await failsWith("INVALID_ARGUMENT", outboxRetry({ ...options, all: true, service: "x" }, io));
    expect(strange.message).toBe("there is no service x");
    expect(control.calls).toEqual([]);
  });

  it("tells what the bridge refuses, and what is no bridge", async () => {
    const { panel, control } = await startPanel();
    const io = new FakeIo();
    control.outcome = () => Promise.reject(new SakuraError("REFUSED", "the disk is full"));
    const refused = outboxRetry({ panel: panel.address, json: false, all: true }, io);
    expect((await failsWith("REFUSED", refused)).message).toBe("the bridge refuses: the disk is full");
    const other = createServer((_request, response) => response.end("<html>"));
    onTestFinished(() => void other.close());
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const asked = outboxStatus({ panel: `127.0.0.1:${port}`, json: false }, io);
    expect((await failsWith("PORT_FAILED", asked)).message).toContain("is no bridge of this version");
  });

  it("is stopped while it waits", async () => {
    const silent = createServer(() => undefined);
    onTestFinished(() => {
      silent.closeAllConnections();
      silent.close();
    });
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const address = silent.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const io = new FakeIo();
    const asked = outboxStatus({ panel: `127.0.0.1:${port}`, json: false }, io);
    await new Promise((resolve) => silent.once("request", resolve));
    io.stop();
    await failsWith("ABORTED", asked);
  });
});

describe("sakuraio outbox, of a bridge that does not run", () => {
  it("opens what it keeps, where that can be opened", async () => {
    const config = await configFile(`http: { listen: "127.0.0.1:${await freePort()}" }\n`);
    const outbox = await keptOutbox();
    const open = async () => outbox;
    const io = new FakeIo();
    await outboxStatus({ config, json: true }, io, open);
    expect(io.out).toMatch(
      /^\{"event":"outbox","state":"ok"\}\n\{"event":"lane","service":"plant-a","waiting":2,"waitingBytes":\d+,"oldestAt":"[^"]+","deadLetters":1\}\n$/,
    );
    const list = new FakeIo();
    await outboxDeadLetters({ config, json: true, limit: 10 }, list, open);
    expect(list.out).toContain(`"reason":"too large","message":${MESSAGE}}\n`);
    await outboxRetry({ config, json: true, all: true }, list, open);
    expect(list.out).toContain('{"event":"retried","service":"plant-a","messages":1}\n');
    expect(outbox.lane("plant-a").messages).toBe(3);
    await failsWith("INVALID_ARGUMENT", outboxDelete({ config, json: true, all: true, service: "x" }, io, open));
    expect(outbox.lanes()).toEqual(["plant-a"]);
    // It is closed again, each time.
    await failsWith("CLOSED", outbox.append({ module: "u1", payload }, ["plant-a"]));
  });

  it("says that the bridge must run, where it cannot", async () => {
    const io = new FakeIo();
    const without = failsWith("INVALID_ARGUMENT", outboxStatus({ config: await configFile(), json: false }, io));
    expect((await without).message).toContain('put http: { listen: "127.0.0.1:8080" } into');
    const port = await freePort();
    const away = failsWith("PORT_NOT_FOUND", outboxStatus({ panel: `127.0.0.1:${port}`, json: false }, io));
    expect((await away).message).toBe(`no bridge listens on 127.0.0.1:${port}`);
    const config = await configFile('http: { listen: "127.0.0.1:0" }\n');
    await failsWith("INVALID_ARGUMENT", outboxStatus({ config, json: false }, io));
    await failsWith("INVALID_ARGUMENT", outboxStatus({ json: false }, io));
    await failsWith("INVALID_ARGUMENT", outboxStatus({ panel: "10.0.0.1:80", json: false }, io));
  });
});

it("the command says what it did, and how it went", async () => {
  const { panel } = await startPanel();
  expect(await sakuraio("outbox", "--panel", panel.address, "status", "--json")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\{"event":"outbox","state":"ok"\}\n\{"event":"lane","service":"plant-a",.*\}\n$/),
    stderr: "",
  });
  expect(await sakuraio("outbox", "--panel", panel.address, "retry", "--id", "7", "8", "--json")).toMatchObject({
    code: 0,
    stdout: '{"event":"retried","service":"plant-a","messages":2}\n',
  });
  expect(await sakuraio("outbox", "--panel", panel.address, "delete")).toMatchObject({
    code: 2,
    stderr: "sakuraio: say which dead letters: --id ID… for some, or --all\n",
  });
});
