/** `sakuraio bridge` as a service: its HTTP port, its log, its stop. */
import { readFileSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { AwsIotEndpoint } from "../../emulator/aws-iot/index.ts";
import { SakuraModule } from "../../host/module.ts";
import { temporaryDirectory } from "../bridge/support.ts";
import { everything, registered, startEndpoint } from "../emulator/aws-iot/support.ts";
import { Running, sakuraio } from "../support/command.ts";

interface Config {
  readonly file: string;
  readonly privateKey: string;
}

/** One service and one emulated module; the key stands in a file, or in the configuration itself. */
async function configFor(endpoint: AwsIotEndpoint, rest = "", keyInside = false): Promise<Config> {
  const { certificate, privateKey } = await registered(endpoint, everything);
  const directory = temporaryDirectory();
  const write = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return name;
  };
  const key = keyInside ? `|\n      ${privateKey.trim().replaceAll("\n", "\n      ")}` : write("key.pem", privateKey);
  const text = `services:
  - name: plant-a
    type: aws-iot
    hostname: 127.0.0.1
    port: ${endpoint.port}
    publish_prefix: sakura/up
    subscribe_topic: sakura/down
    rootca_cert: ${write("root.pem", endpoint.authority.certificate)}
    cert: ${write("cert.pem", certificate)}
    private_key: ${key}
modules:
  - { id: u0123456789a, link: emulated, uart: "tcp:127.0.0.1:0" }
${rest}`;
  return { file: join(directory, write("bridge.yaml", text)), privateKey };
}

const HTTP = 'http: { listen: "127.0.0.1:0" }\n';

function bridge(...args: string[]): Running {
  const running = new Running(["bridge", "--json", ...args]);
  onTestFinished(() => {
    running.child.kill("SIGKILL");
  });
  return running;
}

async function textAt(http: unknown, path: string): Promise<string> {
  return (await fetch(`http://${String(http)}${path}`)).text();
}

describe("sakuraio bridge with an HTTP port", () => {
  it("tells its health and its figures, and stops with its readers within the time", async () => {
    const endpoint = await startEndpoint();
    const { file } = await configFor(endpoint, HTTP);
    const running = bridge("--config", file);
    const { endpoints, http } = await running.next("ready");
    expect(http).toMatch(/^127\.0\.0\.1:\d+$/);
    if (!running.lines.some(({ event, state }) => event === "service" && state === "online")) {
      await running.next("service", ({ state }) => state === "online");
    }
    expect(JSON.parse(await textAt(http, "/health"))).toMatchObject({ status: "ok", links: { up: 1 } });
    const before = await textAt(http, "/metrics");
    expect(before).toContain('\nsakuraio_messages_published_total{service="plant-a"} 0\n');
    let sending: Promise<void> | undefined;
    const events = new Promise<string>((resolve, reject) => {
      get(`http://${String(http)}/api/events`, { agent: false }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.on("end", () => resolve(text));
        response.on("error", reject);
        sending = send();
      });
    });
    const send = async (): Promise<void> => {
      const [uri = ""] = Object.values(endpoints as Record<string, string>);
      const mcu = await SakuraModule.open(uri);
      await mcu.txEnqueue({ channel: 3, type: "L", value: 18_446_744_073_709_551_615n });
      await mcu.flush();
      await mcu.close();
    };
    await running.next("published");
    // It is published before the MCU has heard that it is sent.
    await sending;
    const after = await textAt(http, "/metrics");
    expect(after).toContain("\nsakuraio_messages_accepted_total 1\n");
    expect(after).toContain('\nsakuraio_messages_published_total{service="plant-a"} 1\n');
    const { code, stderr } = await running.stop("SIGTERM");
    expect(code).toBe(0);
    expect(stderr).not.toContain("did not stop in time");
    const told = await events;
    expect(told).toContain('"value":18446744073709551615');
    expect(told).toContain('"service":"plant-a","state":"stopped"');
  });

  it("changes a service, in the file too, and sends a value down", async () => {
    const endpoint = await startEndpoint();
    const { file, privateKey } = await configFor(endpoint, HTTP);
    const running = bridge("--config", file);
    const { http, endpoints } = await running.next("ready");
    const ask = async (method: string, path: string, body: string): Promise<[number, string]> => {
      const headers = { "content-type": "application/json" };
      const response = await fetch(`http://${String(http)}${path}`, { method, body, headers });
      return [response.status, await response.text()];
    };
    expect(await ask("PATCH", "/api/services/plant-a", '{"name":"plant-z"}')).toEqual([204, ""]);
    expect(readFileSync(file, "utf8")).toContain("- name: plant-z\n    type: aws-iot\n");
    expect(JSON.parse(await textAt(http, "/api/services"))).toMatchObject({ services: [{ name: "plant-z" }] });
    // Two services must not feed each other, and the refusal must not show the key that came with the question.
    const feeding = {
      name: "plant-b",
      type: "aws-iot",
      hostname: "127.0.0.1",
      publish_prefix: "sakura/up",
      subscribe_topic: "sakura/up/u0123456789a",
      rootca_cert: "root.pem",
      cert: "cert.pem",
      private_key: privateKey,
    };
    const [status, refusal] = await ask("POST", "/api/services", JSON.stringify(feeding));
    expect([status, JSON.parse(refusal)]).toMatchObject([422, { error: { code: "INVALID_CONFIG" } }]);
    expect(holdsKey(refusal, privateKey)).toBe(false);
    const [uri = ""] = Object.values(endpoints as Record<string, string>);
    const mcu = await SakuraModule.open(uri);
    const down = '{"type":"channels","payload":{"channels":[{"channel":1,"type":"l","value":-9223372036854775808}]}}';
    expect(await ask("POST", "/api/modules/u0123456789a/send", down)).toEqual([200, '{"status":"delivered"}']);
    const { offset: _, ...value } = await mcu.rxDequeue();
    expect(value).toEqual({ channel: 1, type: "l", value: -9_223_372_036_854_775_808n });
    // Before the bridge takes its end away.
    await mcu.close();
    const { code, stdout, stderr } = await running.stop();
    expect(code).toBe(0);
    expect(holdsKey(stdout + stderr, privateKey)).toBe(false);
  });

  it("opens it where --panel says, which goes before the file", async () => {
    const endpoint = await startEndpoint();
    const { file } = await configFor(endpoint, 'http: { listen: "127.0.0.1:1" }\n');
    const running = bridge("--config", file, "--panel", "[::1]:0");
    const { http } = await running.next("ready");
    expect(http).toMatch(/^\[::1\]:\d+$/);
    expect(await textAt(http, "/health/live")).toBe('{"status":"ok"}');
    expect((await running.stop()).code).toBe(0);
  });

  it("starts nothing when the port is taken, or not of this machine", async () => {
    const endpoint = await startEndpoint();
    const { file } = await configFor(endpoint);
    const taken = createServer();
    onTestFinished(() => void taken.close());
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, "127.0.0.1", () => {
        const address = taken.address();
        resolve(typeof address === "object" && address ? address.port : 0);
      });
    });
    const busy = await sakuraio("bridge", "--json", "--config", file, "--panel", `127.0.0.1:${port}`);
    expect(busy.code).toBe(1);
    expect(busy.stdout).toMatch(/^\{"event":"error","code":"PORT_BUSY","message":"[^"\n]*"\}\n$/);
    expect(busy.stderr).toMatch(/^sakuraio: http\.listen 127\.0\.0\.1:\d+: another program listens there.*\n$/);
    const beyond = await sakuraio("bridge", "--config", file, "--panel", "0.0.0.0:8080");
    expect(beyond).toMatchObject({ code: 2, stdout: "" });
    expect(beyond.stderr).toMatch(/^sakuraio: --panel 0\.0\.0\.0:8080: must be an address of this machine alone/);
  });
});

