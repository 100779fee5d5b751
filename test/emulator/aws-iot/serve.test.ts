import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { serveAwsIot } from "../../../host/cli/aws-iot-serve.ts";
import { isSakuraError } from "../../../protocol/errors.ts";
import { connectClient } from "./support.ts";

async function temporary(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "sakuraio serve "));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

interface ServeOptions {
  dir: string;
  policy?: boolean;
  json?: boolean;
  port?: number;
  limits?: string;
  faults?: string;
}

function serve({ policy = true, json = true, port = 0, ...rest }: ServeOptions) {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const stderr = new PassThrough({ encoding: "utf8" });
  const abort = new AbortController();
  const exit = serveAwsIot(
    { port, policy, json, ...rest },
    { stdin, stdout, stderr, signal: abort.signal, fail: (error) => abort.abort(error) },
  );
  // A test that looks at the failure itself does so through `stop`.
  exit.catch(() => stdout.end());
  const stop = () => {
    abort.abort();
    return exit;
  };
  onTestFinished(() =>
    stop().then(
      () => undefined,
      () => undefined,
    ),
  );
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const line = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("stdout ended");
    return value;
  };
  const parsed = async (): Promise<Record<string, unknown>> => JSON.parse(await line());
  return { stdin, stderr, stop, line, parsed };
}

async function connectDevice(dir: string, port: number, clientId: string) {
  const read = (file: string) => readFile(join(dir, "certs", file), "utf8");
  const identity = { certificate: await read("device.pem.crt"), privateKey: await read("private.pem.key") };
  const target = { host: "localhost", port, authority: { certificate: await read("root-ca.pem") } };
  return connectClient(target, identity, { clientId });
}

function portIn(ready: Record<string, unknown>): number {
  const [, port] = /"mqtts":"localhost:(\d+)"/.exec(JSON.stringify(ready)) ?? [];
  return Number(port);
}

