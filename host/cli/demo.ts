/**
 * `sakuraio demo`: a module's channel data all the way up, and a value all the way down, on this machine.
 *
 *     MCU ── SakuraModule ── pseudo-terminal ── emulated module ── bridge ── MQTT, mutual TLS ── AWS IoT (emulated) ── application
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startWorkspace, type Workspace } from "../../emulator/aws-iot/index.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { encodeDownlink } from "../../protocol/message.ts";
import { startBridge } from "../bridge/index.ts";
import { loadConfig } from "../config/load.ts";
import { feed } from "../feed/feed.ts";
import { SakuraModule } from "../module.ts";
import { mcuRounds } from "./demo/mcu.ts";
import { DemoReport } from "./demo/report.ts";
import { subscribe } from "./demo/subscriber.ts";
import type { CliIo, ExitCode } from "./io.ts";
import { linkFactories } from "./link-factories.ts";

export interface DemoOptions {
  /** Stop after this many messages have arrived at the subscriber. */
  readonly messages?: number;
  /** Between two messages, in ms. */
  readonly interval: number;
  readonly json: boolean;
}

const MODULE_ID = "u0123456789ab";
/** Connecting to an endpoint in the same process. */
const ONLINE_TIMEOUT_MS = 15_000;
/** For the value that is still on its way down when the last message has arrived. */
const ROUND_TRIP_TIMEOUT_MS = 5_000;
/** How often the MCU looks whether something has come down, in ms. */
const POLL_MS = 50;
/** The application answers the first message, and every so many after it. */
const ANSWER_EVERY = 5;

/** @throws SakuraError when a part does not start */
export async function demo(options: DemoOptions, io: CliIo): Promise<ExitCode> {
  const closers: (() => Promise<unknown>)[] = [];
  try {
    await run(options, io, closers);
    return 0;
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

async function run(options: DemoOptions, io: CliIo, closers: (() => Promise<unknown>)[]): Promise<void> {
  const report = new DemoReport(io, options.json);
  const dir = await mkdtemp(join(tmpdir(), "sakuraio-demo-"));
  closers.push(() => rm(dir, { recursive: true, force: true }));
  // As quick as the interval asks for: a demonstration of AWS's rate is not what it is for.
  const aws = await startWorkspace({ dir, policy: true, limits: { publishRate: false } });
  closers.push(() => aws.close());

  const { bridge, address } = await startDemoBridge(aws, io.signal);
  closers.push(() => bridge.close());
  const module = await SakuraModule.open(address.startsWith("tcp:") ? address : `uart:${address}`, {
    signal: io.signal,
  });
  closers.push(() => module.close());

  const stop = new AbortController();
  const signal = AbortSignal.any([io.signal, stop.signal]);
  const traffic = new Traffic(options.messages, () => stop.abort());
  const application = await subscribe({
    port: aws.endpoint.port,
    identity: aws.observer,
    topicFilter: `${aws.publishPrefix}/#`,
    onMessage: (topic, text) => {
      if (traffic.isComplete) return;
      report.received(topic, text);
      if (traffic.received % ANSWER_EVERY === 0) {
        const value = traffic.answers + 1;
        const answer = encodeDownlink({
          type: "channels",
          module: MODULE_ID,
          payload: { channels: [{ channel: 10, type: "I", value }] },
        });
        report.answered(aws.subscribeTopic, answer);
        application.publish(aws.subscribeTopic, answer).catch((error: unknown) => stop.abort(error));
        traffic.answers++;
      }
      traffic.onReceived();
    },
  });
  closers.push(() => application.close());
  report.ready({ port: address, module: MODULE_ID, aws });

  await feed(module, mcuRounds(), {
    everyMs: options.interval,
    pollMs: POLL_MS,
    signal,
    onEvent: (event) => {
      if (event.kind === "round") report.sent(event.values);
      if (event.kind === "received") {
        report.dequeued(event.value);
        traffic.onDequeued();
      }
      if (event.kind === "trouble") report.trouble(event.error);
    },
  });
  if (stop.signal.aborted && stop.signal.reason instanceof SakuraError) throw stop.signal.reason;
}

/** Counts what has gone which way, and says when it is enough: the messages asked for, and no answer still under way. */
class Traffic {
  received = 0;
  answers = 0;
  #dequeued = 0;
  readonly #wanted: number | undefined;
  readonly #enough: () => void;

  constructor(wanted: number | undefined, enough: () => void) {
    this.#wanted = wanted;
    this.#enough = enough;
  }

  /** Whether every message asked for has arrived; an answer may still be on its way down. */
  get isComplete(): boolean {
    return this.#wanted !== undefined && this.received >= this.#wanted;
  }

  onReceived(): void {
    this.received++;
    if (this.received === this.#wanted) setTimeout(this.#enough, ROUND_TRIP_TIMEOUT_MS).unref();
    this.#check();
  }

  onDequeued(): void {
    this.#dequeued++;
    this.#check();
  }

  #check(): void {
    if (this.isComplete && this.#dequeued >= this.answers) this.#enough();
  }
}

/** The bridge from the endpoint's own file, once its service is online and its module can be talked to. */
async function startDemoBridge(aws: Workspace, signal: AbortSignal) {
  const config = loadConfig(aws.configPath);
  let online = false;
  let address: string | undefined;
  let check = (): void => undefined;
  const ready = new Promise<string>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new SakuraError("TIMEOUT", "the demo's bridge did not come online: run it again")),
      ONLINE_TIMEOUT_MS,
    );
    const onAbort = (): void => reject(new SakuraError("ABORTED", "the demo was stopped"));
    check = () => {
      if (!online || address === undefined) return;
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      resolve(address);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  const bridge = await startBridge({
    config,
    links: linkFactories,
    onEvent: (event) => {
      if (event.type === "service") online = event.state.state === "online";
      if (event.type === "link" && event.state.state === "up") address = event.state.endpoint;
      check();
    },
  });
  try {
    return { bridge, address: await ready };
  } catch (error) {
    await bridge.close();
    throw error;
  }
}
