import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { AwsIotEndpoint } from "../../emulator/aws-iot/index.ts";
import { openPty } from "../../emulator/bus/pty.ts";
import { attachUart } from "../../emulator/bus/uart.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import { openBusPirateI2c } from "../../host/adapter/bus-pirate.ts";
import { connectTcp } from "../../host/adapter/tcp.ts";
import { SakuraModule } from "../../host/module.ts";
import { connectClient, everything, messages, registered, startEndpoint } from "../emulator/aws-iot/support.ts";
import { Running, sakuraio } from "../support/command.ts";
import { bytes } from "../vectors/bytes.ts";

/** A configuration in a directory of its own, gone after the test: one service, and these modules. */
async function configFor(endpoint: AwsIotEndpoint, modules: string, port = endpoint.port): Promise<string> {
  const identity = await registered(endpoint, everything);
  const directory = mkdtempSync(join(tmpdir(), "sakuraio-bridge-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, "root.pem"), endpoint.authority.certificate);
  writeFileSync(join(directory, "cert.pem"), identity.certificate);
  writeFileSync(join(directory, "key.pem"), identity.privateKey);
  const file = join(directory, "bridge.yaml");
  writeFileSync(
    file,
    `services:
  - name: plant-a
    type: aws-iot
    hostname: 127.0.0.1
    port: ${port}
    publish_prefix: sakura/up
    subscribe_topic: sakura/down
    rootca_cert: root.pem
    cert: cert.pem
    private_key: key.pem
modules:
${modules}`,
  );
  return file;
}

function bridge(...args: string[]): Running {
  const running = new Running(["bridge", ...args]);
  onTestFinished(() => {
    running.child.kill("SIGKILL");
  });
  return running;
}

/** Resolves once stderr matches. */
async function said(running: Running, pattern: RegExp): Promise<void> {
  while (!pattern.test(running.stderr)) {
    await Promise.race([
      new Promise((resolve) => running.child.stderr.once("data", resolve)),
      running.exited.then(({ stderr }) => {
        throw new Error(`ended before ${pattern}:\n${stderr}`);
      }),
    ]);
  }
}

const DOWN =
  '{"type":"channels","module":"u0123456789a","payload":{"channels":[{"channel":1,"type":"L","value":18446744073709551615}]}}';

describe("sakuraio config", () => {
  it("says whether a file would do, and warns", async () => {
    const endpoint = await startEndpoint();
    const file = await configFor(endpoint, "  - { id: u1, link: emulated, uart: pty }\n");
    const check = (...args: string[]) => new Running(["config", "check", ...args]).exited;
    const warning =
      "bridge.yaml:10:5 services[0].private_key: key.pem may be read by others than its owner: chmod 600 it";
    expect(await check(file)).toMatchObject({
      code: 0,
      stdout: "ok: 1 services, 1 modules\n",
      stderr: `sakuraio: warning: ${warning}\n`,
    });
    expect(JSON.parse((await check(file, "--json")).stdout)).toEqual({
      event: "ok",
      services: 1,
      modules: 1,
      warnings: [warning],
    });
    writeFileSync(file, readFileSync(file, "utf8").replace("sakura/down", "sakura/#"));
    expect(await check(file)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: "sakuraio: bridge.yaml:7:5 services[0].subscribe_topic: has a wildcard (# or +): name one topic\n",
    });
  });

  it("prints the file's JSON Schema", async () => {
    const { code, stdout } = await new Running(["config", "schema"]).exited;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ type: "object", required: ["services", "modules"] });
  });
});

