/** From a module's TX_SEND to the subscriber, at a steady rate, every message on disk before it is published. */
import { mkdtempSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { hrtime } from "node:process";
import { startBridge } from "sakuraio-kit/host";
import { configIn, online } from "./bridge-publishers.ts";
import { type Cloud, hasMosquitto, startCloud } from "./cloud.ts";
import { InProcessModules } from "./in-process-modules.ts";
import { atMost, leftOut, type Row } from "./report.ts";

const RATE = 1_000;
/** So many that the one before is long done when a module sends again, on a slow disk too. */
const MODULES = 500;
const WARM_UP = 3_000;
const MESSAGES = 20_000;
const FSYNCS = 2_000;

export async function benchLatency(report: (row: Row) => void): Promise<void> {
  if (!hasMosquitto()) {
    report(leftOut("latency", "needs mosquitto"));
    return;
  }
  const cloud = await startCloud();
  const directory = mkdtempSync(join(tmpdir(), "sakuraio-bench-latency-"));
  try {
    const before = await fsyncs(directory);
    const latencies = await measure(cloud, directory);
    const fsync = percentile([...before, ...(await fsyncs(directory))], 0.99);
    const bound = 5 + 2 * fsync;
    report({ name: "latency: one fsync, p99", figure: fsync, unit: "ms" });
    report({ name: "latency at 1,000/s: p50", figure: percentile(latencies, 0.5), unit: "ms" });
    const p99 = percentile(latencies, 0.99);
    report({
      name: "latency at 1,000/s: p99",
      figure: p99,
      unit: "ms",
      goal: atMost(p99, bound, "5 ms + 2 fsyncs' p99"),
    });
    report({ name: "latency at 1,000/s: p99.9", figure: percentile(latencies, 0.999), unit: "ms" });
  } finally {
    await cloud.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measure(cloud: Cloud, directory: string): Promise<readonly number[]> {
  const modules = new InProcessModules(MODULES);
  const config = configIn(directory, cloud.address, { modules: modules.ids });
  const bridge = await startBridge({ config, links: { emulated: modules.link } });
  try {
    await online(bridge);
    await steady(cloud, modules, WARM_UP);
    return await steady(cloud, modules, MESSAGES);
  } finally {
    await bridge.close();
  }
}

async function steady(cloud: Cloud, modules: InProcessModules, count: number): Promise<readonly number[]> {
  const { all } = await cloud.expect(count, { timed: true });
  const start = performance.now();
  for (let sent = 0; sent < count; ) {
    const due = Math.min(count, Math.floor(((performance.now() - start) * RATE) / 1_000));
    for (; sent < due; sent++) modules.send(sent % MODULES, { channel: 0, type: "L", value: hrtime.bigint() });
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return (await all).latencies;
}

/** What the disk takes for a message's worth of bytes, at the same pace, in ms. */
async function fsyncs(directory: string): Promise<number[]> {
  const file = await open(join(directory, "fsync"), "a");
  try {
    const times: number[] = [];
    for (let i = 0; i < FSYNCS / 2; i++) {
      times.push(await fsync(file));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return times;
  } finally {
    await file.close();
  }
}

async function fsync(file: FileHandle): Promise<number> {
  const start = performance.now();
  await file.write(new Uint8Array(450));
  await file.datasync();
  return performance.now() - start;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
