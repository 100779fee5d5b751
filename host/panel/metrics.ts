/**
 * The bridge's figures for Prometheus. Alone imports prom-client. No figure has a module's id as a label: a bridge may have
 * ten thousand modules, and each label's value is a time series for ever.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Clock } from "../../protocol/bus.ts";
import type { BridgeControl } from "../bridge/control.ts";
import { type BridgeEvent, type BridgeStats, serviceFailures, type UplinkRefusal } from "../bridge/index.ts";

/** A link may give its own reason for a refusal; past so many they are `other`. */
const REASONS_MAX = 50;
const SERVICE_STATES = ["connecting", "online", "error", "stopped"];
const OUTBOX_STATES = ["ok", "low-space", "failed"];
const REFUSALS: readonly UplinkRefusal[] = ["outbox-full", "outbox-failed", "too-large", "closing"];
const DROPPED = ["full", "expired", "damaged"] as const;

export class BridgeMetrics {
  readonly #registry = new Registry();
  readonly #clock: Clock;
  /** What is counted as it happens; the rest is read when somebody asks. */
  readonly #refused;
  readonly #setAside;
  readonly #connects;
  readonly #failures;
  readonly #read: Readings;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#refused = this.#counter("messages_refused", "Messages of modules that were not accepted", "reason");
    // There from the start, so that the first one is a rise.
    for (const reason of REFUSALS) this.#refused.inc({ reason }, 0);
    this.#setAside = this.#counter("messages_set_aside", "Messages that became dead letters", "service");
    this.#connects = this.#counter("service_connects", "Times that a service came online", "service");
    this.#failures = this.#counter("service_failures", "Failed tries and lost connections", "service", "failure");
    this.#read = readings(
      (name, help, ...labels) => this.#counter(name, help, ...labels),
      (name, help, ...labels) => this.#gauge(name, help, ...labels),
    );
    collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  event(event: BridgeEvent): void {
    switch (event.type) {
      case "message-refused":
        this.#refused.inc({ reason: event.reason });
        break;
      case "dead-letter":
        this.#setAside.inc({ service: event.service });
        break;
      case "service":
        if (event.state.state === "online") this.#connects.inc({ service: event.service });
        // A try that is under way is the same failure still.
        if (event.state.state === "error" && event.state.nextAttempt !== undefined) {
          this.#failures.inc({ service: event.service, failure: event.state.failure });
        }
        break;
      case "service-removed":
        this.#forget(event.service);
        break;
      default:
    }
  }

  /** In Prometheus's text format. */
  text(control: BridgeControl | undefined): Promise<string> {
    if (control) {
      this.#read.all(control.stats(), this.#clock.now());
      this.#read.certificates(control.services());
    }
    return this.#registry.metrics();
  }

  #forget(service: string): void {
    this.#setAside.remove({ service });
    this.#connects.remove({ service });
    for (const failure of serviceFailures) this.#failures.remove({ service, failure });
  }

  #counter(name: string, help: string, ...labelNames: string[]): Counter {
    return new Counter({ name: `sakuraio_${name}_total`, help, labelNames, registers: [this.#registry] });
  }

  #gauge(name: string, help: string, ...labelNames: string[]): Gauge {
    return new Gauge({ name: `sakuraio_${name}`, help, labelNames, registers: [this.#registry] });
  }
}

interface Readings {
  all(stats: BridgeStats, now: number): void;
  certificates(services: ReturnType<BridgeControl["services"]>): void;
}

type Make<Metric> = (name: string, help: string, ...labels: string[]) => Metric;

/** What the bridge counts itself. */
function readings(counter: Make<Counter>, gauge: Make<Gauge>): Readings {
  const accepted = counter("messages_accepted", "Messages of modules that were accepted");
  const unrouted = counter("messages_unrouted", "Accepted messages of modules that no service is for");
  const nonFinite = counter("values_not_finite", "Values that JSON cannot hold and that were published as null");
  const downlinks = counter("downlinks_accepted", "Downlink messages that a module has");
  const refused = counter("downlinks_refused", "Downlink messages that were refused", "reason");
  const waiting = gauge("downlinks_waiting", "Downlink messages that wait for their link");
  const outbox = gauge("outbox_state", "1 for the state that the outbox is in", "state");
  const orphans = gauge("orphan_messages", "Messages kept of a service that is gone", "service");
  const links = gauge("links", "Links in each state", "kind", "state");
  const certificates = gauge("certificate_expiry_timestamp_seconds", "End of a service's own certificate", "service");
  const services = serviceReadings(counter, gauge);
  return {
    certificates(views) {
      certificates.reset();
      for (const { name, certificate } of views) certificates.set({ service: name }, certificate.validTo / 1000);
    },
    all(stats, now) {
      set(accepted, stats.uplink.accepted);
      set(unrouted, stats.uplink.unrouted);
      set(nonFinite, stats.uplink.nonFinite);
      set(downlinks, stats.downlink.accepted);
      refused.reset();
      for (const [i, [reason, times]] of Object.entries(stats.downlink.refusals).entries()) {
        refused.inc({ reason: i < REASONS_MAX ? reason : "other" }, times);
      }
      waiting.set(stats.downlink.waiting);
      orphans.reset();
      for (const orphan of stats.orphans) orphans.set({ service: orphan.service }, orphan.waiting);
      for (const state of OUTBOX_STATES) outbox.set({ state }, stats.outbox.state === state ? 1 : 0);
      links.reset();
      for (const [kind, counts] of linkCounts(stats)) {
        for (const [state, count] of counts) links.set({ kind, state }, count);
      }
      services(stats, now);
    },
  };
}

function serviceReadings(counter: Make<Counter>, gauge: Make<Gauge>): (stats: BridgeStats, now: number) => void {
  const state = gauge("service_state", "1 for the state that a service is in", "service", "state");
  const attempts = gauge("service_failed_attempts", "Failures in a row of a service that is not online", "service");
  const published = counter("messages_published", "Messages that a service has", "service");
  const dropped = counter("messages_dropped", "Messages that no service will get", "service", "why");
  const messages = gauge("outbox_messages", "Messages that wait for a service", "service");
  const bytes = gauge("outbox_bytes", "What they and the dead letters take of outbox.max_bytes", "service");
  const oldest = gauge("outbox_oldest_age_seconds", "Age of the oldest message that waits", "service");
  const dead = gauge("dead_letters", "Messages that were set aside", "service");
  const all = [state, attempts, published, dropped, messages, bytes, oldest, dead];
  return (stats, now) => {
    // Services come and go while the bridge runs.
    for (const metric of all) metric.reset();
    for (const one of stats.services) {
      const service = one.name;
      for (const each of SERVICE_STATES) state.set({ service, state: each }, one.state.state === each ? 1 : 0);
      attempts.set({ service }, one.state.state === "error" ? one.state.attempts : 0);
      published.inc({ service }, one.published);
      for (const why of DROPPED) dropped.inc({ service, why }, one.dropped[why]);
      messages.set({ service }, one.waiting);
      bytes.set({ service }, one.waitingBytes);
      // The clock may have been set back meanwhile.
      oldest.set({ service }, one.oldestAt === undefined ? 0 : Math.max(0, now - one.oldestAt) / 1000);
      dead.set({ service }, one.deadLetters);
    }
  };
}

/** By kind and state. Counted before they are told, because there may be ten thousand. */
function linkCounts({ links }: BridgeStats): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const kinds = new Map<string, Map<string, number>>();
  for (const { kind, state } of links) {
    const counts = kinds.get(kind) ?? new Map<string, number>();
    kinds.set(kind, counts.set(state.state, (counts.get(state.state) ?? 0) + 1));
  }
  return kinds;
}

function set(counter: Counter, value: number): void {
  counter.reset();
  counter.inc(value);
}
