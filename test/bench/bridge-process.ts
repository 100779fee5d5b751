/**
 * A bridge with many modules in a process of its own, so that its memory is its own. It says how long it took to start
 * and what it holds, and then does as it is told:
 *
 *     { push: n }              n messages, round the modules; answers with processor time and wall time
 *     { push: n, hold: true }  the same, kept in the outbox, because the broker is away
 *     { drain: true }          connects again, until the outbox is empty; answers with the most anonymous memory seen
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { type Bridge, startBridge } from "sakuraio-kit/host";
import { type BrokerAddress, configIn, messageAt, online } from "./bridge-publishers.ts";
import { InProcessModules } from "./in-process-modules.ts";

const ROOM = 2_000;
const SAMPLE_MS = 50;

const [addressText = "", countText = ""] = process.argv.slice(2);
const address: BrokerAddress = JSON.parse(addressText);
const count = Number(countText);
const directory = mkdtempSync(join(tmpdir(), "sakuraio-bench-bridge-"));
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
process.on("disconnect", () => process.exit());
process.on("SIGTERM", () => process.exit());

const modules = new InProcessModules(count);
// With reading the file: who starts a bridge waits for that too.
const start = performance.now();
const config = configIn(directory, address, { modules: modules.ids, maxBytes: "1GiB" });
const bridge = await startBridge({ config, links: { emulated: modules.link } });
await bridge.settled();
await online(bridge);
const startMs = performance.now() - start;
let published = 0;
bridge.onEvent(({ type }) => {
  if (type === "published") published++;
});
gc?.();
process.send?.({ startMs, rss: process.memoryUsage.rss() });

process.on("message", (message: unknown) => void obey(message).then((answer) => process.send?.(answer)));

async function obey(message: unknown): Promise<object> {
  if (typeof message !== "object" || message === null) throw new Error("not understood");
  if ("push" in message) return push(Number(message.push), "hold" in message);
  if ("offline" in message) return offline(bridge);
  return drain(bridge);
}

async function push(messages: number, hold: boolean): Promise<object> {
  const before = process.cpuUsage();
  const begin = performance.now();
  const goal = published + messages;
  let taken = 0;
  const takenOne = (): void => {
    taken++;
  };
  for (let sent = 0; sent < messages; ) {
    const room = hold ? ROOM - (sent - taken) : ROOM - (sent + goal - messages - published);
    const upTo = Math.min(messages, sent + room);
    for (; sent < upTo; sent++) void modules.take(sent % count, messageAt(sent)).then(takenOne);
    await new Promise((resolve) => setImmediate(resolve));
  }
  while (hold ? taken < messages : published < goal) await new Promise((resolve) => setImmediate(resolve));
  const { user, system } = process.cpuUsage(before);
  return { cpuUs: user + system, ms: performance.now() - begin, anonymous: anonymousBytes() };
}

/** Until the service has noticed that its broker is away. */
function offline(running: Bridge): Promise<object> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (running.stats().services[0]?.state.state === "error") resolve({});
      else setTimeout(check, 10);
    };
    check();
  });
}

async function drain(running: Bridge): Promise<object> {
  const begin = performance.now();
  let most = anonymousBytes();
  const sampling = setInterval(() => {
    most = Math.max(most, anonymousBytes());
  }, SAMPLE_MS);
  running.retry("bench");
  while ((running.stats().services[0]?.waiting ?? 0) > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  clearInterval(sampling);
  return { ms: performance.now() - begin, anonymous: most };
}

function anonymousBytes(): number {
  const match = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
  return Number(match?.[1]) * 1024;
}
