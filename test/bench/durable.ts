/** The bridge with its outbox on disk, at Mosquitto over TLS, against a bare MQTT.js loop with the same window. */
import { performance } from "node:perf_hooks";
import { bareMqtt, bridged, messageAt, type Publisher } from "./bridge-publishers.ts";
import { type Cloud, hasMosquitto, startCloud } from "./cloud.ts";
import { ratioOf, spreadOf, takeTurns } from "./measure.ts";
import { atLeast, leftOut, type Row } from "./report.ts";

const ROUNDS = 11;
const WARM_UP_ROUNDS = 2;
const MESSAGES = { 0: 20_000, 1: 10_000 } as const;
/** What modules have sent and is not published yet: the window is of what is published and not acknowledged. */
const ROOM = 2_000;

export async function benchDurable(report: (row: Row) => void): Promise<void> {
  if (!hasMosquitto()) {
    report(leftOut("durable", "needs mosquitto"));
    return;
  }
  const cloud = await startCloud();
  try {
    for (const qos of [0, 1] as const) await compare(cloud, qos, report);
  } finally {
    await cloud.close();
  }
}

async function compare(cloud: Cloud, qos: 0 | 1, report: (row: Row) => void): Promise<void> {
  const open: Publisher[] = [];
  try {
    const bare = await bareMqtt(cloud.address, qos);
    open.push(bare);
    const bridge = await bridged(cloud.address, { qos, room: ROOM });
    open.push(bridge);
    const turns = new Map([
      ["bare", () => push(bare, cloud, MESSAGES[qos])],
      ["bridge", () => push(bridge, cloud, MESSAGES[qos])],
    ]);
    await takeTurns(WARM_UP_ROUNDS, turns);
    const series = await takeTurns(ROUNDS, turns);
    const bareRates = series.get("bare") ?? [];
    const rates = series.get("bridge") ?? [];
    const ratio = { ...ratioOf(rates, bareRates), of: "bare MQTT.js" };
    report({ name: `durable, QoS ${qos}: bare MQTT.js`, figure: spreadOf(bareRates).median, unit: "messages/s" });
    report({
      name: `durable, QoS ${qos}: the bridge`,
      figure: spreadOf(rates).median,
      unit: "messages/s",
      ratio,
      goal: atLeast(ratio, 0.7),
    });
  } finally {
    await Promise.all(open.map((publisher) => publisher.close()));
  }
}

/** Messages a second, until the last is at the subscriber. */
async function push(publisher: Publisher, cloud: Cloud, count: number): Promise<number> {
  const { all } = await cloud.expect(count);
  const start = performance.now();
  for (let sent = 0; sent < count; ) {
    const upTo = Math.min(count, sent + publisher.room());
    while (sent < upTo) publisher.publish(messageAt(sent++));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await all;
  return (count * 1000) / (performance.now() - start);
}