describe("sakuraio bridge", () => {
  it.runIf(process.platform !== "win32")("reads its file again on SIGHUP", async () => {
    const endpoint = await startEndpoint();
    const file = await configFor(endpoint, '  - { id: u1, link: emulated, uart: "tcp:127.0.0.1:0" }\n');
    const running = bridge("--config", file, "--json");
    await running.next("ready");
    const good = readFileSync(file, "utf8");
    writeFileSync(file, `${good}  - { id: u2, link: emulated, uart: "tcp:127.0.0.1:0" }\n`);
    running.child.kill("SIGHUP");
    expect(await running.next("reloaded")).toEqual({
      event: "reloaded",
      services: { added: [], changed: [], removed: [] },
      modules: { added: ["u2"], changed: [], removed: [] },
      needsRestart: [],
    });
    await running.next("link", ({ module, state }) => module === "u2" && state === "up");
    writeFileSync(file, good.replace("modules:", "modulse:"));
    running.child.kill("SIGHUP");
    await said(running, /the configuration was not reloaded: bridge\.yaml:11:1 modulse: is not a key/);
    expect((await running.stop("SIGTERM")).code).toBe(0);
  });

  it("carries values from an MCU to AWS IoT and back, and stops cleanly", async () => {
    const endpoint = await startEndpoint();
    const file = await configFor(
      endpoint,
      '  - { id: u0123456789a, link: emulated, uart: "tcp:127.0.0.1:0" }\n  - { id: u0123456789b, link: emulated, uart: "tcp:127.0.0.1:0" }\n',
    );
    const cloud = await connectClient(endpoint, await registered(endpoint, everything), { clientId: "cloud" });
    await cloud.subscribeAsync("sakura/up/#");
    const arrived = messages(cloud, 1);
    const running = bridge("--config", file, "--json");
    const { endpoints } = await running.next("ready");
    expect(Object.keys(endpoints as object)).toEqual(["u0123456789a", "u0123456789b"]);
    const [uri = ""] = Object.values(endpoints as Record<string, string>);
    const mcu = await SakuraModule.open(uri);
    onTestFinished(() => mcu.close());
    await mcu.txEnqueue({ channel: 3, type: "l", value: -9223372036854775808n });
    await mcu.flush();
    const [line = ""] = await arrived;
    expect(line).toMatch(
      /^sakura\/up\/u0123456789a \{"module":"u0123456789a","type":"channels","datetime":"[^"]+","payload":\{"channels":\[\{"channel":3,"type":"l","value":-9223372036854775808,"datetime":"[^"]+"\}\]\}\}$/,
    );
    cloud.publish("sakura/down", '{"type":"channels","module":"u9","payload":{"channels":[]}}');
    cloud.publish("sakura/down", DOWN);
    await running.next("downlink", ({ accepted }) => accepted === true);
    const { offset: _, ...value } = await mcu.rxDequeue();
    expect(value).toEqual({ channel: 1, type: "L", value: 18446744073709551615n });
    const { code, stdout, stderr } = await running.stop("SIGTERM");
    expect(code).toBe(0);
    // As it was published, to the byte.
    expect(stdout).toContain(`{"event":"message","services":["plant-a"],"message":${line.slice(line.indexOf("{"))}}\n`);
    const events = running.lines.map(({ event, state, accepted }) =>
      [event, state ?? accepted].filter((x) => x !== undefined).join(" "),
    );
    for (const expected of ["service online", "link up", "message", "published", "downlink false", "downlink true"]) {
      expect(events).toContain(expected);
    }
    expect(events.at(-1)).toBe("service stopped");
    expect(stderr).toMatch(
      /downlink u9: refused \(invalid-message\), from plant-a: payload\.channels: at least one channel/,
    );
    expect(stderr).not.toMatch(/message u0123456789a/);
  });

  it("carries values from a program on I2C behind a Bus Pirate", async () => {
    const endpoint = await startEndpoint();
    const file = await configFor(
      endpoint,
      '  - { id: u0123456789a, link: emulated, uart: "tcp:127.0.0.1:0", bus_pirate: "tcp:127.0.0.1:0" }\n',
    );
    const cloud = await connectClient(endpoint, await registered(endpoint, everything), { clientId: "cloud" });
    await cloud.subscribeAsync("sakura/up/#");
    const arrived = messages(cloud, 1);
    const running = bridge("--config", file, "--json");
    const { endpoints } = await running.next("ready");
    const places = Object.values(endpoints as Record<string, string>).join();
    const [, port] = /^tcp:127\.0\.0\.1:\d+, tcp:127\.0\.0\.1:(\d+)$/.exec(places) ?? [];
    const bus = await openBusPirateI2c(await connectTcp({ host: "127.0.0.1", port: Number(port) }));
    onTestFinished(() => bus.close());
    // TX_SENDIMMED channel 0, i, 25 (module-protocol §2)
    await bus.write(0x4f, bytes("21 0A 00 69 19 00 00 00 00 00 00 00 5B"), { timeoutMs: 2000 });
    const [line = ""] = await arrived;
    expect(line).toMatch(/^sakura\/up\/u0123456789a .*"channels":\[\{"channel":0,"type":"i","value":25,/);
    expect((await running.stop("SIGTERM")).code).toBe(0);
  });

  it.skipIf(process.platform === "win32")(
    "carries what a program on the gateway sends with a real module, tapped, and refuses what comes down to it",
    async () => {
      const endpoint = await startEndpoint();
      const module = new EmulatedModule({ id: "u0123456789c", sendTimeMs: 0 });
      const far = await openPty();
      onTestFinished(() => far.close());
      attachUart(module, far.duplex);
      const file = await configFor(
        endpoint,
        `  - { id: u0123456789c, link: tap, mcu: "pty:./mcu", module: "uart:${far.path}" }\n`,
      );
      const cloud = await connectClient(endpoint, await registered(endpoint, everything), { clientId: "cloud" });
      await cloud.subscribeAsync("sakura/up/#");
      const arrived = messages(cloud, 1);
      const running = bridge("--config", file, "--json");
      const { endpoints } = await running.next("ready");
      const [place = ""] = Object.values(endpoints as Record<string, string>);
      const mcu = await SakuraModule.open(`uart:${place}`);
      onTestFinished(() => mcu.close());
      await mcu.txEnqueue({ channel: 3, type: "l", value: -9223372036854775808n });
      await mcu.flush();
      const [line = ""] = await arrived;
      expect(line).toMatch(
        /^sakura\/up\/u0123456789c .*"channels":\[\{"channel":3,"type":"l","value":-9223372036854775808,"datetime":"[^"]+"\}\]\}\}$/,
      );
      cloud.publish("sakura/down", DOWN.replace("u0123456789a", "u0123456789c"));
      expect(await running.next("downlink")).toMatchObject({ accepted: false, reason: "tap" });
      expect(await mcu.receive()).toBeUndefined();
      expect((await running.stop("SIGTERM")).code).toBe(0);
    },
  );

  it("runs on what is there, tells what is not, and tries that again", async () => {
    const endpoint = await startEndpoint();
    const away = await startEndpoint();
    const file = await configFor(
      endpoint,
      '  - { id: u0123456789a, link: emulated, uart: "tcp:127.0.0.1:0" }\n  - { id: u0123456789b, link: module, port: "uart:/dev/not-there" }\n',
      away.port,
    );
    await away.close();
    const running = bridge("--config", file, "--json");
    const link = await running.next("link", ({ state }) => state === "error");
    expect(link).toMatchObject({ module: "u0123456789b", link: "module", attempt: 1 });
    expect(link["reason"]).toContain("/dev/not-there");
    const { endpoints } = await running.next("ready");
    expect(Object.keys(endpoints as object)).toEqual(["u0123456789a"]);
    await running.next("link", ({ state, attempt }) => state === "error" && attempt === 2);
    const service = running.lines.find(({ event, state }) => event === "service" && state === "error");
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(service).toMatchObject({
      service: "plant-a",
      failure: "connection-refused",
      attempts: 1,
      since: time,
      nextAttempt: time,
      lastFailure: { at: time },
      connections: [{ state: "error", since: time, nextAttempt: time }],
    });
    const [uri = ""] = Object.values(endpoints as Record<string, string>);
    const mcu = await SakuraModule.open(uri);
    onTestFinished(() => mcu.close());
    await mcu.txEnqueue({ channel: 1, type: "i", value: 1 });
    await mcu.flush();
    const { code, stderr } = await running.stop("SIGINT");
    expect(code).toBe(0);
    expect(stderr).toMatch(/service plant-a: error: nothing listens on 127\.0\.0\.1:\d+: .*; next try in \d+ s/);
    expect(stderr).toMatch(/link u0123456789b \(module\): error: .*\/dev\/not-there/);
    expect(stderr).toMatch(/service plant-a: 1 messages were not sent; they stay in the outbox/);
    expect(running.lines).toContainEqual({ event: "unsent", service: "plant-a", messages: 1 });
  });

  it("tells people what happens, a line for each", async () => {
    const endpoint = await startEndpoint();
    const file = await configFor(endpoint, "  - { id: u0123456789a, link: emulated, uart: pty }\n");
    const running = bridge("--config", file);
    await said(running, /link u0123456789a \(emulated\): up at \S+$/m);
    await running.shows(/^ready: u0123456789a at \S+$/m);
    await said(running, /service plant-a: online at 127\.0\.0\.1:\d+$/m);
    const { code, stdout, stderr } = await running.stop();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ready: u0123456789a at \S+\n$/);
    for (const line of stderr.trimEnd().split("\n")) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z \S/);
  });
});

describe("sakuraio bridge with a mistake", () => {
  it("in the file ends at once with exit code 2 and one line", async () => {
    const endpoint = await startEndpoint();
    const file = await configFor(endpoint, "  - { id: u0123456789a, link: emulated, uart: pty, speed: 9600 }\n");
    const { code, stdout, stderr } = await sakuraio("bridge", "--config", file, "--json");
    expect(code).toBe(2);
    const words =
      "bridge.yaml:12:52 modules[0].speed: is not a key that is known here: the keys are id, link, uart, bus_pirate, tx_queue, rx_queue";
    expect(stderr).toBe(`sakuraio: ${words}\n`);
    expect(stdout).toBe(`${JSON.stringify({ event: "error", code: "INVALID_CONFIG", message: words })}\n`);
  });

  it("on the command line too", async () => {
    expect(await sakuraio("bridge")).toMatchObject({ code: 2, stderr: expect.stringContaining("--config") });
    expect(await sakuraio("bridge", "--config", "/not/there.yaml")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("/not/there.yaml is not there"),
    });
  });
});
