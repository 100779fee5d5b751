/** `sakuraio aws-iot check`: connects as the bridge would, and tests each right by itself. */
import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { formatDateTime } from "../../protocol/datetime.ts";
import { isSakuraError, reasonOf } from "../../protocol/errors.ts";
import { connectionClientIds, publishTopic } from "../bridge/topics.ts";
import { pause, systemClock } from "../clock.ts";
import { withClientIds } from "../config/client-ids.ts";
import { loadConfig } from "../config/load.ts";
import type { AwsIotServiceConfig } from "../config/schema.ts";
import { chosenService } from "./aws-iot/chosen-service.ts";
import { Probe } from "./aws-iot/probe.ts";
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
  await new Check({ service, clientId, module: modules[0] ?? "", publish: options.publish }, report, io.signal).run();
  if (options.json) printLine(io.stdout, JSON.stringify({ event: "checked", ok: !report.failed }));
  return report.failed ? 1 : 0;
}

type CheckName =
  | "certificate"
  | "name"
  | "tcp"
  | "tls"
  | "connect"
  | "subscribe"
  | "receive"
  | "publish"
  | "result-topic";
type Result = "ok" | "failed" | "not-tested";

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

  add(check: CheckName, result: Result, message: string): void {
    this.failed ||= result === "failed";
    const line = this.#json
      ? JSON.stringify({ event: "check", service: this.#service, check, result, message })
      : `${result.replace("-", " ").padEnd(11)} ${check.padEnd(12)} ${message}`;
    printLine(this.#io.stdout, line.replaceAll(/[\r\n]+/g, " "));
  }
}

interface Subject {
  readonly service: AwsIotServiceConfig;
  readonly clientId: string;
  /** The one whose topic is published to. */
  readonly module: string;
  readonly publish: boolean;
}

/** AWS takes one CONNECT a second for a client id (aws-iot §3). */
const RECONNECT_MS = 1_100;

class Check {
  readonly #subject: Subject;
  readonly #report: Report;
  readonly #signal: AbortSignal;
  readonly #passed = new Set<CheckName>();

  constructor(subject: Subject, report: Report, signal: AbortSignal) {
    this.#subject = subject;
    this.#report = report;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { service, clientId } = this.#subject;
    this.#checkDates(service.credentials.certificate);
    const [first = clientId, ...others] = connectionClientIds(clientId, service.connections);
    const probe = await this.#connect(first);
    if (!probe) {
      for (const check of ["subscribe", "receive", "publish"] as const) {
        this.#report.add(check, "not-tested", "the connection did not come about");
      }
      return;
    }
    for (const id of others) await (await this.#connect(id))?.end();
    await this.#checkSubscribe(probe);
    await this.#checkPublishes(probe, first);
  }

  #checkDates({ validFrom, validTo }: X509Certificate): void {
    const from = Date.parse(validFrom);
    const to = Date.parse(validTo);
    const now = Date.now();
    const advice = "check this machine's clock, or make a new certificate";
    if (now < from)
      this.#report.add("certificate", "failed", `cert is valid only from ${formatDateTime(from)}; ${advice}`);
    else if (now > to) this.#report.add("certificate", "failed", `cert expired on ${formatDateTime(to)}; ${advice}`);
    else this.#report.add("certificate", "ok", `cert is valid until ${formatDateTime(to)}, and private_key is its key`);
  }

  /** Nothing when it did not come about, which then has been told. */
  async #connect(clientId: string, isAgain = false): Promise<Probe | undefined> {
    const { hostname } = this.#subject.service;
    let step: CheckName = isIP(hostname) === 0 ? "name" : "tcp";
    try {
      const probe = await Probe.open({
        config: this.#subject.service,
        clientId,
        signal: this.#signal,
        onPassed: (phase, what) => {
          const [check, next] = STEPS[phase] ?? ["connect", "connect"];
          step = next;
          // Said once, though there are several connections.
          if (!this.#passed.has(check)) this.#report.add(check, "ok", what);
          this.#passed.add(check);
        },
      });
      this.#report.add("connect", "ok", `iot:Connect on client/${clientId}`);
      return probe;
    } catch (error) {
      // A CONNECT within a second of the last is refused without a word, too: the bridge's, or an earlier check's.
      if (!isAgain && isSakuraError(error, "SERVICE_FAILED") && error.context["reason"] === "no-connack") {
        await pause(systemClock, RECONNECT_MS, this.#signal);
        return this.#connect(clientId, true);
      }
      this.#failed(step, error);
      return undefined;
    }
  }

  async #checkSubscribe(probe: Probe): Promise<void> {
    const { subscribe_topic: topic, qos } = this.#subject.service;
    try {
      await probe.subscribe(topic, qos);
    } catch (error) {
      this.#failed("subscribe", error);
      this.#report.add("receive", "not-tested", "there is no subscription");
      return;
    }
    this.#report.add("subscribe", "ok", `iot:Subscribe on topicfilter/${topic}`);
    const how = `send a message to ${topic} while the bridge runs, from the MQTT test client of AWS's console`;
    this.#report.add("receive", "not-tested", `iot:Receive on topic/${topic} shows only when a message comes: ${how}`);
  }

  async #checkPublishes(probe: Probe, clientId: string): Promise<void> {
    const { service, module, publish } = this.#subject;
    const topics: [CheckName, string][] = [["publish", publishTopic(service.publish_prefix, module)]];
    if (service.result_topic !== undefined) topics.push(["result-topic", service.result_topic]);
    let current: Probe | undefined = probe;
    for (const [check, topic] of topics) {
      if (!publish) {
        this.#report.add(check, "not-tested", `iot:Publish on topic/${topic}: --publish sends a message there`);
        continue;
      }
      if (!current?.isOpen) current = await this.#again(clientId);
      if (!current) return;
      try {
        await current.publish(topic, JSON.stringify({ type: "keepalive", datetime: formatDateTime(Date.now()) }));
        this.#report.add(check, "ok", `iot:Publish on topic/${topic}`);
      } catch (error) {
        this.#failed(check, error);
      }
    }
    await current?.end();
  }

  /** A refusal ends the connection: the next right needs another. */
  async #again(clientId: string): Promise<Probe | undefined> {
    await pause(systemClock, RECONNECT_MS, this.#signal);
    try {
      const { service } = this.#subject;
      return await Probe.open({ config: service, clientId, signal: this.#signal, onPassed: () => undefined });
    } catch (error) {
      this.#failed("connect", error);
      return undefined;
    }
  }

  #failed(check: CheckName, error: unknown): void {
    if (!isSakuraError(error, "SERVICE_FAILED")) throw error;
    this.#report.add(check, "failed", reasonOf(error));
  }
}

/** Which check a phase of the connection is, and the one that comes after it. */
const STEPS: Readonly<Record<string, readonly [CheckName, CheckName]>> = {
  resolve: ["name", "tcp"],
  connect: ["tcp", "tls"],
  handshake: ["tls", "connect"],
};
