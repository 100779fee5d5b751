/** The AWS CLI as a program: its JSON answers, and its failures in words that say what to do. */
import { spawn } from "node:child_process";
import { errnoOf, SakuraError } from "../../../protocol/errors.ts";
import { systemClock } from "../../clock.ts";

const TIMEOUT_MS = 60_000;
const OUTPUT_MAX = 1_048_576;

export interface AwsCli {
  /**
   * Runs `aws iot VERB …` and reads what it answers; nothing where it answers nothing.
   * @throws SakuraError SERVICE_FAILED; context.reason is AWS's name for the error, where it has one
   */
  iot(...args: readonly string[]): Promise<unknown>;
}

export function awsCli(region: string | undefined, signal: AbortSignal): AwsCli {
  return {
    async iot(...args) {
      const all = ["iot", ...args, ...(region === undefined ? [] : ["--region", region]), "--output", "json"];
      const { code, stdout, stderr } = await run(all, signal);
      if (code !== 0) throw failed(args[0] ?? "", stderr, code);
      if (stdout.trim() === "") return undefined;
      try {
        return JSON.parse(stdout);
      } catch (cause) {
        throw new SakuraError("SERVICE_FAILED", `aws iot ${args[0]} did not answer in JSON`, { cause });
      }
    },
  };
}

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    // A pager would wait for somebody who presses a key.
    const env = { ...process.env, AWS_PAGER: "" };
    const child = spawn("aws", args, { env, stdio: ["ignore", "pipe", "pipe"], signal });
    const cancel = systemClock.after(TIMEOUT_MS, () => child.kill("SIGKILL"));
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (stdout.length < OUTPUT_MAX) stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (stderr.length < OUTPUT_MAX) stderr += text;
    });
    child.once("error", (cause) => {
      cancel();
      reject(signal.aborted ? new SakuraError("ABORTED", "the setup was stopped", { cause }) : notStarted(cause));
    });
    child.once("close", (code) => {
      cancel();
      resolve({ code, stdout, stderr });
    });
  });
}

function notStarted(cause: Error): SakuraError {
  const message =
    errnoOf(cause) === "ENOENT"
      ? "the AWS CLI is not installed: install version 2 (https://docs.aws.amazon.com/cli/), or leave --run out and run the commands where it is"
      : `the AWS CLI cannot be started: ${cause.message}`;
  return new SakuraError("SERVICE_FAILED", message, { context: { reason: "not-started" }, cause });
}

/** It tells its failures in words alone. */
function failed(verb: string, stderr: string, code: number | null): SakuraError {
  const reason = /An error occurred \((\w+)\)/.exec(stderr)?.[1];
  const said = stderr.trim().replaceAll(/\s+/g, " ") || (code === null ? "no answer in time" : `exit code ${code}`);
  const message = `aws iot ${verb} failed: ${said}${advice(verb, `${reason ?? ""} ${said}`)}`;
  return new SakuraError("SERVICE_FAILED", message, { context: { reason } });
}

function advice(verb: string, said: string): string {
  if (/locate credentials|NoCredentials/i.test(said)) {
    return "; log in first: aws configure, or aws sso login, and see with: aws sts get-caller-identity";
  }
  if (/Expired|InvalidClientTokenId|UnrecognizedClient|SSO session/i.test(said)) {
    return "; the credentials are expired or not valid: log in again";
  }
  if (/AccessDenied|Forbidden|not authorized/i.test(said)) {
    const action = verb.replaceAll(/(?:^|-)([a-z])/g, (_all, letter: string) => letter.toUpperCase());
    return `; the user that is logged in must be allowed iot:${action}`;
  }
  if (/specify a region/i.test(said)) return "; give --region, such as --region ap-northeast-1";
  if (/VersionsLimitExceeded/.test(said)) {
    return "; a policy has at most five versions: delete one with aws iot delete-policy-version, then run this again";
  }
  return "";
}