describe("the log of sakuraio bridge", () => {
  it("is JSON lines where that is asked for, to the very last", async () => {
    const endpoint = await startEndpoint();
    const { file } = await configFor(endpoint);
    const running = new Running(["bridge", "--config", file], { env: { ...process.env, SAKURAIO_LOG_FORMAT: "json" } });
    await running.shows(/^ready/m);
    const { code, stderr } = await running.stop("SIGTERM");
    expect(code).toBe(0);
    const lines = stderr
      .trimEnd()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(lines).toContainEqual(expect.objectContaining({ level: "info", event: "link", state: "up" }));
    expect(lines).toContainEqual(expect.objectContaining({ event: "stopping", msg: "bridge: stops" }));
    expect(lines.at(-1)).toMatchObject({ event: "service", service: "plant-a", state: "stopped" });
  });

  it("says in JSON too why it ended", async () => {
    const { code, stderr } = await sakuraio("bridge", "--config", "/not/there.yaml", "--log-format", "json");
    expect(code).toBe(2);
    const [first = "", ...rest] = stderr.trimEnd().split("\n");
    expect(JSON.parse(first)).toMatchObject({ level: "error", event: "failed" });
    expect(rest).toEqual([expect.stringMatching(/^sakuraio: .*\/not\/there\.yaml is not there/)]);
  });

  it("has a choice of formats and levels", async () => {
    expect(await sakuraio("bridge", "--config", "x", "--log-format", "xml")).toMatchObject({ code: 2 });
    expect(await sakuraio("bridge", "--config", "x", "--log-level", "loud")).toMatchObject({ code: 2 });
  });
});

/** Whether any line of the key's text is in there. */
function holdsKey(text: string, privateKey: string): boolean {
  const lines = privateKey.split("\n").filter((line) => line.length > 20 && !line.startsWith("-----"));
  expect(lines.length).toBeGreaterThan(1);
  return lines.some((line) => text.includes(line.trim()));
}

describe("a key", () => {
  it.each([[false], [true]])("is in no output and no answer, wherever it stands (inside: %j)", async (keyInside) => {
    const endpoint = await startEndpoint();
    const { file, privateKey } = await configFor(endpoint, HTTP, keyInside);
    expect(holdsKey(readFileSync(keyInside ? file : file.replace("bridge.yaml", "key.pem"), "utf8"), privateKey)).toBe(
      true,
    );
    const running = bridge("--config", file, "--log-format", "json", "--log-level", "debug");
    const { http } = await running.next("ready");
    const answers = await Promise.all(
      ["/api/status", "/api/services", "/health", "/metrics", "/api/services/x/dead-letters"].map((path) =>
        textAt(http, path),
      ),
    );
    // The connection breaks, and is tried again: with errors, and their causes.
    await endpoint.close();
    await running.next("service", ({ state }) => state === "error");
    const { stdout, stderr } = await running.stop();
    expect(holdsKey([stdout, stderr, ...answers].join("\n"), privateKey)).toBe(false);
  });

  it("is not in what a damaged one is refused with", async () => {
    const endpoint = await startEndpoint();
    const { file, privateKey } = await configFor(endpoint, "", true);
    writeFileSync(file, readFileSync(file, "utf8").replace("-----END", "!!\n      -----END"));
    const { code, stdout, stderr } = await sakuraio("bridge", "--config", file, "--json", "--log-format", "json");
    expect(code).toBe(2);
    expect(holdsKey(stdout + stderr, privateKey)).toBe(false);
  });
});
