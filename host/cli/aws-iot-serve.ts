/** `sakuraio aws-iot serve`: the emulated AWS IoT endpoint, with all that a bridge needs to use it, in one directory. */
import { createInterface } from "node:readline";
import { z } from "zod";
import { type EndpointEvent, startWorkspace, type Workspace } from "../../emulator/aws-iot/index.ts";
import { aborted, type CliIo, type ExitCode, printLine } from "./io.ts";

export interface AwsIotServeOptions {
  /** Where the certificates and bridge.yaml are, or will be. */
  readonly dir: string;
  /** 0–65535; 0 takes a free one. */
  readonly port: number;
  /** Whether the bridge's certificate begins with its policy attached. */
  readonly policy: boolean;
  readonly json: boolean;
}

/**
 * Serves until the signal aborts.
 * @throws SakuraError INVALID_ARGUMENT, INVALID_CONFIG or PORT_… when it cannot begin
 */
export async function serveAwsIot(options: AwsIotServeOptions, io: CliIo): Promise<ExitCode> {
  if (io.signal.aborted) return 0;
  const workspace = await startWorkspace(options);
  try {
    for (const note of workspace.notes) printLine(io.stderr, `note: ${note}`);
    if (options.json) serveJson(workspace, io);
    else servePeople(workspace, options, io);
    await aborted(io.signal);
  } finally {
    await workspace.close();
  }
  return 0;
}

function serveJson(workspace: Workspace, { stdin, stdout, signal }: CliIo): void {
  const print = (line: object) => printLine(stdout, JSON.stringify(line));
  workspace.endpoint.onEvent((event) => print(jsonOf(event)));
  // Before the first line that somebody may answer.
  const lines = createInterface({ input: stdin, crlfDelay: Number.POSITIVE_INFINITY });
  lines.on("line", (line) => {
    if (line.trim() !== "") print({ event: "control", ...control(workspace, line) });
  });
  signal.addEventListener("abort", () => lines.close(), { once: true });
  const endpoints = { mqtts: addressOf(workspace) };
  print({ event: "ready", endpoints, config: workspace.configPath });
}

const controlSchema = z.strictObject({ control: z.enum(["attach-policy", "detach-policy"]) });

function control(workspace: Workspace, line: string): { readonly ok: boolean; readonly reason?: string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { ok: false, reason: "not a JSON object" };
  }
  const command = controlSchema.safeParse(value);
  if (!command.success) {
    return { ok: false, reason: 'expected {"control":"attach-policy"} or {"control":"detach-policy"}' };
  }
  if (command.data.control === "attach-policy") workspace.attachPolicy();
  else workspace.detachPolicy();
  return { ok: true };
}

/** One line of `--json`: the event's fields, named as in JSON. */
function jsonOf(event: EndpointEvent): object {
  switch (event.type) {
    case "connected":
      return { event: "connected", client_id: event.clientId, certificate_id: event.certificateId };
    case "refused": {
      const { reason, message, clientId, certificateId } = event;
      return { event: "refused", reason, message, client_id: clientId, certificate_id: certificateId };
    }
    case "published":
      return { event: "published", client_id: event.clientId, topic: event.topic, bytes: event.bytes, qos: event.qos };
    case "subscribed":
      return { event: "subscribed", client_id: event.clientId, topic: event.filter, qos: event.qos };
    case "disconnected":
      return { event: "disconnected", client_id: event.clientId, reason: event.reason, message: event.message };
  }
}

function servePeople(workspace: Workspace, { policy }: AwsIotServeOptions, { stdout }: CliIo): void {
  workspace.endpoint.onEvent((event) => printLine(stdout, oneLine(textOf(event))));
  printLine(
    stdout,
    `AWS IoT, emulated, at ${addressOf(workspace)}. To try it, in other terminals:

  the bridge, with an emulated module:
    sakuraio bridge --config ${quoted(workspace.configPath)}

  what modules send:
    mosquitto_sub ${mosquitto(workspace, "observer-sub")} -v -t ${quoted(`${workspace.publishPrefix}/#`)}

  something for a module to receive:
    mosquitto_pub ${mosquitto(workspace, "observer-pub")} -t ${quoted(workspace.subscribeTopic)} -m ${quoted(EXAMPLE)}
${policy ? "" : "\nThe bridge's certificate has no policy attached: as with AWS, the bridge is refused without a word.\n"}
Ctrl+C stops it.
`,
  );
}

const EXAMPLE =
  '{"type":"channels","module":"u0123456789ab","payload":{"channels":[{"channel":1,"type":"i","value":42}]}}';

function mosquitto({ endpoint, observer }: Workspace, clientId: string): string {
  const { rootCa, certificate, privateKey } = observer;
  const files = `--cafile ${quoted(rootCa)} --cert ${quoted(certificate)} --key ${quoted(privateKey)}`;
  return `-h localhost -p ${endpoint.port} ${files} -i ${clientId}`;
}

function textOf(event: EndpointEvent): string {
  switch (event.type) {
    case "connected":
      return `connected     ${event.clientId}`;
    case "refused":
      return `refused       ${event.clientId ?? "(no client id)"}: ${event.reason}: ${event.message}`;
    case "published":
      return `published     ${event.clientId}: ${event.topic}, ${event.bytes} bytes, QoS ${event.qos}`;
    case "subscribed":
      return `subscribed    ${event.clientId}: ${event.filter}, QoS ${event.qos}`;
    case "disconnected":
      return `disconnected  ${event.clientId}: ${event.reason}: ${event.message}`;
  }
}

/** Client ids and topics are whatever a client sends. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "\uFFFD");
}

function addressOf({ endpoint }: Workspace): string {
  return `localhost:${endpoint.port}`;
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
