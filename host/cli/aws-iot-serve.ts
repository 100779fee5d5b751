/** `sakuraio aws-iot serve`: the emulated AWS IoT endpoint, with all that a bridge needs to use it, in one directory. */
import { createInterface } from "node:readline";
import { parseEndpointFaults, parseLimits, startWorkspace, type Workspace } from "../../emulator/aws-iot/index.ts";
import { quoted } from "../shell-word.ts";
import { applyControl } from "./aws-iot/serve-control.ts";
import { endpointEventJson, endpointEventText } from "./aws-iot/serve-events.ts";
import { aborted, type CliIo, type ExitCode, printLine } from "./io.ts";

export interface AwsIotServeOptions {
  /** Where the certificates and bridge.yaml are, or will be. */
  readonly dir: string;
  /** 0–65535; 0 takes a free one. */
  readonly port: number;
  /** Whether the bridge's certificate begins with its policy attached. */
  readonly policy: boolean;
  /** `publishRate=off,accountRate=2000`; default all hold. */
  readonly limits?: string;
  /** `drop-after=50,delay=200`; default none. */
  readonly faults?: string;
  readonly json: boolean;
}

/**
 * Serves until the signal aborts.
 * @throws SakuraError INVALID_ARGUMENT, INVALID_CONFIG or PORT_… when it cannot begin
 */
export async function serveAwsIot(options: AwsIotServeOptions, io: CliIo): Promise<ExitCode> {
  if (io.signal.aborted) return 0;
  const faults = parseEndpointFaults(options.faults ?? "");
  const workspace = await startWorkspace({ ...options, limits: parseLimits(options.limits ?? "") });
  workspace.endpoint.faults.set(faults);
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
  workspace.endpoint.onEvent((event) => print(endpointEventJson(event)));
  // Before the first line that somebody may answer.
  const lines = createInterface({ input: stdin, crlfDelay: Number.POSITIVE_INFINITY });
  lines.on("line", (line) => {
    if (line.trim() !== "") print({ event: "control", ...applyControl(workspace, line) });
  });
  signal.addEventListener("abort", () => lines.close(), { once: true });
  const endpoints = { mqtts: addressOf(workspace) };
  print({ event: "ready", endpoints, config: workspace.configPath });
}

function servePeople(workspace: Workspace, { policy }: AwsIotServeOptions, { stdout }: CliIo): void {
  workspace.endpoint.onEvent((event) => printLine(stdout, oneLine(endpointEventText(event))));
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

/** Client ids and topics are whatever a client sends. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "\uFFFD");
}

function addressOf({ endpoint }: Workspace): string {
  return `localhost:${endpoint.port}`;
}
