/** The bridge against a bare MQTT.js loop: from messages in memory to a subscriber behind a broker, over TLS. */
import { performance } from "node:perf_hooks";
import { MemoryOutbox } from "sakuraio-kit/host";
import { type BrokerAddress, bareMqtt, bridged, messageAt, type Publisher } from "./bridge-publishers.ts";
import { type Child, nextMessage, startChild } from "./child.ts";
import { ratioOf, spreadOf, takeTurns } from "./measure.ts";
import { atLeast, type Row } from "./report.ts";

const ROUNDS = 15;
const WARM_UP_ROUNDS = 3;
const MESSAGES = 15_000;
const ROUND_TIMEOUT_MS = 60_000;

export async function benchBridge(report: (row: Row) => void): Promise<void> {
  const broker = await startChild("./broker-process.js");
  const open: Publisher[] = [];
  try {
    const address = addressOf(broker.hello);
    const bare = await bareMqtt(address);
    open.push(bare);
    const bridge = await bridged(address, { outbox: new MemoryOutbox(256 * 1024 ** 2) });
    open.push(bridge);
    const turns = new Map([
      ["bare", () => push(bare, broker)],
      ["bridge", () => push(bridge, broker)],
    ]);
    await takeTurns(WARM_UP_ROUNDS, turns);
    const series = await takeTurns(ROUNDS, turns);
    reportAll(report, (publisher) => series.get(publisher) ?? []);
  } finally {
    await Promise.all(open.map((publisher) => publisher.close()));
    await broker.end();
  }
}

interface Pushed {
  /** Messages that reached the subscriber, a second. */
  readonly rate: number;
  /** Messages for each second of this process's processor time. */
  readonly perProcessorSecond: number;
  readonly messageBytes: number;
}

function reportAll(report: (row: Row) => void, pushed: (publisher: string) => readonly Pushed[]): void {
  const rates = (publisher: string) => pushed(publisher).map(({ rate }) => rate);
  const efficiencies = (publisher: string) => pushed(publisher).map(({ perProcessorSecond }) => perProcessorSecond);
  const size = Math.round(spreadOf(pushed("bridge").map(({ messageBytes }) => messageBytes)).median);
  const of = "bare MQTT.js";
  report({ name: `mqtt, ${size} bytes: bare MQTT.js`, figure: spreadOf(rates("bare")).median, unit: "messages/s" });
  const ratio = { ...ratioOf(rates("bridge"), rates("bare")), of };
  report({
    name: `mqtt, ${size} bytes: the bridge`,
    figure: spreadOf(rates("bridge")).median,
    unit: "messages/s",
    ratio,
    goal: atLeast(ratio, 0.8),
  });
  report({
    name: "mqtt, processor: bare MQTT.js",
    figure: spreadOf(efficiencies("bare")).median,
    unit: "messages/CPU s",
  });
  report({
    name: "mqtt, processor: the bridge",
    figure: spreadOf(efficiencies("bridge")).median,
    unit: "messages/CPU s",
    ratio: { ...ratioOf(efficiencies("bridge"), efficiencies("bare")), of },
  });
}

/** Publishes so many messages, and waits until the subscriber has them. */
async function push(publisher: Publisher, broker: Child): Promise<Pushed> {
  const ready = nextMessage(broker.process, ROUND_TIMEOUT_MS);
  broker.process.send({ expect: MESSAGES });
  await ready;
  const arrived = nextMessage(broker.process, ROUND_TIMEOUT_MS);
  const start = performance.now();
  const before = process.cpuUsage();
  for (let sent = 0; sent < MESSAGES; ) {
    const upTo = Math.min(MESSAGES, sent + publisher.room());
    while (sent < upTo) publisher.publish(messageAt(sent++));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { bytes } = countOf(await arrived);
  const { user, system } = process.cpuUsage(before);
  return {
    rate: (MESSAGES * 1000) / (performance.now() - start),
    perProcessorSecond: (MESSAGES * 1_000_000) / (user + system),
    messageBytes: bytes / MESSAGES,
  };
}

function countOf(message: object): { readonly bytes: number } {
  if ("bytes" in message && typeof message.bytes === "number") return { bytes: message.bytes };
  throw new Error("the broker's process did not say how much has come");
}

/** What a process with a broker says of it. */
function addressOf(message: object): BrokerAddress {
  const text = (key: string): string => {
    const value: unknown = Reflect.get(message, key);
    if (typeof value !== "string") throw new Error(`the broker's process did not give its ${key}`);
    return value;
  };
  const port: unknown = Reflect.get(message, "port");
  if (typeof port !== "number") throw new Error("the broker's process did not say where it is");
  return { port, root: text("root"), certificate: text("certificate"), privateKey: text("privateKey") };
}
