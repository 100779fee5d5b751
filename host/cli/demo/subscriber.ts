/** The demo's other side of AWS IoT: an application that sees what modules send, and sends something down. */
import { readFile } from "node:fs/promises";
import { reasonOf, SakuraError } from "../../../protocol/errors.ts";

export interface SubscriberOptions {
  readonly port: number;
  /** Files of a person's identity: root, certificate, key. */
  readonly identity: { readonly rootCa: string; readonly certificate: string; readonly privateKey: string };
  readonly topicFilter: string;
  readonly onMessage: (topic: string, text: string) => void;
}

export interface Subscriber {
  /** Resolves when the endpoint has it. */
  publish(topic: string, text: string): Promise<void>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** @throws SakuraError SERVICE_FAILED when it cannot connect or subscribe */
export async function subscribe(options: SubscriberOptions): Promise<Subscriber> {
  const { connectAsync } = await import("mqtt");
  const { rootCa, certificate, privateKey } = options.identity;
  const [ca, cert, key] = await Promise.all([readFile(rootCa), readFile(certificate), readFile(privateKey)]);
  try {
    const client = await connectAsync({
      protocol: "mqtts",
      host: "localhost",
      servername: "localhost",
      port: options.port,
      ca,
      cert,
      key,
      clientId: "demo-application",
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectPeriod: 0,
    });
    client.on("message", (topic, payload) => options.onMessage(topic, payload.toString("utf8")));
    await client.subscribeAsync(options.topicFilter);
    return {
      publish: async (topic, text) => void (await client.publishAsync(topic, text, { qos: 1 })),
      close: () => client.endAsync(true),
    };
  } catch (cause) {
    throw new SakuraError("SERVICE_FAILED", `the demo's application cannot connect: ${reasonOf(cause)}`, { cause });
  }
}
