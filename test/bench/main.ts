/** `npm run bench`: what the toolkit costs, as ratios within one run (docs/performance.md). */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { benchAvr } from "./avr.ts";
import { benchBridge } from "./bridge.ts";
import { benchBusPirate, benchPacedBusPirate } from "./bus-pirate.ts";
import { benchCodec } from "./codec.ts";
import { benchDownload } from "./download.ts";
import { benchDurable } from "./durable.ts";
import { benchLatency } from "./latency.ts";
import { type Row, tableHead, tableLine } from "./report.ts";
import { benchBacklog, benchModules } from "./scale.ts";
import { benchStartup } from "./startup.ts";
import { benchTap } from "./tap.ts";
import { benchPacedUart, benchUart } from "./uart.ts";

type Benchmark = (report: (row: Row) => void) => Promise<void>;

const benchmarks: { readonly [name: string]: Benchmark } = {
  startup: benchStartup,
  codec: benchCodec,
  uart: benchUart,
  "uart-115200": benchPacedUart,
  download: benchDownload,
  "bus-pirate": benchBusPirate,
  "bus-pirate-115200": benchPacedBusPirate,
  avr: benchAvr,
  bridge: benchBridge,
  durable: benchDurable,
  latency: benchLatency,
  modules: benchModules,
  backlog: benchBacklog,
  tap: benchTap,
};

const HELP = `usage: npm run bench -- [--only NAME] [--json]
  --only NAME  one of ${Object.keys(benchmarks).join(", ")}
  --json       one JSON object a row
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { only: { type: "string" }, json: { type: "boolean" }, help: { type: "boolean" } },
  });
  const { only, json = false, help = false } = values;
  const chosen = Object.entries(benchmarks).filter(([name]) => only === undefined || name === only);
  if (help || chosen.length === 0) {
    process.stdout.write(HELP);
    process.exitCode = help ? 0 : 2;
    return;
  }
  const machine = { node: process.version, platform: process.platform, arch: process.arch, cpus: cpus().length };
  print(json ? JSON.stringify({ machine }) : `Node ${machine.node}, ${machine.cpus} cores\n\n${tableHead}`);
  for (const [, run] of chosen) await run((row) => print(json ? JSON.stringify(row) : tableLine(row)));
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
