/** `sakuraio aws-iot setup`: a key and a request on this machine, the AWS side by the AWS CLI, and the bridge's file. */
import { relative } from "node:path";
import { SakuraError } from "../../protocol/errors.ts";
import { ambiguousNames } from "../bridge/aws-iot/policy.ts";
import { quoted } from "../shell-word.ts";
import { awsCli } from "./aws-iot/aws-cli.ts";
import { prepareFiles, readCertificate, writePolicy } from "./aws-iot/setup-files.ts";
import { type AwsIotSetupOptions, planSetup, type SetupPlan } from "./aws-iot/setup-plan.ts";
import { runSetup } from "./aws-iot/setup-run.ts";
import { endpointCommand, placeholderPolicy, setupScript } from "./aws-iot/setup-script.ts";
import { type CliIo, type ExitCode, printLine } from "./io.ts";

/** @throws SakuraError INVALID_ARGUMENT, INVALID_CONFIG, SERVICE_FAILED, UNSUPPORTED, ABORTED */
export async function awsIotSetup(options: AwsIotSetupOptions, io: CliIo): Promise<ExitCode> {
  const plan = await planSetup(options);
  for (const name of ambiguousNames(plan.needs)) {
    printLine(io.stderr, `note: in a policy the * ? or \${ of "${name}" allows more than that name`);
  }
  const out = printer(options.json, io);
  await prepareFiles(plan);
  out.done(`the key, for this user alone, in ${plan.files.privateKey}; it goes nowhere`);
  if (options.run) {
    const hostname = await runSetup(plan, awsCli(options.region, io.signal), out.done);
    await writeService(plan, hostname, options, out);
  } else if (options.hostname !== undefined) {
    await finish(plan, options.hostname, options, out);
  } else {
    await print(plan, options, out);
  }
  return 0;
}

interface Printer {
  /** A step has been done. */
  done(what: string): void;
  result(fields: object, text: string): void;
}

function printer(json: boolean, { stdout }: CliIo): Printer {
  return {
    done: (what) => printLine(stdout, json ? JSON.stringify({ event: "done", what }) : `done  ${what}`),
    result: (fields, text) => printLine(stdout, json ? JSON.stringify(fields) : text),
  };
}

/** After the commands have been run by hand. */
async function finish(plan: SetupPlan, hostname: string, options: AwsIotSetupOptions, out: Printer): Promise<void> {
  if (!(await readCertificate(plan))) {
    const message = `${plan.files.certificate} is not there yet: run the commands first, which this prints without --hostname`;
    throw new SakuraError("INVALID_CONFIG", message);
  }
  await writeService(plan, hostname, options, out);
}

async function writeService(
  plan: SetupPlan,
  hostname: string,
  { config, name }: AwsIotSetupOptions,
  out: Printer,
): Promise<void> {
  if (plan.present) {
    out.done(`${config} has a service ${name} already, which was left as it is; its hostname must be ${hostname}`);
  } else {
    await plan.write(hostname);
    out.done(`the service ${name} in ${config}`);
  }
  const check = `sakuraio aws-iot check --config ${quoted(config)} --service ${quoted(name)}`;
  out.result({ event: "ready", config, service: name, hostname }, `\nNext: ${check}`);
}

async function print(plan: SetupPlan, options: AwsIotSetupOptions, out: Printer): Promise<void> {
  await writePolicy(plan, placeholderPolicy(plan, options.region));
  // Who has the certificate has run them: a second time would make another one.
  const commands = (await readCertificate(plan))
    ? [endpointCommand(options.region)]
    : setupScript(plan, options.region);
  const again = `${repeated(options)} --hostname ENDPOINT`;
  const text = `
Run these where the AWS CLI is logged in (or give --run, and they are run here):

${commands.map((command) => `  ${command}`).join("\n")}

The last one prints the endpoint. Then:

  ${again}
`;
  out.result({ event: "commands", commands, next: again }, text);
}

/** The command line that was given, once more. */
function repeated(options: AwsIotSetupOptions): string {
  const { config, name, publishPrefix, subscribeTopic, thing, dir } = options;
  const flags: [string, string | undefined][] = [
    ["config", config],
    ["name", name],
    ["publish-prefix", publishPrefix],
    ["subscribe-topic", subscribeTopic],
    ["thing", thing],
    ["dir", dir === undefined ? undefined : relative("", dir) || "."],
  ];
  const given = flags.flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag} ${quoted(value)}`]));
  return `sakuraio aws-iot setup ${given.join(" ")}`;
}
