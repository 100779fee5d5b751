/** `sakuraio aws-iot policy`: the policy to attach to a service's certificate, as AWS wants it. */

import { resolve } from "node:path";
import { SakuraError } from "../../protocol/errors.ts";
import {
  ambiguousNames,
  leastPrivilegePolicy,
  type PolicyNeeds,
  type PolicyScope,
  partitionOf,
  scopeOfHostname,
} from "../bridge/aws-iot/policy.ts";
import { connectionClientIds } from "../bridge/topics.ts";
import { withClientIds } from "../config/client-ids.ts";
import { loadBridgeFile } from "../config/load.ts";
import { chosenService } from "./aws-iot/chosen-service.ts";
import { type CliIo, type ExitCode, printLine } from "./io.ts";

export interface AwsIotPolicyOptions {
  readonly config: string;
  /** Needed where the file has several. */
  readonly service?: string;
  /** Default the one in the endpoint's name. */
  readonly region?: string;
  /** Twelve digits; default the placeholder ACCOUNT_ID. */
  readonly account?: string;
  readonly json: boolean;
}

/** Prints it. @throws SakuraError INVALID_CONFIG, INVALID_ARGUMENT */
export async function awsIotPolicy(options: AwsIotPolicyOptions, io: CliIo): Promise<ExitCode> {
  const { file, where, directory } = loadBridgeFile(options.config);
  const path = resolve(directory, file.outbox.path);
  const services = withClientIds({ services: file.services, outbox: { path }, where });
  const { config, clientId } = chosenService(services, options.service);
  const needs: PolicyNeeds = {
    clientIds: connectionClientIds(clientId, config.connections),
    publishPrefix: config.publish_prefix,
    subscribeTopic: config.subscribe_topic,
    resultTopic: config.result_topic,
  };
  const scope = scopeOf(config.hostname, options);
  const policy = leastPrivilegePolicy(needs, scope);
  for (const note of notesOf(needs, scope)) printLine(io.stderr, `note: ${note}`);
  printLine(
    io.stdout,
    options.json
      ? JSON.stringify({ event: "policy", service: config.name, policy })
      : JSON.stringify(policy, undefined, 2),
  );
  return 0;
}

/** What stands where nothing is known. */
const REGION = "REGION";
const ACCOUNT = "ACCOUNT_ID";

function scopeOf(hostname: string, { region, account = ACCOUNT }: AwsIotPolicyOptions): PolicyScope {
  if (account !== ACCOUNT && !/^\d{12}$/.test(account)) {
    throw new SakuraError("INVALID_ARGUMENT", `an AWS account is twelve digits, without hyphens, not "${account}"`);
  }
  if (region !== undefined) return { region, partition: partitionOf(region), account };
  return { ...(scopeOfHostname(hostname) ?? { region: REGION, partition: "aws" }), account };
}

function notesOf(needs: PolicyNeeds, { region, account }: PolicyScope): string[] {
  const placeholders = [region, account].filter((text) => text === REGION || text === ACCOUNT);
  return [
    ...(placeholders.length > 0
      ? [`put your own in place of ${placeholders.join(" and ")}, or give --region and --account`]
      : []),
    ...ambiguousNames(needs).map((name) => `in a policy the * ? or \${ of "${name}" allows more than that name`),
  ];
}
