/** The two that publish what a module sends: the bridge, and a bare MQTT.js loop. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import {
  type Bridge,
  type BridgeConfig,
  type Link,
  loadConfig,
  type MemoryOutbox,
  startBridge,
} from "sakuraio-kit/host";
import type { ChannelsUplink, Uplink } from "sakuraio-kit/protocol";

/** Where the broker is, and what a client needs for it. */
export interface BrokerAddress {
  readonly port: number;
  /** All PEM. */
  readonly root: string;
  readonly certificate: string;
  readonly privateKey: string;
  /** Of the bridge; two at one broker need two. */
  readonly clientId?: string;
}

/** Takes messages at its own pace. */
export interface Publisher {
  /** How many may be given to it now. */
  room(): number;
  publish(message: ChannelsUplink): void;
  close(): Promise<void>;
}

/** Messages taken and not yet written to the socket; the bridge's own window for one connection. */
const WINDOW = 100;
const MODULE = "u0123456789ab";
const PREFIX = "sakura/up";

/** Three values, about 350 bytes when published. */
export function messageAt(n: number): ChannelsUplink {
  const datetime = "2018-06-21T01:10:57.770Z";
  return {
    module: MODULE,
    type: "channels",
    payload: {
      channels: [
        { channel: 0, type: "i", value: 100_000 + n, datetime },
        { channel: 1, type: "f", value: (n % 1_000) / 10, datetime },
        { channel: 2, type: "d", value: n / 7, datetime },
      ],
    },
  };
}

/** MQTT.js alone, with what it takes to publish the same bytes. */
export async function bareMqtt(broker: BrokerAddress, qos: 0 | 1 = 0): Promise<Publisher> {
  const client: MqttClient = await connectAsync({
    protocol: "mqtts",
    host: "127.0.0.1",
    port: broker.port,
    clientId: `bare-${qos}`,
    ca: broker.root,
    cert: broker.certificate,
    key: broker.privateKey,
  });
  const topic = `${PREFIX}/${MODULE}`;
  let inFlight = 0;
  const written = (error?: Error): void => {
    if (error) throw error;
    inFlight--;
  };
  return {
    room: () => WINDOW - inFlight,
    publish({ module, type, payload }) {
      inFlight++;
      const datetime = new Date().toISOString();
      client.publish(topic, JSON.stringify({ module, type, datetime, payload }), { qos }, written);
    },
    close: () => client.endAsync(),
  };
}

export interface BridgedOptions {
  readonly qos?: 0 | 1;
  /** Default the one of the configuration, on disk. */
  readonly outbox?: MemoryOutbox;
  /** Messages taken and not yet published; default the window. */
  readonly room?: number;
}

/** The bridge as it is, from its file to the socket, with a link that this program feeds. */
export async function bridged(broker: BrokerAddress, options: BridgedOptions = {}): Promise<Publisher> {
  const { qos = 0, outbox, room = WINDOW } = options;
  const directory = mkdtempSync(join(tmpdir(), "sakuraio-bench-"));
  const link = new FedLink();
  const config = configIn(directory, broker, { modules: [MODULE], qos });
  const bridge = await startBridge({ config, links: { emulated: () => link }, ...(outbox && { outbox }) });
  await online(bridge);
  let taken = 0;
  let published = 0;
  bridge.onEvent(({ type }) => {
    if (type === "published") published++;
  });
  return {
    room: () => room - (taken - published),
    publish(message) {
      taken++;
      // One that is refused ends the program, as nobody catches it: none should be.
      void link.uplink.take(message);
    },
    async close() {
      await bridge.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export interface BenchConfig {
  readonly modules: readonly string[];
  readonly qos?: 0 | 1;
  readonly maxBytes?: string;
}

/** A bridge's file with what it names, in this directory. */
export function configIn(
  directory: string,
  broker: BrokerAddress,
  { modules, qos = 0, maxBytes = "256MiB" }: BenchConfig,
): BridgeConfig {
  const write = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  write("root.pem", broker.root);
  write("cert.pem", broker.certificate);
  write("key.pem", broker.privateKey);
  return loadConfig(
    write(
      "bridge.yaml",
      `services:
  - name: bench
    type: aws-iot
    hostname: 127.0.0.1
    port: ${broker.port}
    publish_prefix: ${PREFIX}
    subscribe_topic: sakura/down
    rootca_cert: root.pem
    cert: cert.pem
    private_key: key.pem
    client_id: ${broker.clientId ?? "bench-bridge"}
    qos: ${qos}
modules:
${modules.map((id) => `  - { id: ${id}, link: emulated, uart: pty }`).join("\n")}
outbox: { path: ./outbox, max_bytes: ${maxBytes} }
`,
    ),
  );
}

/** Resolves once its service is connected. */
export function online(bridge: Bridge): Promise<void> {
  return new Promise((resolve, reject) => {
    if (bridge.stats().services[0]?.state.state === "online") {
      resolve();
      return;
    }
    const stop = bridge.onEvent((event) => {
      if (event.type !== "service") return;
      if (event.state.state === "online") resolve();
      else if (event.state.state === "error") reject(new Error(event.state.reason));
      else return;
      stop();
    });
  });
}

/** A module without a wire. */
class FedLink implements Link {
  readonly module = MODULE;
  readonly kind = "emulated";
  uplink: Uplink = { take: () => Promise.reject(new Error("the link has not been started")) };

  start(uplink: Uplink): void {
    this.uplink = uplink;
  }

  state(): ReturnType<Link["state"]> {
    return { state: "up", since: 0, endpoint: "bench" };
  }

  onState(): () => void {
    return () => undefined;
  }

  deliver(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
