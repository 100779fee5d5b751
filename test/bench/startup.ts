/** What a short command takes from its start to its end, over a bare `node`: what a person waits for beside its work. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { attachUart, createAuthority, EmulatedModule, listenTcp } from "sakuraio-kit/emulator";
import { configIn } from "./bridge-publishers.ts";
import { spreadOf, takeTurns } from "./measure.ts";
import type { Row } from "./report.ts";

const ROUNDS = 11;
const HELP_GOAL_MS = 80;
const GOAL_MS = 200;
/** A command that hangs ends the benchmark, not its reader's patience. */
const LIMIT_MS = 20_000;
const BARE = "node -e 0";
// From build/bench, where this file is when it runs.
const MAIN = fileURLToPath(new URL("../../dist/host/cli/main.js", import.meta.url));

interface Contestant {
  readonly name: string;
  readonly args: readonly string[];
  /** Over the bare one; none for the bare one itself. */
  readonly goalMs?: number;
  /** Done when this is on stdout; without it, done when the process has ended. */
  readonly ready?: RegExp;
}

export async function benchStartup(report: (row: Row) => void): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "sakuraio-bench-startup-"));
  const endpoint = await listenTcp({ host: "127.0.0.1", port: 0 });
  try {
    endpoint.onConnection((duplex) => attachUart(new EmulatedModule(), duplex));
    const contestants = commands(endpoint.uri, await configFile(directory));
    const times = await takeTurns(ROUNDS, new Map(contestants.map((one) => [one.name, () => duration(one)])));
    const bare = times.get(BARE) ?? [];
    for (const { name, goalMs } of contestants) report(rowOf(name, times.get(name) ?? [], bare, goalMs));
  } finally {
    await endpoint.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function commands(module: string, config: string): readonly Contestant[] {
  const sakuraio = (name: string, args: readonly string[], goalMs = GOAL_MS, ready?: RegExp): Contestant => {
    return { name: `sakuraio ${name}`, args: [MAIN, ...args], goalMs, ...(ready && { ready }) };
  };
  return [
    { name: BARE, args: ["-e", "0"] },
    sakuraio("--help", ["--help"], HELP_GOAL_MS),
    sakuraio("module --help", ["module", "--help"]),
    sakuraio("module status over TCP", ["module", "--port", module, "status"]),
    sakuraio("emulate, until ready", ["emulate", "--uart", "tcp:127.0.0.1:0", "--json"], GOAL_MS, /"event":"ready"/),
    sakuraio("config check", ["config", "check", config]),
    sakuraio("bridge --help", ["bridge", "--help"]),
  ];
}

/** The whole figure is the command's; what it is judged by is what it takes longer than the bare one of its round. */
function rowOf(name: string, times: readonly number[], bare: readonly number[], goalMs: number | undefined): Row {
  const row = { name: `start: ${name}`, figure: spreadOf(times).median, unit: "ms" };
  if (goalMs === undefined) return row;
  const over = spreadOf(times.map((time, round) => time - (bare[round] ?? Number.NaN)));
  return {
    ...row,
    over: { ...over, of: BARE },
    goal: { words: `≤ ${goalMs} ms more`, reached: over.median <= goalMs },
  };
}

/** A bridge's file with the certificates that it names. */
async function configFile(directory: string): Promise<string> {
  const authority = await createAuthority();
  const client = await authority.issueClient("bench");
  configIn(
    directory,
    { port: 8883, root: authority.certificate, certificate: client.certificate, privateKey: client.privateKey },
    { modules: ["u0123456789ab"] },
  );
  return join(directory, "bridge.yaml");
}

/** From the start of the process to its end, or to the line that says it is ready, in ms. */
function duration({ name, args, ready }: Contestant): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const limit = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
    let took: number | undefined;
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
      if (ready === undefined || took !== undefined || !ready.test(stdout)) return;
      took = performance.now() - start;
      child.kill("SIGINT");
    });
    child.on("error", reject);
    // The next one starts when this one has gone, so that they do not measure each other.
    child.on("close", (code, signal) => {
      clearTimeout(limit);
      if (code !== 0) reject(new Error(`${name} ended with ${code ?? signal}: ${stdout}`));
      else if (ready === undefined) resolve(performance.now() - start);
      else if (took === undefined) reject(new Error(`${name} ended before it was ready: ${stdout}`));
      else resolve(took);
    });
  });
}
