/** `aws-iot setup --run`: the AWS side, made by the AWS CLI. Each step may be repeated. */
import { z } from "zod";
import { isSakuraError, SakuraError } from "../../../protocol/errors.ts";
import { leastPrivilegePolicy, type PolicyDocument, type PolicyScope } from "../../bridge/aws-iot/policy.ts";
import type { AwsCli } from "./aws-cli.ts";
import { readCertificate, writeCertificate, writePolicy } from "./setup-files.ts";
import type { SetupPlan } from "./setup-plan.ts";

const arn = z.string().regex(/^arn:[^:]+:iot:[^:]+:\d{12}:cert\/[0-9a-f]+$/);
const createdCertificate = z.object({ certificateArn: arn, certificatePem: z.string() });
const describedCertificate = z.object({
  certificateDescription: z.object({ certificateArn: arn, status: z.string() }),
});
const describedEndpoint = z.object({ endpointAddress: z.string().min(1) });
const foundPolicy = z.object({ policyDocument: z.string() });

/**
 * @param tell told of each step that is done, in words
 * @returns the endpoint's name
 * @throws SakuraError SERVICE_FAILED
 */
export async function runSetup(plan: SetupPlan, aws: AwsCli, tell: (what: string) => void): Promise<string> {
  await aws.iot("create-thing", "--thing-name", plan.thing);
  tell(`the thing ${plan.thing}`);
  const certificateArn = await certificate(plan, aws, tell);
  const policy = leastPrivilegePolicy(plan.needs, scopeOf(certificateArn));
  await writePolicy(plan, policy);
  await attachablePolicy(plan, policy, aws, tell);
  await aws.iot("attach-policy", "--policy-name", plan.policyName, "--target", certificateArn);
  tell(`the policy is attached to the certificate`);
  await aws.iot("attach-thing-principal", "--thing-name", plan.thing, "--principal", certificateArn);
  tell(`the certificate is attached to the thing`);
  const endpoint = await aws.iot("describe-endpoint", "--endpoint-type", "iot:Data-ATS");
  const { endpointAddress } = read(describedEndpoint, endpoint, "describe-endpoint");
  tell(`the endpoint is ${endpointAddress}`);
  return endpointAddress;
}

/** @returns its ARN */
async function certificate(plan: SetupPlan, aws: AwsCli, tell: (what: string) => void): Promise<string> {
  const kept = await readCertificate(plan);
  if (!kept) {
    const request = `file://${plan.files.request}`;
    const answer = await aws.iot(
      "create-certificate-from-csr",
      "--certificate-signing-request",
      request,
      "--set-as-active",
    );
    const { certificateArn, certificatePem } = read(createdCertificate, answer, "create-certificate-from-csr");
    await writeCertificate(plan, certificatePem);
    tell(`a certificate, active, in ${plan.files.certificate}`);
    return certificateArn;
  }
  // AWS's id of a certificate is the SHA-256 of its DER.
  const id = kept.fingerprint256.replaceAll(":", "").toLowerCase();
  const answer = await aws.iot("describe-certificate", "--certificate-id", id).catch((cause: unknown) => {
    if (!isSakuraError(cause) || cause.context["reason"] !== "ResourceNotFoundException") throw cause;
    const message = `${plan.files.certificate} is not a certificate of this account and region: choose the right --region, or move the file away to have one made`;
    throw new SakuraError("SERVICE_FAILED", message, { cause });
  });
  const { certificateArn, status } = read(describedCertificate, answer, "describe-certificate").certificateDescription;
  if (status !== "ACTIVE") {
    const message = `the certificate in ${plan.files.certificate} is ${status}: activate it with aws iot update-certificate --certificate-id ${id} --new-status ACTIVE, or move the file away to have another made`;
    throw new SakuraError("SERVICE_FAILED", message);
  }
  tell(`the certificate in ${plan.files.certificate} is used again`);
  return certificateArn;
}

async function attachablePolicy(
  { policyName, files }: SetupPlan,
  policy: PolicyDocument,
  aws: AwsCli,
  tell: (what: string) => void,
): Promise<void> {
  const named = ["--policy-name", policyName];
  const document = ["--policy-document", `file://${files.policy}`];
  try {
    await aws.iot("create-policy", ...named, ...document);
    tell(`the policy ${policyName}`);
    return;
  } catch (error) {
    if (!isSakuraError(error) || error.context["reason"] !== "ResourceAlreadyExistsException") throw error;
  }
  const { policyDocument } = read(foundPolicy, await aws.iot("get-policy", ...named), "get-policy");
  if (isSame(policyDocument, policy)) {
    tell(`the policy ${policyName} is there, and is as it must be`);
    return;
  }
  await aws.iot("create-policy-version", ...named, ...document, "--set-as-default");
  tell(`the policy ${policyName} was there with other rights, and has a new version`);
}

function isSame(document: string, policy: PolicyDocument): boolean {
  try {
    return JSON.stringify(JSON.parse(document)) === JSON.stringify(policy);
  } catch {
    return false;
  }
}

/** A certificate's ARN says where everything is. */
function scopeOf(certificateArn: string): PolicyScope {
  const [, partition = "", , region = "", account = ""] = certificateArn.split(":");
  return { partition, region, account };
}

function read<T extends z.ZodType>(schema: T, answer: unknown, verb: string): z.output<T> {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const message = `aws iot ${verb} answered something else than expected (${issue?.path.join(".")}): is it version 2 of the AWS CLI?`;
  throw new SakuraError("SERVICE_FAILED", message);
}
