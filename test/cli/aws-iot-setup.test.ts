/** `sakuraio aws-iot setup`, with a program in the AWS CLI's place that answers as it does. */
import { createPrivateKey, webcrypto, X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createAuthority } from "../../emulator/aws-iot/index.ts";
import { loadX509 } from "../../emulator/aws-iot/x509.ts";
import { awsIotSetup } from "../../host/cli/aws-iot-setup.ts";
import { loadConfig } from "../../host/config/load.ts";
import { failsWith } from "../support/errors.ts";
import { type FakeAnswer, fakeAws } from "../support/fake-aws.ts";
import { FakeIo } from "../support/fake-io.ts";

const authority = createAuthority();

function workplace(): string {
  const directory = mkdtempSync(join(tmpdir(), "sakuraio-setup-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function setup(directory: string, options: Partial<Parameters<typeof awsIotSetup>[0]> = {}) {
  const io = new FakeIo();
  const code = await awsIotSetup(
    {
      config: join(directory, "bridge.yaml"),
      name: "Plant A",
      publishPrefix: "sakura/up/",
      subscribeTopic: "sakura/down",
      run: true,
      json: true,
      ...options,
    },
    io,
  );
  const lines = io.out.trim().split("\n");
  return { code, io, lines };
}

/** What AWS makes of a signing request: a certificate of its own authority. */
async function sign(requestPem: string): Promise<string> {
  const x509 = loadX509();
  const request = new x509.Pkcs10CertificateRequest(requestPem);
  if (!(await request.verify())) throw new Error("the request is not signed by its key");
  const { certificate, privateKey } = await authority;
  const der = createPrivateKey(privateKey).export({ format: "der", type: "pkcs8" });
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: "01",
    subject: request.subjectName,
    issuer: new x509.X509Certificate(certificate).subjectName,
    publicKey: request.publicKey,
    signingKey: await webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
  });
  return `${made.toString("pem")}\n`;
}

const REGION = "ap-northeast-1";
const ENDPOINT = "abcdefghijklmn-ats.iot.ap-northeast-1.amazonaws.com";
const idOf = (pem: string) => new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase();
const arnOf = (id: string) => `arn:aws:iot:${REGION}:123456789012:cert/${id}`;
const json = (value: object): FakeAnswer => ({ stdout: `${JSON.stringify(value, undefined, 4)}\n` });
const refusal = (name: string, operation: string): FakeAnswer => ({
  code: 254,
  stderr: `\nAn error occurred (${name}) when calling the ${operation} operation: as it happens\n`,
});

/** An account: what it has is kept between the runs of a test. */
function account() {
  const policies = new Map<string, string>();
  const certificates = new Map<string, string>();
  const flagOf = (args: readonly string[], flag: string) => args[args.indexOf(flag) + 1] ?? "";
  const fileOf = (args: readonly string[], flag: string) =>
    readFileSync(flagOf(args, flag).replace("file://", ""), "utf8");
  const answer = async (args: readonly string[]): Promise<FakeAnswer> => {
    const policy = flagOf(args, "--policy-name");
    switch (args[1]) {
      case "create-thing":
        return json({ thingName: flagOf(args, "--thing-name") });
      case "create-certificate-from-csr": {
        const certificatePem = await sign(fileOf(args, "--certificate-signing-request"));
        const certificateId = idOf(certificatePem);
        certificates.set(certificateId, certificatePem);
        return json({ certificateArn: arnOf(certificateId), certificateId, certificatePem });
      }
      case "describe-certificate": {
        const certificateId = flagOf(args, "--certificate-id");
        if (!certificates.has(certificateId)) return refusal("ResourceNotFoundException", "DescribeCertificate");
        return json({ certificateDescription: { certificateArn: arnOf(certificateId), status: "ACTIVE" } });
      }
      case "create-policy":
        if (policies.has(policy)) return refusal("ResourceAlreadyExistsException", "CreatePolicy");
        policies.set(policy, fileOf(args, "--policy-document"));
        return json({ policyName: policy });
      case "get-policy":
        return json({ policyName: policy, policyDocument: policies.get(policy) });
      case "create-policy-version":
        policies.set(policy, fileOf(args, "--policy-document"));
        return json({ policyVersionId: "2" });
      case "describe-endpoint":
        return json({ endpointAddress: ENDPOINT });
      default:
        return {};
    }
  };
  return { answer, policies, certificates };
}

const verbs = (calls: readonly string[][]) => calls.map(([service, verb]) => `${service} ${verb}`);

