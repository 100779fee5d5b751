/**
 * A process of its own that subscribes and counts. It answers `{ expect: n }` at once with `{ ready: true }`, and again
 * when that many more messages have come. A channel 0 of type L carries when the message was sent: the system's
 * monotonic clock in ns, which is the same in every process.
 */
import { hrtime } from "node:process";
import { connectAsync } from "mqtt";

interface Address {
  readonly port: number;
  readonly root: string;
  readonly certificate: string;
  readonly privateKey: string;
}

const address: Address = JSON.parse(process.argv[2] ?? "");
const FILTER = "sakura/up/#";
const SENT_AT = /"channel":0,"type":"L","value":(\d+)/;

let expected = Number.POSITIVE_INFINITY;
let messages = 0;
let bytes = 0;
let first = 0n;
let latencies: number[] = [];

const client = await connectAsync({
  protocol: "mqtts",
  host: "127.0.0.1",
  port: address.port,
  ca: address.root,
  cert: address.certificate,
  key: address.privateKey,
  clientId: "bench-subscriber",
  clean: false,
  reconnectPeriod: 50,
});
// A broker that is away for a while is no failure here.
client.on("error", () => undefined);
client.on("message", (_topic, payload) => {
  const now = hrtime.bigint();
  if (messages === 0) first = now;
  messages++;
  bytes += payload.length;
  if (timed) {
    const sentAt = SENT_AT.exec(payload.toString())?.[1];
    if (sentAt !== undefined) latencies.push(Number(now - BigInt(sentAt)) / 1e6);
  }
  if (messages < expected) return;
  expected = Number.POSITIVE_INFINITY;
  process.send?.({ messages, bytes, spanMs: Number(now - first) / 1e6, latencies });
});

let timed = false;
process.on("disconnect", () => process.exit());
process.on("message", (message: unknown) => void obey(message));

async function obey(message: unknown): Promise<void> {
  if (typeof message !== "object" || message === null || !("expect" in message)) return;
  expected = Number(message.expect);
  timed = "timed" in message && message.timed === true;
  messages = 0;
  bytes = 0;
  latencies = [];
  // A broker that was away forwards nothing at QoS 0 before this client is back: its answer says that it is.
  if (!client.connected) await new Promise<void>((resolve) => client.once("connect", () => resolve()));
  await client.subscribeAsync(FILTER, { qos: 0 });
  process.send?.({ ready: true });
}

await client.subscribeAsync(FILTER, { qos: 0 });
process.send?.({ listening: true });
