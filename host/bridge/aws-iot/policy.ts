/** The least that a service's certificate must be allowed at AWS IoT (aws-iot §3, §5), as a policy document. */
import { publishTopic } from "../topics.ts";

export interface PolicyScope {
  /** `aws`, `aws-cn` or `aws-us-gov`. */
  readonly partition: string;
  readonly region: string;
  readonly account: string;
}

export interface PolicyNeeds {
  /** Of each connection. */
  readonly clientIds: readonly string[];
  readonly publishPrefix: string;
  readonly subscribeTopic: string;
  readonly resultTopic?: string | undefined;
}

export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly {
    readonly Effect: "Allow";
    readonly Action: string;
    readonly Resource: readonly string[];
  }[];
}

/** Where an endpoint's name says it is; nothing for a name of the user's own. */
export function scopeOfHostname(hostname: string): Omit<PolicyScope, "account"> | undefined {
  const match = /\.iot(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?\.?$/i.exec(hostname);
  if (!match) return undefined;
  const region = (match[1] ?? "").toLowerCase();
  return { region, partition: partitionOf(region) };
}

export function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

export function leastPrivilegePolicy(needs: PolicyNeeds, scope: PolicyScope): PolicyDocument {
  const arn = (resource: string): string => `arn:${scope.partition}:iot:${scope.region}:${scope.account}:${resource}`;
  const allow = (Action: string, ...resources: readonly string[]) =>
    ({ Effect: "Allow", Action, Resource: resources.map(arn) }) as const;
  const { clientIds, publishPrefix, subscribeTopic, resultTopic } = needs;
  const published = [publishTopic(publishPrefix, "*"), ...(resultTopic === undefined ? [] : [resultTopic])];
  return {
    Version: "2012-10-17",
    Statement: [
      allow("iot:Connect", ...clientIds.map((id) => `client/${id}`)),
      allow("iot:Publish", ...published.map((topic) => `topic/${topic}`)),
      allow("iot:Subscribe", `topicfilter/${subscribeTopic}`),
      allow("iot:Receive", `topic/${subscribeTopic}`),
    ],
  };
}

/** Names in which a policy would see a wildcard or a variable, and so allow more than they are. */
export function ambiguousNames({ clientIds, publishPrefix, subscribeTopic, resultTopic }: PolicyNeeds): string[] {
  const names = [...clientIds, publishPrefix, subscribeTopic, ...(resultTopic === undefined ? [] : [resultTopic])];
  return names.filter((name) => /[*?]|\$\{/.test(name));
}