describe("aws-iot setup --run", () => {
  it("makes everything, and a file that the bridge takes", async () => {
    const directory = workplace();
    const aws = account();
    const calls = await fakeAws(aws.answer);
    const { code, io, lines } = await setup(directory, { region: REGION });
    expect(code).toBe(0);
    const certs = join(directory, "certs");
    expect(calls).toEqual(
      [
        ["iot", "create-thing", "--thing-name", "Plant-A"],
        [
          "iot",
          "create-certificate-from-csr",
          "--certificate-signing-request",
          `file://${certs}/Plant-A.csr`,
          "--set-as-active",
        ],
        [
          "iot",
          "create-policy",
          "--policy-name",
          "Plant-A-bridge",
          "--policy-document",
          `file://${certs}/Plant-A.policy.json`,
        ],
        [
          "iot",
          "attach-policy",
          "--policy-name",
          "Plant-A-bridge",
          "--target",
          expect.stringMatching(/:cert\/\w{64}$/),
        ],
        [
          "iot",
          "attach-thing-principal",
          "--thing-name",
          "Plant-A",
          "--principal",
          expect.stringMatching(/:cert\/\w{64}$/),
        ],
        ["iot", "describe-endpoint", "--endpoint-type", "iot:Data-ATS"],
      ].map((args) => [...args, "--region", REGION, "--output", "json"]),
    );
    expect(readdirSync(certs).sort()).toEqual([
      "AmazonRootCA1.pem",
      "Plant-A.csr",
      "Plant-A.pem.crt",
      "Plant-A.policy.json",
      "Plant-A.private.pem.key",
    ]);
    expect(statSync(join(certs, "Plant-A.private.pem.key")).mode & 0o777).toBe(0o600);
    expect(JSON.parse(aws.policies.get("Plant-A-bridge") ?? "")).toEqual({
      Version: "2012-10-17",
      Statement: [
        ["iot:Connect", "client/Plant-A"],
        ["iot:Publish", "topic/sakura/up/*"],
        ["iot:Subscribe", "topicfilter/sakura/down"],
        ["iot:Receive", "topic/sakura/down"],
      ].map(([Action, resource]) => ({
        Effect: "Allow",
        Action,
        Resource: [`arn:aws:iot:ap-northeast-1:123456789012:${resource}`],
      })),
    });
    const { services } = loadConfig(join(directory, "bridge.yaml"));
    expect(services).toMatchObject([{ name: "Plant A", hostname: ENDPOINT, port: 8883, client_id: "Plant-A" }]);
    expect(new X509Certificate(services[0]?.credentials.rootCa ?? "").subject).toContain("CN=Amazon Root CA 1");
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ event: "ready", service: "Plant A", hostname: ENDPOINT });
    // Not a line of the key, anywhere but in its file.
    const [, secret = ""] = readFileSync(join(certs, "Plant-A.private.pem.key"), "utf8").split("\n");
    expect(`${io.out}${io.err}${JSON.stringify(calls)}`).not.toContain(secret.slice(0, 40));
  });

  it("uses again what is there, and leaves the file alone", async () => {
    const directory = workplace();
    const aws = account();
    const calls = await fakeAws(aws.answer);
    await setup(directory);
    const file = join(directory, "bridge.yaml");
    const key = readFileSync(join(directory, "certs/Plant-A.private.pem.key"), "utf8");
    writeFileSync(file, `# mine\n${readFileSync(file, "utf8")}`);
    const text = readFileSync(file, "utf8");
    calls.length = 0;
    expect((await setup(directory)).io.out).toContain("is as it must be");
    expect(verbs(calls)).toEqual([
      "iot create-thing",
      "iot describe-certificate",
      "iot create-policy",
      "iot get-policy",
      "iot attach-policy",
      "iot attach-thing-principal",
      "iot describe-endpoint",
    ]);
    expect(readFileSync(file, "utf8")).toBe(text);
    expect(readFileSync(join(directory, "certs/Plant-A.private.pem.key"), "utf8")).toBe(key);
    expect(aws.certificates.size).toBe(1);
    // A policy with other rights gets a new version.
    aws.policies.set("Plant-A-bridge", "{}");
    calls.length = 0;
    await setup(directory);
    expect(verbs(calls)).toContain("iot create-policy-version");
    expect(aws.policies.get("Plant-A-bridge")).toContain("topic/sakura/up/*");
    // What the file has grown stays allowed.
    writeFileSync(file, text.replace(/client_id: Plant-A/, "client_id: Plant-A, connections: 2, result_topic: r/x"));
    await setup(directory);
    expect(aws.policies.get("Plant-A-bridge")).toContain("client/Plant-A-2");
    expect(aws.policies.get("Plant-A-bridge")).toContain("topic/r/x");
  });

  it("adds to a file and keeps its comments", async () => {
    const directory = workplace();
    await fakeAws(account().answer);
    await setup(directory, { name: "first", publishPrefix: "first/up", subscribeTopic: "first/down" });
    const file = join(directory, "bridge.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace("modules:", "# ours\nmodules:"));
    await setup(directory, { name: "second" });
    expect(loadConfig(file).services.map(({ name }) => name)).toEqual(["first", "second"]);
    const text = readFileSync(file, "utf8");
    for (const comment of ["# Every path is relative", "# ours"]) expect(text).toContain(comment);
  });

  it("does nothing at AWS when the service cannot be in the file", async () => {
    const directory = workplace();
    const calls = await fakeAws(account().answer);
    await failsWith("INVALID_CONFIG", setup(directory, { subscribeTopic: "sakura/up/down" }));
    await failsWith("INVALID_ARGUMENT", setup(directory, { thing: "a/b" }));
    writeFileSync(join(directory, "bridge.yaml"), "- no\n- bridge\n");
    await failsWith("INVALID_CONFIG", setup(directory));
    expect(calls).toEqual([]);
    expect(readdirSync(directory)).toEqual(["bridge.yaml"]);
  });

  it("does not overwrite a key or certificate of somebody else's", async () => {
    const directory = workplace();
    await fakeAws(account().answer);
    await setup(directory);
    const key = join(directory, "certs/Plant-A.private.pem.key");
    writeFileSync(key, "-----BEGIN PRIVATE KEY-----\nnone\n-----END PRIVATE KEY-----\n");
    const error = await failsWith("INVALID_CONFIG", setup(directory));
    expect(error.message).toContain(key);
    rmSync(key);
    await failsWith("INVALID_CONFIG", setup(directory));
  });

  it.each([
    [
      { code: 255, stderr: "Unable to locate credentials. You can configure credentials by running aws configure." },
      "log in",
    ],
    [refusal("AccessDeniedException", "CreateThing"), "must be allowed iot:CreateThing"],
    [refusal("ExpiredTokenException", "CreateThing"), "log in again"],
    [{ code: 253, stderr: "You must specify a region." }, "--region"],
    [{ stdout: "not JSON" }, "did not answer in JSON"],
  ])("says what to do about %o", async (answer, words) => {
    await fakeAws(() => answer);
    const error = await failsWith("SERVICE_FAILED", setup(workplace()));
    expect(error.message).toContain(words);
  });

  it("says what to do without the AWS CLI", async () => {
    const before = process.env["PATH"];
    process.env["PATH"] = workplace();
    onTestFinished(() => {
      process.env["PATH"] = before;
    });
    expect((await failsWith("SERVICE_FAILED", setup(workplace()))).message).toContain("not installed");
  });
});

