/** A bridge's surroundings: an endpoint, certificates in files, links without wires. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Bridge, BridgeEvent, BridgeOptions, Link, LinkState } from "../../host/bridge/index.ts";
import { startBridge } from "../../host/bridge/index.ts";
import { parseConfig } from "../../host/config/load.ts";
import type { BridgeConfig } from "../../host/config/schema.ts";
import type { Uplink } from "../../protocol/bus.ts";
import type { DownlinkMessage, UplinkMessage } from "../../protocol/message.ts";

/** A directory that is gone after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "sakuraio-bridge-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface Pems {
  readonly root: string;
  readonly certificate: string;
  readonly privateKey: string;
}

/** A configuration of one service and the modules u1 and u2, its certificates in files. */
export function configOf(
  pems: Pems,
  { service = {}, rest = "" }: { service?: Readonly<Record<string, string | number>>; rest?: string } = {},
): BridgeConfig {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "root.pem"), pems.root);
  writeFileSync(join(directory, "cert.pem"), pems.certificate);
  writeFileSync(join(directory, "key.pem"), pems.privateKey);
  const fields = {
    name: "plant-a",
    type: "aws-iot",
    hostname: "127.0.0.1",
    publish_prefix: "sakura/up",
    subscribe_topic: "sakura/down",
    rootca_cert: "root.pem",
    cert: "cert.pem",
    private_key: "key.pem",
    client_id: "bridge",
    ...service,
  };
  const lines = Object.entries(fields).map(([key, value]) => `${key}: ${value}`);
  const text = `services:\n  - ${lines.join("\n    ")}\nmodules:\n  - { id: u1, link: emulated, uart: pty }\n  - { id: u2, link: emulated, uart: pty }\n${rest}`;
  return parseConfig(text, { name: "bridge.yaml", directory });
}

/** A link whose module is the test. */
export class FakeLink implements Link {
  readonly module: string;
  readonly kind = "emulated";
  mirrors = false;
  readonly delivered: DownlinkMessage[] = [];
  /** What becomes of the next deliveries. */
  accept: (message: DownlinkMessage, signal?: AbortSignal) => Promise<void> = () => Promise.resolve();
  #uplink: Uplink | undefined;
  #state: LinkState = { state: "starting", since: 0 };
  readonly #listeners = new Set<(state: LinkState) => void>();

  constructor(module: string) {
    this.module = module;
  }

  start(uplink: Uplink): void {
    this.#uplink = uplink;
    this.goUp();
  }

  goUp(): void {
    this.#set({ state: "up", since: 0, endpoint: `fake:${this.module}` });
  }

  goDown(reason = "it was unplugged"): void {
    this.#set({ state: "error", since: 0, reason, attempt: 1, nextAttempt: undefined });
  }

  state(): LinkState {
    return this.#state;
  }

  onState(listener: (state: LinkState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async deliver(message: DownlinkMessage, signal?: AbortSignal): Promise<void> {
    await this.accept(message, signal);
    this.delivered.push(message);
  }

  close(): Promise<void> {
    this.#set({ state: "stopped", since: 0 });
    return Promise.resolve();
  }

  /** The module sends a message up. */
  take(message: UplinkMessage): Promise<void> {
    if (!this.#uplink) throw new Error("the link has not been started");
    return this.#uplink.take(message);
  }

  /** The module sends one int32 on channel 0. */
  send(value: number): Promise<void> {
    return this.take(channelMessage(this.module, value));
  }

  #set(state: LinkState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}

export const ENQUEUED = "2018-06-21T01:10:57.770Z";

export function channelMessage(module: string, value: number): UplinkMessage {
  return {
    module,
    type: "channels",
    payload: { channels: [{ channel: 0, type: "i", value, datetime: ENQUEUED }] },
  };
}

/** The events of a bridge, and waiting for one of them. */
export class Events {
  readonly all: BridgeEvent[] = [];
  #waiting: (() => void)[] = [];

  readonly listener = (event: BridgeEvent): void => {
    this.all.push(event);
    for (const check of this.#waiting.splice(0)) check();
  };

  /** The first event from index `from` on that fits, whether it has happened or will. */
  async first<E extends BridgeEvent>(fits: (event: BridgeEvent) => event is E, from?: number): Promise<E>;
  async first(fits: (event: BridgeEvent) => boolean, from?: number): Promise<BridgeEvent>;
  async first(fits: (event: BridgeEvent) => boolean, from = 0): Promise<BridgeEvent> {
    for (;;) {
      const found = this.all.slice(from).find(fits);
      if (found) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** The service's first state of this kind from index `from` on. */
  async service<S extends string>(state: S, from = 0) {
    const isIt = (event: BridgeEvent): event is BridgeEvent & { type: "service"; state: { state: S } } =>
      event.type === "service" && event.state.state === state;
    return (await this.first(isIt, from)).state;
  }
}

export interface TestBridge {
  readonly bridge: Bridge;
  readonly events: Events;
  readonly u1: FakeLink;
  readonly u2: FakeLink;
}

/** A bridge with two fake links, closed after the test. */
export async function startTestBridge(
  config: BridgeConfig,
  options: Omit<BridgeOptions, "config" | "links" | "onEvent"> = {},
): Promise<TestBridge> {
  const events = new Events();
  const links = new Map([
    ["u1", new FakeLink("u1")],
    ["u2", new FakeLink("u2")],
  ]);
  const linkOf = (id: string): FakeLink => links.get(id) ?? new FakeLink(id);
  const bridge = await startBridge({
    config,
    links: { emulated: ({ id }) => linkOf(id) },
    onEvent: events.listener,
    ...options,
  });
  onTestFinished(() => bridge.close());
  return { bridge, events, u1: linkOf("u1"), u2: linkOf("u2") };
}
