/**
 * An endpoint with all that is needed to use it, in one directory: certificates for a bridge and for a person, the
 * policies that go with them, and the bridge's file.
 */
import { join } from "node:path";
import { SakuraError } from "../../protocol/errors.ts";
import { newBridgeFile, updatePort } from "./bridge-file.ts";
import { type AwsIotEndpoint, startAwsIotEndpoint } from "./endpoint.ts";
import { identityFiles, prepareIdentities } from "./identities.ts";
import type { LimitSwitches } from "./limits.ts";
import { requirePort } from "./listen.ts";
import { type Policy, parsePolicy } from "./policy.ts";
import { makeDirectory, readIfPresent, writeWhole } from "./workspace-files.ts";

export interface WorkspaceOptions {
  /** Made, for its owner alone, where absent. */
  readonly dir: string;
  /** 0–65535; default 0, which takes a free one. */
  readonly port?: number;
  /** Whether the bridge's certificate has its policy attached: without, it is refused as AWS refuses it. */
  readonly policy: boolean;
  /** Default sakura/up; a slash at its end makes no difference. */
  readonly publishPrefix?: string;
  /** Default sakura/down. */
  readonly subscribeTopic?: string;
  readonly limits?: LimitSwitches;
}

export interface Workspace {
  /** On 127.0.0.1 and, where there is one, ::1. */
  readonly endpoint: AwsIotEndpoint;
  /** Of the bridge's file. */
  readonly configPath: string;
  /** What a person has to see to: the bridge's file was edited such that it could not be kept up to date. */
  readonly notes: readonly string[];
  readonly publishPrefix: string;
  readonly subscribeTopic: string;
  /** The files that a person looks with. */
  readonly observer: { readonly rootCa: string; readonly certificate: string; readonly privateKey: string };
  /** Attaches the bridge's policy; does nothing where it is attached. */
  attachPolicy(): void;
  /** Detaches it, which ends the bridge's connections. */
  detachPolicy(): void;
  /** Ends the endpoint; the files stay. */
  close(): Promise<void>;
}

/**
 * Starts an endpoint from the directory's files, and makes those that are missing.
 * @throws SakuraError INVALID_ARGUMENT for the options, INVALID_CONFIG for the files, PORT_… for the port
 */
export async function startWorkspace(options: WorkspaceOptions): Promise<Workspace> {
  const { dir, port = 0, policy, limits = {} } = options;
  const publishPrefix = topicOf((options.publishPrefix ?? "sakura/up").replace(/\/+$/, ""));
  const subscribeTopic = topicOf(options.subscribeTopic ?? "sakura/down");
  requirePort(port);
  await makeDirectory(dir);
  const identities = await prepareIdentities(dir);
  const endpoint = await startAwsIotEndpoint({ host: "localhost", port, authority: identities.authority, limits });
  try {
    const topics = { arn: endpoint.arnPrefix, publishPrefix, subscribeTopic };
    const bridgePolicy = policyOfBridge(topics);
    const device = endpoint.registerCertificate({
      certificatePem: identities.device.certificate,
      policies: policy ? [bridgePolicy] : [],
    });
    endpoint.registerCertificate({
      certificatePem: identities.observer.certificate,
      policies: [policyOfObserver(topics)],
    });
    const configPath = join(dir, "bridge.yaml");
    const note = await writeBridgeFile(configPath, dir, { port: endpoint.port, publishPrefix, subscribeTopic });
    return {
      endpoint,
      configPath,
      notes: note === undefined ? [] : [`${configPath}: ${note}`],
      publishPrefix,
      subscribeTopic,
      observer: {
        rootCa: join(dir, identityFiles.authority.certificate),
        certificate: join(dir, identityFiles.observer.certificate),
        privateKey: join(dir, identityFiles.observer.privateKey),
      },
      attachPolicy: () => endpoint.attachPolicy(device, bridgePolicy),
      detachPolicy: () => endpoint.detachPolicy(device, bridgePolicy),
      close: () => endpoint.close(),
    };
  } catch (error) {
    await endpoint.close();
    throw error;
  }
}

async function writeBridgeFile(
  file: string,
  dir: string,
  options: { readonly port: number; readonly publishPrefix: string; readonly subscribeTopic: string },
): Promise<string | undefined> {
  const text = await readIfPresent(file);
  if (text === undefined) {
    await writeWhole(file, newBridgeFile(options));
    return undefined;
  }
  const update = updatePort(text, dir, options.port);
  if (update.text !== text) await writeWhole(file, update.text);
  return update.note;
}

interface Topics {
  /** What ARNs begin with. */
  readonly arn: string;
  readonly publishPrefix: string;
  readonly subscribeTopic: string;
}

/** The least that a bridge needs (aws-iot.md §3); its client id is its own choice. */
function policyOfBridge({ arn, publishPrefix, subscribeTopic }: Topics): Policy {
  return policyOf("bridge", [
    ["iot:Connect", `${arn}client/*`],
    ["iot:Publish", `${arn}topic/${publishPrefix}/*`],
    ["iot:Subscribe", `${arn}topicfilter/${subscribeTopic}`],
    ["iot:Receive", `${arn}topic/${subscribeTopic}`],
  ]);
}

/** The bridge's other side: it sees what modules send, and sends what they receive. */
function policyOfObserver({ arn, publishPrefix, subscribeTopic }: Topics): Policy {
  return policyOf("observer", [
    ["iot:Connect", `${arn}client/*`],
    ["iot:Subscribe", `${arn}topicfilter/${publishPrefix}/*`],
    ["iot:Receive", `${arn}topic/${publishPrefix}/*`],
    ["iot:Publish", `${arn}topic/${subscribeTopic}`],
  ]);
}

function policyOf(name: string, grants: readonly (readonly [action: string, resource: string])[]): Policy {
  const Statement = grants.map(([Action, Resource]) => ({ Effect: "Allow", Action, Resource }));
  return parsePolicy(name, { Version: "2012-10-17", Statement });
}

function topicOf(text: string): string {
  // In a policy `*` and `?` would allow more than the one topic.
  if (text !== "" && !/[#+*?\0]|\$\{/.test(text)) return text;
  throw new SakuraError("INVALID_ARGUMENT", `the topic ${JSON.stringify(text)} is empty, or has a wildcard in it`);
}
