/** `sakuraio aws-iot policy`: the least that a certificate must be allowed, aws-iot §3 and §5. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { parsePolicy } from "../../emulator/aws-iot/index.ts";
import { awsIotPolicy } from "../../host/cli/aws-iot-policy.ts";
import { failsWith } from "../support/errors.ts";
import { FakeIo } from "../support/fake-io.ts";

interface Fields {
  readonly [key: string]: string | number;
}

/** A file of services whose certificates are not there. */
function fileOf(...services: readonly Fields[]): string {
  const directory = mkdtempSync(join(tmpdir(), "sakuraio-policy-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "bridge.yaml");
  const text = services.map((fields) => {
    const all: Fields = {
      type: "aws-iot",
      hostname: "abcdefghijklmn-ats.iot.ap-northeast-1.amazonaws.com",
      publish_prefix: "sakura/up/",
      subscribe_topic: "sakura/down",
      rootca_cert: "root.pem",
      cert: "cert.pem",
      private_key: "key.pem",
      ...fields,
    };
    return `  - { ${Object.entries(all)
      .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
      .join(", ")} }\n`;
  });
  writeFileSync(file, `services:\n${text.join("")}modules:\n  - { id: u1, link: emulated, uart: pty }\n`);
  return file;
}

async function policyOf(config: string, options: Partial<Parameters<typeof awsIotPolicy>[0]> = {}) {
  const io = new FakeIo();
  expect(await awsIotPolicy({ config, json: false, ...options }, io)).toBe(0);
  const policy = JSON.parse(io.out) as {
    Version: string;
    Statement: { Effect: string; Action: string; Resource: string[] }[];
  };
  return { policy, rights: policy.Statement.map(({ Action, Resource }) => [Action, ...Resource]), notes: io.err };
}

const ARN = "arn:aws:iot:ap-northeast-1:123456789012:";

describe("aws-iot policy", () => {
  it("allows a service what it needs and nothing else", async () => {
    const file = fileOf({ name: "a", client_id: "gateway-1" });
    const { policy, rights, notes } = await policyOf(file, { account: "123456789012" });
    expect(rights).toEqual([
      ["iot:Connect", `${ARN}client/gateway-1`],
      ["iot:Publish", `${ARN}topic/sakura/up/*`],
      ["iot:Subscribe", `${ARN}topicfilter/sakura/down`],
      ["iot:Receive", `${ARN}topic/sakura/down`],
    ]);
    expect(policy.Version).toBe("2012-10-17");
    expect(policy.Statement.every(({ Effect }) => Effect === "Allow")).toBe(true);
    expect(notes).toBe("");
    // As AWS reads it.
    parsePolicy("p", policy);
  });

  it("names each connection's client id, the result topic, and Basic Ingest", async () => {
    const file = fileOf({
      name: "a",
      client_id: "g",
      connections: 3,
      publish_prefix: "$aws/rules/store",
      result_topic: "sakura/result",
    });
    const { rights } = await policyOf(file, { account: "123456789012" });
    expect(rights.slice(0, 2)).toEqual([
      ["iot:Connect", `${ARN}client/g`, `${ARN}client/g-2`, `${ARN}client/g-3`],
      ["iot:Publish", `${ARN}topic/$aws/rules/store/*`, `${ARN}topic/sakura/result`],
    ]);
  });

  it("takes the region from the endpoint's name, and says what is still to be put in", async () => {
    const one = await policyOf(
      fileOf({ name: "a", client_id: "g", hostname: "x.ats.iot.cn-north-1.amazonaws.com.cn" }),
    );
    expect(one.rights[0]).toEqual(["iot:Connect", "arn:aws-cn:iot:cn-north-1:ACCOUNT_ID:client/g"]);
    expect(one.notes).toContain("ACCOUNT_ID");
    const other = await policyOf(fileOf({ name: "a", client_id: "g", hostname: "mqtt.example.com" }));
    expect(other.rights[0]).toEqual(["iot:Connect", "arn:aws:iot:REGION:ACCOUNT_ID:client/g"]);
    expect(other.notes).toContain("REGION and ACCOUNT_ID");
    const given = await policyOf(fileOf({ name: "a", client_id: "g" }), { region: "us-gov-west-1" });
    expect(given.rights[0]).toEqual(["iot:Connect", "arn:aws-us-gov:iot:us-gov-west-1:ACCOUNT_ID:client/g"]);
  });

  it("makes the client id of a service that names none, and keeps it where the bridge looks", async () => {
    const file = fileOf({ name: "a" });
    const first = await policyOf(file);
    const kept = JSON.parse(readFileSync(join(file, "../outbox/client-ids.json"), "utf8")) as { a: string };
    expect(first.rights[0]?.[1]).toBe(`arn:aws:iot:ap-northeast-1:ACCOUNT_ID:client/${kept.a}`);
    expect((await policyOf(file)).rights).toEqual(first.rights);
  });

  it("warns of names in which a policy sees more", async () => {
    const { notes } = await policyOf(fileOf({ name: "a", client_id: "g", publish_prefix: "sakura/*" }));
    expect(notes).toContain('"sakura/*"');
  });

  it("asks which, of several services", async () => {
    const file = fileOf(
      { name: "a", client_id: "g1" },
      { name: "b", client_id: "g2", hostname: "other-ats.iot.us-east-1.amazonaws.com" },
    );
    const error = await failsWith("INVALID_ARGUMENT", policyOf(file));
    expect(error.message).toContain("a, b");
    await failsWith("INVALID_ARGUMENT", policyOf(file, { service: "c" }));
    expect((await policyOf(file, { service: "b" })).rights[0]).toEqual([
      "iot:Connect",
      "arn:aws:iot:us-east-1:ACCOUNT_ID:client/g2",
    ]);
  });

  it("takes an account of twelve digits", async () => {
    for (const account of ["*", "1234-5678-9012", ""]) {
      await failsWith("INVALID_ARGUMENT", policyOf(fileOf({ name: "a", client_id: "g" }), { account }));
    }
  });

  it("is one line with --json", async () => {
    const io = new FakeIo();
    await awsIotPolicy({ config: fileOf({ name: "a", client_id: "g" }), json: true }, io);
    expect(JSON.parse(io.out)).toMatchObject({ event: "policy", service: "a", policy: { Version: "2012-10-17" } });
    expect(io.out.trimEnd()).not.toContain("\n");
  });
});
