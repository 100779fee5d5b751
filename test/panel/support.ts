/** A bridge's HTTP port with a bridge behind it that is the test. */
import { request } from "node:http";
import { onTestFinished } from "vitest";
import type { BridgeControl, ReloadReport, ServiceView, WaitingDownlink } from "../../host/bridge/control.ts";
import type { BridgeStats, DeadLetter } from "../../host/bridge/index.ts";
import type { ServiceInput } from "../../host/config/schema.ts";
import { openPanel, type Panel } from "../../host/panel/server.ts";
import type { Clock } from "../../protocol/bus.ts";
import type { DownlinkMessage } from "../../protocol/message.ts";

/** 2026-01-02T03:04:05Z */
export const T0 = Date.UTC(2026, 0, 2, 3, 4, 5);

export const online = { state: "online", since: T0, endpoint: "broker:8883" } as const;
export const failing = {
  state: "error",
  since: T0,
  failure: "no-connack",
  reason: "closed without a word",
  attempts: 3,
  nextAttempt: T0 + 5_000,
} as const;

export function serviceStats(fields: Partial<BridgeStats["services"][number]> = {}): BridgeStats["services"][number] {
  return {
    name: "plant-a",
    state: online,
    published: 0,
    waiting: 0,
    waitingBytes: 0,
    oldestAt: undefined,
    dropped: { full: 0, expired: 0, damaged: 0 },
    deadLetters: 0,
    ...fields,
  };
}

export class FakeControl implements BridgeControl {
  current: BridgeStats = {
    startedAt: T0,
    uplink: { accepted: 0, refused: 0, unrouted: 0, nonFinite: 0 },
    downlink: { accepted: 0, refused: 0, waiting: 0, refusals: {} },
    services: [serviceStats()],
    links: [{ module: "u1", kind: "emulated", state: { state: "up", since: T0, endpoint: "/dev/pts/3" } }],
    outbox: { state: "ok" },
    orphans: [],
  };
  views: readonly ServiceView[] = [view];
  waiting: readonly WaitingDownlink[] = [];
  letters: readonly DeadLetter[] = [];
  /** What was asked for, in order. */
  readonly calls: unknown[] = [];
  /** What becomes of the next calls that change something. */
  outcome: () => Promise<void> = () => Promise.resolve();
  readonly #called: (() => void)[] = [];

  stats(): BridgeStats {
    return this.current;
  }

  services(): readonly ServiceView[] {
    return this.views;
  }

  createService(fields: ServiceInput): Promise<void> {
    return this.#call("createService", fields);
  }

  editService(name: string, changes: object): Promise<void> {
    return this.#call("editService", name, changes);
  }

  removeService(name: string, options: { readonly discard: boolean }): Promise<void> {
    return this.#call("removeService", name, options);
  }

  retry(name: string): void {
    this.calls.push(["retry", name]);
  }

  async reload(): Promise<ReloadReport> {
    await this.#call("reload");
    const nothing = { added: [], changed: [], removed: [] };
    return { services: { ...nothing, changed: ["plant-a"] }, modules: nothing, needsRestart: ["outbox.path"] };
  }

  send(message: DownlinkMessage): Promise<void> {
    return this.#call("send", message);
  }

  waitingDownlinks(): readonly WaitingDownlink[] {
    return this.waiting;
  }

  async deadLetters(service: string, page: object): Promise<readonly DeadLetter[]> {
    await this.#call("deadLetters", service, page);
    return this.letters;
  }

  async retryDeadLetters(service: string, ids: readonly string[] | "all"): Promise<number> {
    await this.#call("retryDeadLetters", service, ids);
    return 2;
  }

  async deleteDeadLetters(service: string, ids: readonly string[] | "all"): Promise<number> {
    await this.#call("deleteDeadLetters", service, ids);
    return 1;
  }

  /** Resolves at the next call. */
  async called(): Promise<void> {
    await new Promise<void>((resolve) => this.#called.push(resolve));
  }

  #call(...call: unknown[]): Promise<void> {
    this.calls.push(call);
    for (const resolve of this.#called.splice(0)) resolve();
    return this.outcome();
  }
}

export const view: ServiceView = {
  name: "plant-a",
  type: "aws-iot",
  hostname: "broker",
  publish_prefix: "sakura/up",
  subscribe_topic: "sakura/down",
  clientId: "sakuraio-1",
  rootCa: certificate("CN=root", "root.pem"),
  certificate: certificate("CN=device", "cert.pem"),
  privateKeyFrom: "key.pem",
};

function certificate(subject: string, from: string) {
  return { from, subject, issuer: "CN=root", validFrom: T0, validTo: T0 + 86_400_000, fingerprint: "AB:CD" };
}

export const testClock: Clock = {
  now: () => T0 + 60_000,
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

export interface TestPanel {
  readonly panel: Panel;
  readonly control: FakeControl;
  /** What nobody foresaw. */
  readonly failures: unknown[];
  readonly url: string;
}

/** Closed after the test. */
export async function startPanel(clock = testClock): Promise<TestPanel> {
  const failures: unknown[] = [];
  const panel = await openPanel({ listen: "127.0.0.1:0", clock, onFailure: (error) => failures.push(error) });
  onTestFinished(() => panel.close());
  const control = new FakeControl();
  panel.serve(control);
  return { panel, control, failures, url: `http://${panel.address}` };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export async function ask(
  url: string,
  method = "GET",
  body?: string,
  headers?: Readonly<Record<string, string>>,
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    ...(body !== undefined && { body }),
    headers: headers ?? (body === undefined ? {} : { "content-type": "application/json" }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** As a browser, or a bad one, would ask: with these headers and no other. */
export function rawAsk(url: string, method: string, headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { method, headers, setHost: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asking.on("error", reject);
    asking.end();
  });
}
