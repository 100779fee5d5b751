/** `aws-iot setup` without `--run`: the same steps as commands, to be read and run where the AWS CLI is logged in. */
import { leastPrivilegePolicy, type PolicyDocument, partitionOf } from "../../bridge/aws-iot/policy.ts";
import { quoted } from "../../shell-word.ts";
import type { SetupPlan } from "./setup-plan.ts";

/** The policy with names where only AWS knows better. */
export function placeholderPolicy({ needs }: SetupPlan, region: string | undefined): PolicyDocument {
  const scope = { partition: partitionOf(region ?? ""), region: region ?? "REGION", account: "ACCOUNT_ID" };
  return leastPrivilegePolicy(needs, scope);
}

/** Lines for a POSIX shell. */
export function setupScript(plan: SetupPlan, region: string | undefined): readonly string[] {
  const { thing, policyName, files } = plan;
  const aws = (command: string): string =>
    `aws iot ${command}${region === undefined ? "" : ` --region ${quoted(region)}`}`;
  const request = quoted(`file://${files.request}`);
  return [
    aws(`create-thing --thing-name ${quoted(thing)}`),
    `CERT_ARN=$(${aws(`create-certificate-from-csr --certificate-signing-request ${request} --set-as-active`)} --query certificateArn --output text)`,
    `${aws(`describe-certificate --certificate-id "\${CERT_ARN##*/}"`)} --query certificateDescription.certificatePem --output text > ${quoted(files.certificate)}`,
    `REGION=$(echo "$CERT_ARN" | cut -d: -f4); ACCOUNT_ID=$(echo "$CERT_ARN" | cut -d: -f5)`,
    aws(
      `create-policy --policy-name ${quoted(policyName)} --policy-document "$(sed "s/:REGION:/:$REGION:/; s/:ACCOUNT_ID:/:$ACCOUNT_ID:/" ${quoted(files.policy)})"`,
    ),
    aws(`attach-policy --policy-name ${quoted(policyName)} --target "$CERT_ARN"`),
    aws(`attach-thing-principal --thing-name ${quoted(thing)} --principal "$CERT_ARN"`),
    endpointCommand(region),
  ];
}

/** Prints the account's endpoint of the present kind. */
export function endpointCommand(region: string | undefined): string {
  const command = "aws iot describe-endpoint --endpoint-type iot:Data-ATS";
  return `${command}${region === undefined ? "" : ` --region ${quoted(region)}`} --query endpointAddress --output text`;
}
