/** Mosquitto's clients at the AWS-like endpoint, and the bridge between them and a module. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, it } from "vitest";
import { SakuraModule } from "../../../host/module.ts";
import { Running } from "../../support/command.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sakuraio-mosquitto-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function mosquitto(program: "mosquitto_sub" | "mosquitto_pub", port: string, who: string, ...args: string[]) {
  const certs = join(dir, "certs");
  return spawn(program, [
    ...["-h", "localhost", "-p", port, "-i", `test-${who}-${program}`, "--cafile", join(certs, "root-ca.pem")],
    ...["--cert", join(certs, who === "observer" ? "observer.pem.crt" : "device.pem.crt")],
    ...["--key", join(certs, who === "observer" ? "observer.pem.key" : "private.pem.key"), ...args],
  ]);
}

async function serve(...more: string[]): Promise<{ aws: Running; port: string }> {
  const aws = new Running(["aws-iot", "serve", "--dir", dir, "--port", "0", "--json", ...more]);
  const { endpoints } = await aws.next("ready");
  const port = (endpoints as { mqtts: string }).mqtts.split(":")[1] ?? "";
  return { aws, port };
}

it("carries a value up to mosquitto_sub and one down from mosquitto_pub", async () => {
  const { aws, port } = await serve();
  const bridge = new Running(["bridge", "--config", join(dir, "bridge.yaml"), "--json"]);
  const { endpoints } = await bridge.next("ready");
  const path = (endpoints as Record<string, string>)["u0123456789ab"] ?? "";
  await aws.next("subscribed", (line) => line["topic"] === "sakura/down");

  const subscriber = mosquitto("mosquitto_sub", port, "observer", "-v", "-t", "sakura/up/#");
  const lines = createInterface(subscriber.stdout)[Symbol.asyncIterator]();
  await aws.next("subscribed", (line) => line["topic"] === "sakura/up/#");

  const module = await SakuraModule.open(`uart:${path}`);
  await module.txEnqueue({ channel: 1, type: "L", value: 18446744073709551615n });
  await module.flush();
  const line = String((await lines.next()).value);
  expect(line.startsWith('sakura/up/u0123456789ab {"module":"u0123456789ab","type":"channels","datetime":"')).toBe(
    true,
  );
  expect(line).toContain('{"channel":1,"type":"L","value":18446744073709551615,"datetime":"');

  const down =
    '{"type":"channels","module":"u0123456789ab","payload":{"channels":[{"channel":5,"type":"l","value":-9223372036854775808}]}}';
  mosquitto("mosquitto_pub", port, "observer", "-t", "sakura/down", "-m", down);
  await bridge.next("downlink");
  expect(await module.receive()).toMatchObject({ channel: 5, type: "l", value: -9223372036854775808n });

  await module.close();
  subscriber.kill();
  expect((await bridge.stop("SIGTERM")).code).toBe(0);
  expect((await aws.stop()).code).toBe(0);
});

it("refuses a certificate without a policy as AWS does: mosquitto is hung up on, until the policy is attached", async () => {
  const { aws, port } = await serve("--no-policy", "--limits", "connectRate=off");
  const refused = mosquitto("mosquitto_pub", port, "device", "-t", "sakura/up/u1", "-m", "{}");
  expect(await aws.next("refused")).toMatchObject({ reason: expect.any(String) });
  const code = await new Promise((resolve) => refused.on("close", resolve));
  expect(code).not.toBe(0);

  aws.say('{"control":"attach-policy"}');
  expect(await aws.next("control")).toMatchObject({ ok: true });
  mosquitto("mosquitto_pub", port, "device", "-t", "sakura/up/u1", "-m", "{}");
  expect(await aws.next("published")).toMatchObject({ topic: "sakura/up/u1" });
  expect((await aws.stop()).code).toBe(0);
});
