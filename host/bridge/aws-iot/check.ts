/** Checks one service as the bridge would use it: each step of the connection, and each right by itself. */
import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { formatDateTime } from "../../../protocol/datetime.ts";
import { isSakuraError, reasonOf } from "../../../protocol/errors.ts";
import { pause, systemClock } from "../../clock.ts";
import type { AwsIotServiceConfig } from "../../config/schema.ts";
import { connectionClientIds, publishTopic } from "../topics.ts";
import { Probe, type ProbeOptions } from "./probe.ts";

export type ServiceCheckName =
  | "certificate"
  | "name"
  | "tcp"
  | "tls"
  | "connect"
  | "subscribe"
  | "receive"
  | "publish"
  | "result-topic";
export type ServiceCheckResult = "ok" | "failed" | "not-tested";

/** Told of each result as it is known; the message is one line. */
export type ServiceReport = (check: ServiceCheckName, result: ServiceCheckResult, message: string) => void;

/**
 * Connects with the service's own client ids, as the policy names them: a bridge that runs with them is thrown out.
 * Writes nothing but what `publish` asks for.
 * @throws SakuraError ABORTED
 */
export function checkService(subject: ServiceSubject, report: ServiceReport, signal: AbortSignal): Promise<void> {
  return new Check(subject, report, signal).run();
}

export interface ServiceSubject {
  readonly service: AwsIotServiceConfig;
  /** Without one there is no CONNECT: the check ends with TLS. */
  readonly clientId: string | undefined;
  /** The one whose topic is published to. */
  readonly module: string;
  readonly publish: boolean;
}

/** AWS takes one CONNECT a second for a client id (aws-iot §3). */
const RECONNECT_MS = 1_100;

class Check {
  readonly #subject: ServiceSubject;
  readonly #report: ServiceReport;
  readonly #signal: AbortSignal;
  readonly #passed = new Set<ServiceCheckName>();

  constructor(subject: ServiceSubject, report: ServiceReport, signal: AbortSignal) {
    this.#subject = subject;
    this.#report = report;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { service, clientId } = this.#subject;
    this.#checkDates(service.credentials.certificate);
    if (clientId === undefined) return this.#reach();
    const [first = clientId, ...others] = connectionClientIds(clientId, service.connections);
    const probe = await this.#connect(first);
    if (!probe) {
      for (const check of ["subscribe", "receive", "publish"] as const) {
        this.#report(check, "not-tested", "the connection did not come about");
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
    if (now < from) this.#report("certificate", "failed", `cert is valid only from ${formatDateTime(from)}; ${advice}`);
    else if (now > to) this.#report("certificate", "failed", `cert expired on ${formatDateTime(to)}; ${advice}`);
    else this.#report("certificate", "ok", `cert is valid until ${formatDateTime(to)}, and private_key is its key`);
  }

  async #reach(): Promise<void> {
    const { step, onPassed } = this.#steps();
    try {
      await Probe.reach({ config: this.#subject.service, signal: this.#signal, onPassed });
    } catch (error) {
      this.#failed(step(), error);
    }
    const reason = "it has no client_id yet: the bridge makes one when it starts, and the policy must name it";
    this.#report("connect", "not-tested", reason);
  }

  /** Tells of each step that is passed, once though there are several connections; which one would come next. */
  #steps(): { readonly step: () => ServiceCheckName; readonly onPassed: ProbeOptions["onPassed"] } {
    let step: ServiceCheckName = isIP(this.#subject.service.hostname) === 0 ? "name" : "tcp";
    return {
      step: () => step,
      onPassed: (phase, what) => {
        const [check, next] = STEPS[phase] ?? ["connect", "connect"];
        step = next;
        if (!this.#passed.has(check)) this.#report(check, "ok", what);
        this.#passed.add(check);
      },
    };
  }

  /** Nothing when it did not come about, which then has been told. */
  async #connect(clientId: string, isAgain = false): Promise<Probe | undefined> {
    const { step, onPassed } = this.#steps();
    try {
      const probe = await Probe.open({ config: this.#subject.service, clientId, signal: this.#signal, onPassed });
      this.#report("connect", "ok", `iot:Connect on client/${clientId}`);
      return probe;
    } catch (error) {
      // A CONNECT within a second of the last is refused without a word, too: the bridge's, or an earlier check's.
      if (!isAgain && isSakuraError(error, "SERVICE_FAILED") && error.context["reason"] === "no-connack") {
        await pause(systemClock, RECONNECT_MS, this.#signal);
        return this.#connect(clientId, true);
      }
      this.#failed(step(), error);
      return undefined;
    }
  }

  async #checkSubscribe(probe: Probe): Promise<void> {
    const { subscribe_topic: topic, qos } = this.#subject.service;
    try {
      await probe.subscribe(topic, qos);
    } catch (error) {
      this.#failed("subscribe", error);
      this.#report("receive", "not-tested", "there is no subscription");
      return;
    }
    this.#report("subscribe", "ok", `iot:Subscribe on topicfilter/${topic}`);
    const how = `send a message to ${topic} while the bridge runs, from the MQTT test client of AWS's console`;
    this.#report("receive", "not-tested", `iot:Receive on topic/${topic} shows only when a message comes: ${how}`);
  }

  async #checkPublishes(probe: Probe, clientId: string): Promise<void> {
    const { service, module, publish } = this.#subject;
    const topics: [ServiceCheckName, string][] = [["publish", publishTopic(service.publish_prefix, module)]];
    if (service.result_topic !== undefined) topics.push(["result-topic", service.result_topic]);
    let current: Probe | undefined = probe;
    for (const [check, topic] of topics) {
      if (!publish) {
        this.#report(
          check,
          "not-tested",
          `iot:Publish on topic/${topic}: "sakuraio aws-iot check --publish" sends a message there`,
        );
        continue;
      }
      if (!current?.isOpen) current = await this.#again(clientId);
      if (!current) return;
      try {
        await current.publish(topic, JSON.stringify({ type: "keepalive", datetime: formatDateTime(Date.now()) }));
        this.#report(check, "ok", `iot:Publish on topic/${topic}`);
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

  #failed(check: ServiceCheckName, error: unknown): void {
    if (!isSakuraError(error, "SERVICE_FAILED")) throw error;
    this.#report(check, "failed", reasonOf(error));
  }
}

/** Which check a phase of the connection is, and the one that comes after it. */
const STEPS: Readonly<Record<string, readonly [ServiceCheckName, ServiceCheckName]>> = {
  resolve: ["name", "tcp"],
  connect: ["tcp", "tls"],
  handshake: ["tls", "connect"],
};
