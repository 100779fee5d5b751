/** What ten thousand modules on one bridge cost, and what a million waiting messages do. */
import { type Child, nextMessage, startChild } from "./child.ts";
import { type Cloud, hasMosquitto, startCloud } from "./cloud.ts";
import { ratioOf, spreadOf, takeTurns } from "./measure.ts";
import { atMost, leftOut, type Row } from "./report.ts";

const FEW = 10;
const MANY = 10_000;
const ROUNDS = 7;
const MESSAGES = 30_000;
const BACKLOG = 1_000_000;
const STEADY = 200_000;
const ANSWER_MS = 300_000;

export async function benchModules(report: (row: Row) => void): Promise<void> {
  if (!hasMosquitto()) {
    report(leftOut("modules", "needs mosquitto"));
    return;
  }
  const cloud = await startCloud();
  try {
    // One after the other where memory and the start are measured, both where they take turns.
    const few = await bridgeOf(FEW, cloud);
    const many = await bridgeOf(MANY, cloud);
    try {
      const perModule = (numberIn(many.hello, "rss") - numberIn(few.hello, "rss")) / (MANY - FEW) / 1024;
      report({
        name: "modules: memory of each of 10,000",
        figure: perModule,
        unit: "KB resident",
        goal: atMost(perModule, 20, "20 KB"),
      });
      const startMs = numberIn(many.hello, "startMs");
      report({ name: "modules: start of 10,000", figure: startMs, unit: "ms", goal: atMost(startMs, 3_000, "3 s") });
      await compare(few, many, cloud, report);
    } finally {
      await Promise.all([few.end(), many.end()]);
    }
  } finally {
    await cloud.close();
  }
}

async function compare(few: Child, many: Child, cloud: Cloud, report: (row: Row) => void): Promise<void> {
  const cost = (child: Child) => async (): Promise<number> => {
    const { all } = await cloud.expect(MESSAGES);
    const answer = await ask(child, { push: MESSAGES });
    await all;
    return numberIn(answer, "cpuUs") / MESSAGES;
  };
  const turns = new Map([
    ["few", cost(few)],
    ["many", cost(many)],
  ]);
  await takeTurns(2, turns);
  const series = await takeTurns(ROUNDS, turns);
  const ratio = { ...ratioOf(series.get("many") ?? [], series.get("few") ?? []), of: "10 modules" };
  report({ name: "modules: a message of 10", figure: spreadOf(series.get("few") ?? []).median, unit: "CPU µs" });
  report({
    name: "modules: a message of 10,000",
    figure: spreadOf(series.get("many") ?? []).median,
    unit: "CPU µs",
    ratio,
    goal: atMost(ratio.median, 1.3, "1.3 times"),
  });
}

export async function benchBacklog(report: (row: Row) => void): Promise<void> {
  if (!hasMosquitto()) {
    report(leftOut("backlog", "needs mosquitto"));
    return;
  }
  const cloud = await startCloud();
  const bridge = await bridgeOf(FEW, cloud);
  try {
    const steadyAll = (await cloud.expect(STEADY)).all;
    await ask(bridge, { push: STEADY });
    const { spanMs: steadyMs } = await steadyAll;
    const steady = (STEADY * 1000) / steadyMs;
    await cloud.mosquitto.end();
    await ask(bridge, { offline: true });
    const { anonymous, ms } = await askBacklog(bridge);
    report({ name: "backlog: kept while offline", figure: (BACKLOG * 1000) / ms, unit: "messages/s" });
    await cloud.mosquitto.begin();
    const { all } = await cloud.expect(BACKLOG);
    const drained = await ask(bridge, { drain: true });
    const { spanMs } = await all;
    const most = Math.max(anonymous, numberIn(drained, "anonymous")) / 1e6;
    report({
      name: "backlog: most anonymous memory",
      figure: most,
      unit: "MB",
      goal: atMost(most, 200, "200 MB"),
    });
    const rate = (BACKLOG * 1000) / spanMs;
    report({ name: "backlog: steady", figure: steady, unit: "messages/s" });
    const share = rate / steady;
    const ratio = { median: share, min: share, max: share, of: "steady" };
    report({
      name: "backlog: drained",
      figure: rate,
      unit: "messages/s",
      ratio,
      goal: { words: "≥ 80 %", reached: share >= 0.8 },
    });
  } finally {
    await bridge.end();
    await cloud.close();
  }
}

async function askBacklog(bridge: Child): Promise<{ readonly anonymous: number; readonly ms: number }> {
  const answer = await ask(bridge, { push: BACKLOG, hold: true });
  return { anonymous: numberIn(answer, "anonymous"), ms: numberIn(answer, "ms") };
}

function bridgeOf(modules: number, { address }: Cloud): Promise<Child> {
  const own = { ...address, clientId: `bench-${modules}` };
  return startChild("./bridge-process.js", JSON.stringify(own), String(modules));
}

function ask(child: Child, request: object): Promise<object> {
  const answer = nextMessage(child.process, ANSWER_MS);
  child.process.send(request);
  return answer;
}

function numberIn(message: object, key: string): number {
  const value: unknown = Reflect.get(message, key);
  if (typeof value !== "number") throw new Error(`the bridge's process did not say ${key}`);
  return value;
}