describe("aws-iot setup without --run", () => {
  it("prints the commands, and writes the service once the endpoint is known", async () => {
    const directory = workplace();
    const calls = await fakeAws(account().answer);
    const { lines } = await setup(directory, { run: false, region: REGION });
    const certs = join(directory, "certs");
    const { commands, next } = JSON.parse(lines.at(-1) ?? "") as { commands: string[]; next: string };
    expect(commands).toEqual([
      `aws iot create-thing --thing-name Plant-A --region ${REGION}`,
      `CERT_ARN=$(aws iot create-certificate-from-csr --certificate-signing-request file://${certs}/Plant-A.csr --set-as-active --region ${REGION} --query certificateArn --output text)`,
      `aws iot describe-certificate --certificate-id "\${CERT_ARN##*/}" --region ${REGION} --query certificateDescription.certificatePem --output text > ${certs}/Plant-A.pem.crt`,
      'REGION=$(echo "$CERT_ARN" | cut -d: -f4); ACCOUNT_ID=$(echo "$CERT_ARN" | cut -d: -f5)',
      `aws iot create-policy --policy-name Plant-A-bridge --policy-document "$(sed "s/:REGION:/:$REGION:/; s/:ACCOUNT_ID:/:$ACCOUNT_ID:/" ${certs}/Plant-A.policy.json)" --region ${REGION}`,
      `aws iot attach-policy --policy-name Plant-A-bridge --target "$CERT_ARN" --region ${REGION}`,
      `aws iot attach-thing-principal --thing-name Plant-A --principal "$CERT_ARN" --region ${REGION}`,
      `aws iot describe-endpoint --endpoint-type iot:Data-ATS --region ${REGION} --query endpointAddress --output text`,
    ]);
    expect(next).toContain("--name 'Plant A'");
    expect(readFileSync(join(certs, "Plant-A.policy.json"), "utf8")).toContain(
      "arn:aws:iot:ap-northeast-1:ACCOUNT_ID:topic/sakura/up/*",
    );
    expect(calls).toEqual([]);
    const early = await failsWith("INVALID_CONFIG", setup(directory, { run: false, hostname: ENDPOINT }));
    expect(early.message).toContain("run the commands first");
    writeFileSync(join(certs, "Plant-A.pem.crt"), await sign(readFileSync(join(certs, "Plant-A.csr"), "utf8")));
    await setup(directory, { run: false, hostname: ENDPOINT });
    expect(loadConfig(join(directory, "bridge.yaml")).services).toMatchObject([{ hostname: ENDPOINT }]);
  });
});
