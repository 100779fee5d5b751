/** What `aws-iot setup` is going to make: names, files, and the service as the bridge's file will have it. */
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { readIfPresent } from "../../../emulator/aws-iot/workspace-files.ts";
import { SakuraError } from "../../../protocol/errors.ts";
import type { PolicyNeeds } from "../../bridge/aws-iot/policy.ts";
import { connectionClientIds } from "../../bridge/topics.ts";
import { editServices } from "../../config/edit.ts";
import { checkBridgeText } from "../../config/load.ts";
import type { BridgeFile, ServiceInput } from "../../config/schema.ts";
import { replaceFile } from "../../config/write-file.ts";
import { ROOT_CA_FILE } from "./root-ca.ts";

export interface AwsIotSetupOptions {
  /** The bridge's file; made where there is none. */
  readonly config: string;
  /** The service's. */
  readonly name: string;
  readonly publishPrefix: string;
  readonly subscribeTopic: string;
  /** Default from the service's name. The client id too, so that a thing is one connection. */
  readonly thing?: string;
  /** Default `certs` beside the file. */
  readonly dir?: string;
  readonly region?: string;
  /** The endpoint, once it is known: writes the service into the file. */
  readonly hostname?: string;
  readonly run: boolean;
  readonly json: boolean;
}

export interface SetupPlan {
  readonly thing: string;
  readonly policyName: string;
  readonly dir: string;
  /** Absolute. */
  readonly files: {
    readonly privateKey: string;
    readonly request: string;
    readonly certificate: string;
    readonly policy: string;
    readonly rootCa: string;
  };
  readonly needs: PolicyNeeds;
  /** Whether the file has a service of this name already, which then stays as it is. */
  readonly present: boolean;
  /** The service's fields, with paths relative to the file. */
  service(hostname: string): ServiceInput;
  /** Writes the service into the file. @throws SakuraError INVALID_CONFIG */
  write(hostname: string): Promise<void>;
}

/** AWS's pattern for a thing's name. */
const THING = /^[a-zA-Z0-9:_-]{1,128}$/;
/** Stands for the endpoint while that is not known, so that everything else can be checked. */
const ANY_HOST = "endpoint.invalid";

/** Looks at everything before anything is made. @throws SakuraError INVALID_ARGUMENT, INVALID_CONFIG */
export async function planSetup(options: AwsIotSetupOptions): Promise<SetupPlan> {
  const { config, name, publishPrefix, subscribeTopic } = options;
  const thing = options.thing ?? thingOf(name);
  if (!THING.test(thing)) {
    const message = `"${thing}" is no name for a thing at AWS: it takes a–z, A–Z, 0–9, : _ and -, up to 128; give one with --thing`;
    throw new SakuraError("INVALID_ARGUMENT", message);
  }
  const configFile = resolve(config);
  const dir = resolve(options.dir ?? join(dirname(configFile), "certs"));
  // A colon is no character for the name of a file everywhere.
  const stem = thing.replaceAll(":", "_");
  const files = {
    privateKey: join(dir, `${stem}.private.pem.key`),
    request: join(dir, `${stem}.csr`),
    certificate: join(dir, `${stem}.pem.crt`),
    policy: join(dir, `${stem}.policy.json`),
    rootCa: join(dir, ROOT_CA_FILE),
  };
  const inFile = (path: string): string => relative(dirname(configFile), path).split(sep).join("/");
  const service = (hostname: string): ServiceInput => ({
    name,
    type: "aws-iot",
    hostname,
    publish_prefix: publishPrefix,
    subscribe_topic: subscribeTopic,
    rootca_cert: inFile(files.rootCa),
    cert: inFile(files.certificate),
    private_key: inFile(files.privateKey),
    client_id: thing,
  });
  const textWith = async (hostname: string): Promise<string> => {
    const text = (await readIfPresent(configFile)) ?? NEW_FILE;
    const added = editServices(text, { how: "create", fields: service(hostname) }, basename(configFile));
    checkBridgeText(added, basename(configFile));
    return added;
  };
  const present = await presentService(configFile, name);
  if (!present) await textWith(ANY_HOST);
  return {
    thing,
    policyName: `${thing.replaceAll(":", "_")}-bridge`,
    dir,
    files,
    // What the file has grown since must stay allowed: other connections, a result topic.
    needs: present ? needsOf(present, thing) : { clientIds: [thing], publishPrefix, subscribeTopic },
    present: present !== undefined,
    service,
    write: async (hostname) => replaceFile(configFile, await textWith(hostname)),
  };
}

const NEW_FILE = `# A bridge between sakura.io modules and AWS IoT: sakuraio bridge --config FILE
# Every path is relative to this file.
services: []

# One emulated module to begin with: put yours here.
modules:
  - { id: u0123456789ab, link: emulated, uart: pty }
`;

type PresentService = BridgeFile["services"][number];

async function presentService(file: string, name: string): Promise<PresentService | undefined> {
  const text = await readIfPresent(file);
  if (text === undefined) return undefined;
  return checkBridgeText(text, basename(file)).file.services.find((service) => service.name === name);
}

function needsOf(service: PresentService, thing: string): PolicyNeeds {
  return {
    clientIds: connectionClientIds(service.client_id ?? thing, service.connections),
    publishPrefix: service.publish_prefix,
    subscribeTopic: service.subscribe_topic,
    resultTopic: service.result_topic,
  };
}

function thingOf(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9:_-]+/g, "-").replaceAll(/^-+|-+$/g, "");
}