describe("aws-iot serve --json", () => {
  it("says when it can be used, what happens, and stops with 0", async () => {
    const dir = await temporary();
    const { parsed, stop, stderr } = serve({ dir });
    const ready = await parsed();
    const port = portIn(ready);
    expect(ready).toEqual({
      event: "ready",
      endpoints: { mqtts: `localhost:${port}` },
      config: join(dir, "bridge.yaml"),
    });
    const bridge = await connectDevice(dir, port, "bridge");
    expect(await parsed()).toEqual({
      event: "connected",
      client_id: "bridge",
      certificate_id: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    await bridge.subscribeAsync("sakura/down");
    expect(await parsed()).toEqual({ event: "subscribed", client_id: "bridge", topic: "sakura/down", qos: 0 });
    await bridge.publishAsync("sakura/up/u0123456789ab", "hello", { qos: 1 });
    const topic = "sakura/up/u0123456789ab";
    expect(await parsed()).toEqual({ event: "published", client_id: "bridge", topic, bytes: 5, qos: 1 });
    bridge.publish("elsewhere", "");
    expect(await parsed()).toMatchObject({ event: "disconnected", client_id: "bridge", reason: "publish-denied" });
    expect(await stop()).toBe(0);
    expect(stderr.read()).toBe(null);
  });

  it("attaches and detaches the bridge's policy, and says what is wrong with a line", async () => {
    const dir = await temporary();
    const { parsed, stdin } = serve({ dir, policy: false });
    const port = portIn(await parsed());
    await expect(connectDevice(dir, port, "bridge")).rejects.toThrow("before a CONNACK");
    expect(await parsed()).toMatchObject({ event: "refused", reason: "no-policy", client_id: "bridge" });

    stdin.write('{"control":"attach-policy"}\n');
    expect(await parsed()).toEqual({ event: "control", ok: true });
    await connectDevice(dir, port, "bridge again");
    expect(await parsed()).toMatchObject({ event: "connected" });

    stdin.write('{"control":"detach-policy"}\n');
    expect(await parsed()).toMatchObject({ event: "disconnected", reason: "policy-detached" });
    expect(await parsed()).toEqual({ event: "control", ok: true });

    stdin.write('\n{"control":\n{"control":"attach"}\nnull\n{"control":"detach-policy"}\r\n');
    for (let i = 0; i < 3; i++) {
      expect(await parsed()).toEqual({ event: "control", ok: false, reason: expect.any(String) });
    }
    expect(await parsed()).toEqual({ event: "control", ok: true });
  });

  it("misbehaves as it is told to, and tells what became of each message", async () => {
    const dir = await temporary();
    const { parsed, stdin } = serve({ dir, faults: "no-puback", limits: "connectRate=off" });
    const port = portIn(await parsed());
    const bridge = await connectDevice(dir, port, "bridge");
    await parsed();
    bridge.publish("sakura/up/u1", "x", { qos: 1 });
    const topic = "sakura/up/u1";
    expect(await parsed()).toEqual({ event: "published", client_id: "bridge", topic, bytes: 1, qos: 1 });
    expect(await parsed()).toEqual({
      event: "withheld",
      client_id: "bridge",
      what: "puback",
      packet_id: expect.any(Number),
      reason: "fault",
    });
    const say = async (line: object) => {
      stdin.write(`${JSON.stringify(line)}\n`);
      return parsed();
    };
    const done = { event: "control", ok: true };
    expect(await say({ control: "faults", value: "" })).toEqual(done);
    expect(await say({ control: "limits", value: { publishRate: 1 } })).toEqual(done);
    for (const payload of ["y", "zz"]) bridge.publish(topic, payload);
    const two = [await parsed(), await parsed()];
    expect(two).toContainEqual({ event: "published", client_id: "bridge", topic, bytes: 1, qos: 0 });
    const discarded = { client_id: "bridge", direction: "in", topic, bytes: 2, qos: 0, reason: "publish-rate" };
    expect(two).toContainEqual({ event: "discarded", ...discarded });
    expect(await say({ control: "drop" })).toMatchObject({ event: "disconnected", reason: "fault" });
    expect(await parsed()).toEqual(done);
    expect(await say({ control: "refuse", ms: 60_000 })).toEqual(done);
    await expect(connectDevice(dir, port, "bridge")).rejects.toThrow("before a CONNACK");
    expect(await parsed()).toMatchObject({ event: "refused", reason: "fault" });
    expect(await say({ control: "refuse", ms: 0 })).toEqual(done);
    await connectDevice(dir, port, "bridge");
    expect(await parsed()).toMatchObject({ event: "connected" });
    expect(await say({ control: "refuse", ms: 60_000, tcp: true })).toMatchObject({ event: "listening" });
    expect(await parsed()).toEqual(done);
    for (const wrong of [
      { control: "faults", value: "flip=1" },
      { control: "limits", value: { publishrate: false } },
      { control: "limits", value: { publishRate: 0 } },
      { control: "refuse", ms: -1 },
    ]) {
      expect(await say(wrong)).toEqual({ event: "control", ok: false, reason: expect.any(String) });
    }
  });

  it("does not begin with faults or limits that are none", async () => {
    const dir = await temporary();
    for (const options of [{ faults: "flip=1" }, { limits: "publishRate=maybe" }]) {
      await expect(serve({ dir, ...options }).stop()).rejects.toSatisfy((error) =>
        isSakuraError(error, "INVALID_ARGUMENT"),
      );
    }
  });

  it("goes on after the end of stdin", async () => {
    const dir = await temporary();
    const { parsed, stdin, stop } = serve({ dir });
    const port = portIn(await parsed());
    stdin.end('{"control":"attach-policy"}');
    expect(await parsed()).toEqual({ event: "control", ok: true });
    await connectDevice(dir, port, "bridge");
    expect(await parsed()).toMatchObject({ event: "connected" });
    expect(await stop()).toBe(0);
  });

  it("fails when it cannot begin", async () => {
    const dir = await temporary();
    const first = serve({ dir });
    const port = portIn(await first.parsed());
    const second = serve({ dir: await temporary(), port });
    await expect(second.line()).rejects.toThrow("stdout ended");
    await expect(second.stop()).rejects.toSatisfy((error) => isSakuraError(error, "PORT_BUSY"));
  });

  it("does not begin when it is to stop already, or with a port that is none", async () => {
    const io = {
      stdin: new PassThrough(),
      stdout: new PassThrough(),
      stderr: new PassThrough(),
      fail: () => undefined,
    };
    const dir = join(await temporary(), "never made");
    const options = { dir, port: 0, policy: true, json: true };
    expect(await serveAwsIot(options, { ...io, signal: AbortSignal.abort() })).toBe(0);
    await expect(readdir(dir)).rejects.toThrow("ENOENT");
    const started = serveAwsIot({ ...options, port: 70_000 }, { ...io, signal: new AbortController().signal });
    await expect(started).rejects.toSatisfy((error) => isSakuraError(error, "INVALID_ARGUMENT"));
    await expect(readdir(dir)).rejects.toThrow("ENOENT");
  });
});

describe("aws-iot serve", () => {
  it("tells a person what to try next, and what happens", async () => {
    const dir = await temporary();
    const { line, stop } = serve({ dir, json: false, policy: false });
    const text: string[] = [];
    for (;;) {
      const next = await line();
      text.push(next);
      if (next.includes("Ctrl+C")) break;
    }
    const [, port] = /localhost:(\d+)/.exec(text[0] ?? "") ?? [];
    const files = `--cafile '${dir}/certs/root-ca.pem' --cert '${dir}/certs/observer.pem.crt' --key '${dir}/certs/observer.pem.key'`;
    expect(text).toContain(`    sakuraio bridge --config '${dir}/bridge.yaml'`);
    expect(text).toContain(`    mosquitto_sub -h localhost -p ${port} ${files} -i observer-sub -v -t 'sakura/up/#'`);
    expect(text).toContain(
      `    mosquitto_pub -h localhost -p ${port} ${files} -i observer-pub -t sakura/down -m ` +
        `'{"type":"channels","module":"u0123456789ab","payload":{"channels":[{"channel":1,"type":"i","value":42}]}}'`,
    );
    expect(text.join("\n")).toContain("no policy attached");
    expect(await line()).toBe("");
    await expect(connectDevice(dir, Number(port), "bridge\n1")).rejects.toThrow("before a CONNACK");
    expect(await line()).toMatch(
      /^refused {7}bridge\uFFFD1: no-policy: certificate [0-9a-f]{64} has no policy attached$/,
    );
    expect(await stop()).toBe(0);
  });
});
