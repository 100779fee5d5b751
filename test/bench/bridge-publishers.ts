/** The two that publish what a module sends: the bridge, and a bare MQTT.js loop. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { type Bridge, type BridgeConfig, type Link, loadConfig, startBridge } from "sakuraio-kit/host";
import type { ChannelsUplink, Uplink } from "sakuraio-kit/protocol";

/** Where the broker is, and what a client needs for it. */
export interface BrokerAddress {
  readonly port: number;
  /** All PEM. */
  readonly root: string;
  readonly certificate: string;
  readonly privateKey: string;
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
export async function bareMqtt(broker: BrokerAddress): Promise<Publisher> {
  const client: MqttClient = await connectAsync({
    protocol: "mqtts",
    host: "127.0.0.1",
    port: broker.port,
    clientId: "bare",
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
      client.publish(topic, JSON.stringify({ module, type, datetime, payload }), { qos: 0 }, written);
    },
    close: () => client.endAsync(),
  };
}

/** The bridge as it is, from its file to the socket, with a link that this program feeds. */
export async function bridged(broker: BrokerAddress): Promise<Publisher> {
  const directory = mkdtempSync(join(tmpdir(), "sakuraio-bench-"));
  let bridge: Bridge;
  const link = new FedLink();
  try {
    bridge = await startBridge({ config: configIn(directory, broker), links: { emulated: () => link } });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  await online(bridge);
  return {
    room: () => WINDOW - (bridge.stats().services[0]?.waiting ?? WINDOW),
    // One that is refused ends the program, as nobody catches it: none should be.
    publish: (message) => void link.uplink.take(message),
    close: () => bridge.close(),
  };
}

function configIn(directory: string, broker: BrokerAddress): BridgeConfig {
  const write = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
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
modules:
  - { id: ${MODULE}, link: emulated, uart: pty }
`,
    ),
  );
}

function online(bridge: Bridge): Promise<void> {
  return new Promise((resolve, reject) => {
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
