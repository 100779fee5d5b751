/** `sakuraio aws-iot check`: connects as the bridge would, and tests each right by itself. */
import { checkService, type ServiceCheckName, type ServiceCheckResult } from "../bridge/aws-iot/check.ts";
import { withClientIds } from "../config/client-ids.ts";
import { loadConfig } from "../config/load.ts";
import { chosenService } from "./aws-iot/chosen-service.ts";
import { type CliIo, type ExitCode, printLine } from "./io.ts";

export interface AwsIotCheckOptions {
  readonly config: string;
  /** Needed where the file has several. */
  readonly service?: string;
  /** Whether to publish a message to each topic that is published to. */
  readonly publish: boolean;
  readonly json: boolean;
}

/** Exits 1 when a check fails. @throws SakuraError INVALID_CONFIG, INVALID_ARGUMENT, ABORTED */
export async function awsIotCheck(options: AwsIotCheckOptions, io: CliIo): Promise<ExitCode> {
  const config = loadConfig(options.config);
  const { config: service, clientId } = chosenService(withClientIds(config), options.service);
  const modules = service.modules ?? config.modules.map(({ id }) => id);
  const report = new Report(service.name, options.json, io);
  const subject = { service, clientId, module: modules[0] ?? "", publish: options.publish };
  await checkService(subject, (...result) => report.add(...result), io.signal);
  if (options.json) printLine(io.stdout, JSON.stringify({ event: "checked", ok: !report.failed }));
  return report.failed ? 1 : 0;
}

class Report {
  failed = false;
  readonly #service: string;
  readonly #json: boolean;
  readonly #io: CliIo;

  constructor(service: string, json: boolean, io: CliIo) {
    this.#service = service;
    this.#json = json;
    this.#io = io;
  }

  add(check: ServiceCheckName, result: ServiceCheckResult, message: string): void {
    this.failed ||= result === "failed";
    const line = this.#json
      ? JSON.stringify({ event: "check", service: this.#service, check, result, message })
      : `${result.replace("-", " ").padEnd(11)} ${check.padEnd(12)} ${message}`;
    printLine(this.#io.stdout, line.replaceAll(/[\r\n]+/g, " "));
  }
}
