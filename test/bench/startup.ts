/** What a short command takes from its start to its end, over a bare `node`: what a person waits for beside its work. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
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

/**
 * Loaded before each program: on the way out it says what processor time the process took, in µs. Programs beside it
 * on the machine do not take that away, as they do the clock's.
 */
const TELL_TIME = `process.on("exit", () => {
  const { user, system } = process.cpuUsage();
  require("node:fs").writeSync(3, String(user + system));
});`;

/** In ms. */
interface Taken {
  readonly clock: number;
  readonly processor: number;
}

interface Contestant {
  readonly name: string;
  readonly args: readonly string[];
  /** Over the bare one; none for the bare one itself. */
  readonly goalMs?: number;
  /** Done when this is on stdout; without it, done when the process has ended. */
  readonly ready?: RegExp;
  /** It ends with a failure, because what it is to work on is not there: all that is left of it is its start. */
  readonly fails?: boolean;
}

const NO_FILE = "/nonexistent/sakuraio";
/** The discard port: nobody listens there. */
const NOBODY = "tcp:127.0.0.1:9";

/** What else there is, each up to where it finds nothing to work on. */
const startsOnly: readonly (readonly [name: string, line: string])[] = [
  ["module on a uart: port", `module --port uart:${NO_FILE} status`],
  ["doctor", `doctor --port uart:${NO_FILE}`],
  ["feed", `feed --port ${NOBODY} --sine`],
  ["tap", `tap --mcu ${NO_FILE} --module ${NOBODY}`],
  ["replay", `replay ${NO_FILE} --uart tcp:127.0.0.1:0`],
  ["bridge", `bridge --config ${NO_FILE}`],
  ["doctor of a bridge", `doctor --config ${NO_FILE}`],
  ["outbox", `outbox --config ${NO_FILE} status`],
  ["avr run", `avr run ${NO_FILE} --bus i2c`],
  ["aws-iot check", `aws-iot check --config ${NO_FILE}`],
];

export async function benchStartup(report: (row: Row) => void): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "sakuraio-bench-startup-"));
  const endpoint = await listenTcp({ host: "127.0.0.1", port: 0 });
  try {
    endpoint.onConnection((duplex) => attachUart(new EmulatedModule(), duplex));
    const preload = join(directory, "tell-time.cjs");
    writeFileSync(preload, TELL_TIME);
    const contestants = commands(endpoint.uri, await configFile(directory));
    const taken = await takeTurns(ROUNDS, new Map(contestants.map((one) => [one.name, () => run(one, preload)])));
    const clock = (name: string): readonly number[] => (taken.get(name) ?? []).map((each) => each.clock);
    const processor = (name: string): readonly number[] => (taken.get(name) ?? []).map((each) => each.processor);
    for (const { name, goalMs } of contestants) {
      report(rowOf(name, clock(name), name === BARE ? undefined : clock(BARE), goalMs));
      report(rowOf(`${name}, processor`, processor(name), name === BARE ? undefined : processor(BARE)));
    }
  } finally {
    await endpoint.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function commands(module: string, config: string): readonly Contestant[] {
  const sakuraio = (name: string, args: readonly string[], goalMs = GOAL_MS, ready?: RegExp): Contestant => {
    return { name, args: [MAIN, ...args], goalMs, ...(ready && { ready }) };
  };
  return [
    { name: BARE, args: ["-e", "0"] },
    sakuraio("--help", ["--help"], HELP_GOAL_MS),
    sakuraio("module --help", ["module", "--help"]),
    sakuraio("module status", ["module", "--port", module, "status"]),
    sakuraio("emulate until ready", ["emulate", "--uart", "tcp:127.0.0.1:0", "--json"], GOAL_MS, /"event":"ready"/),
    sakuraio("config check", ["config", "check", config]),
    sakuraio("bridge --help", ["bridge", "--help"]),
    ...startsOnly.map(([name, line]) => ({ ...sakuraio(name, line.split(" ")), fails: true })),
  ];
}

/** The figure is the whole of it; what it is judged by is what it takes more than the bare one of its round. */
function rowOf(name: string, times: readonly number[], bare: readonly number[] | undefined, goalMs?: number): Row {
  const row = { name: `start: ${name}`, figure: spreadOf(times).median, unit: "ms" };
  if (bare === undefined) return row;
  const over = spreadOf(times.map((time, round) => time - (bare[round] ?? Number.NaN)));
  const compared = { ...row, over: { ...over, of: BARE } };
  if (goalMs === undefined) return compared;
  return { ...compared, goal: { words: `≤ ${goalMs} ms more`, reached: over.median <= goalMs } };
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

/** To the end of the process by its processor time; by the clock, to the line that says it is ready, if it says so. */
function run({ name, args, ready, fails = false }: Contestant, preload: string): Promise<Taken> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(process.execPath, ["--require", preload, ...args], {
      stdio: ["ignore", "pipe", fails ? "ignore" : "inherit", "pipe"],
    });
    const limit = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
    let clock: number | undefined;
    let stdout = "";
    let processor = "";
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
      if (ready === undefined || clock !== undefined || !ready.test(stdout)) return;
      clock = performance.now() - start;
      child.kill("SIGINT");
    });
    child.stdio[3]?.on("data", (chunk: Buffer) => {
      processor += chunk.toString();
    });
    child.on("error", reject);
    // The next one starts when this one has gone, so that they do not measure each other.
    child.on("close", (code, signal) => {
      clearTimeout(limit);
      if (ready === undefined) clock = performance.now() - start;
      if (code === null || (code !== 0) !== fails) reject(new Error(`${name} ended with ${code ?? signal}: ${stdout}`));
      else if (clock === undefined) reject(new Error(`${name} ended before it was ready: ${stdout}`));
      else resolve({ clock, processor: Number(processor) / 1000 });
    });
  });
}
