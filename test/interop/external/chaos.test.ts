/**
 * The promise itself: with qos 1 nothing that a module was told is sent gets lost, whatever is killed. Twenty modules
 * send numbered values through a bridge that is killed with SIGKILL again and again, to a broker that is restarted,
 * over a network that is cut, slowed and deafened. Every number must arrive, in order per module once duplicates are
 * removed.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, expect, it } from "vitest";
import { createAuthority } from "../../../emulator/aws-iot/index.ts";
import { mulberry32 } from "../../../emulator/faults.ts";
import { Running } from "../../support/command.ts";
import { Mosquitto } from "../../support/mosquitto.ts";
import { NumberedMcu } from "../../support/numbered-mcu.ts";

import { TcpProxy } from "../../support/tcp-proxy.ts";

const MODULES = 20;
const KILLS = Number(process.env["CHAOS_KILLS"] ?? 50);
const BROKER_RESTARTS = Math.round(KILLS / 5);
const SEED = Number(process.env["CHAOS_SEED"] ?? 20_180_621);
const RUN_TIMEOUT_MS = 480_000;
/** The bridge's longest back-off is two minutes; a healed network is tried again at once by a restart. */
const DRAIN_TIMEOUT_MS = 120_000;

const directory = mkdtempSync(join(tmpdir(), "sakuraio-chaos-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Arrivals {
  /** By module, in the order of their arrival. */
  readonly numbers: ReadonlyMap<string, readonly number[]>;
  /** Resolves when each module's last number is there, or after the time. */
  until(last: ReadonlyMap<string, number>): Promise<void>;
}

it(
  "loses nothing",
  async () => {
    const random = mulberry32(SEED);
    const authority = await createAuthority();
    const server = await authority.issueServer(["localhost", "127.0.0.1"]);
    const mosquitto = await Mosquitto.start({
      ...{ directory: join(directory, "mosquitto"), root: authority.certificate },
      ...{ certificate: server.certificate, privateKey: server.privateKey },
    });
    const network = await TcpProxy.start(mosquitto.port);
    const application = await authority.issueClient("application");
    const cloud = await connectAsync({
      ...{ protocol: "mqtts", host: "localhost", port: mosquitto.port, ca: authority.certificate },
      ...{ cert: application.certificate, key: application.privateKey },
      ...{ clientId: "application", clean: false, reconnectPeriod: 100 },
    });
    cloud.on("error", () => undefined);
    const arrivals = await listen(cloud);
    const device = await authority.issueClient("bridge");
    const config = writeConfig(network.port, { root: authority.certificate, ...device });
    let bridge = await startBridge(config);
    const mcus = moduleIds().map((id) => new NumberedMcu(id, join(directory, id)));

    let kills = 0;
    let restarts = 0;
    let faults = 0;
    while (kills < KILLS) {
      await pause(100 + random() * 900);
      const chance = random();
      if (chance < 0.25) {
        faults++;
        await disturb(network, random);
      }
      if (restarts < BROKER_RESTARTS && random() < (BROKER_RESTARTS * 1.5) / KILLS) {
        restarts++;
        await mosquitto.end();
        await pause(random() * 300);
        await mosquitto.begin();
      }
      await bridge.stop("SIGKILL");
      kills++;
      bridge = await startBridge(config);
    }
    for (; restarts < BROKER_RESTARTS; restarts++) {
      await mosquitto.end();
      await mosquitto.begin();
    }
    // All is well again, and the bridge begins without a back-off.
    network.heal();
    await Promise.all(mcus.map((mcu) => mcu.finish()));
    await bridge.stop("SIGKILL");
    bridge = await startBridge(config);
    const sent = new Map(mcus.map((mcu) => [mcu.module, mcu.sent]));
    await arrivals.until(sent);
    expect((await bridge.stop("SIGTERM")).code).toBe(0);
    await cloud.endAsync(true);
    await network.close();
    await mosquitto.end();

    const report = reportOf(sent, arrivals.numbers);
    process.stdout.write(
      `chaos, seed ${SEED}: ${MODULES} modules, ${kills} kills, ${restarts} broker restarts, ${faults} network faults: ` +
        `sent ${report.sent}, arrived ${report.arrived}, lost ${report.lost}, duplicated ${report.duplicated}\n`,
    );
    expect(report.sent).toBeGreaterThan(MODULES * KILLS);
    expect(report.lost).toBe(0);
    expect(report.disordered).toEqual([]);
    // To be killed is no damage.
    expect(readdirSync(join(directory, "outbox")).sort()).toEqual(["client-ids.json", "store"]);
  },
  RUN_TIMEOUT_MS,
);

function moduleIds(): string[] {
  return Array.from({ length: MODULES }, (_, i) => `u${String(i + 1).padStart(11, "0")}`);
}

function writeConfig(port: number, pems: { root: string; certificate: string; privateKey: string }): string {
  writeFileSync(join(directory, "root.pem"), pems.root);
  writeFileSync(join(directory, "cert.pem"), pems.certificate);
  writeFileSync(join(directory, "key.pem"), pems.privateKey, { mode: 0o600 });
  const modules = moduleIds().map((id) => `  - { id: ${id}, link: emulated, uart: "pty:${join(directory, id)}" }`);
  const path = join(directory, "bridge.yaml");
  writeFileSync(
    path,
    `services:
  - name: plant-a
    type: aws-iot
    hostname: localhost
    port: ${port}
    publish_prefix: sakura/up
    subscribe_topic: sakura/down
    rootca_cert: root.pem
    cert: cert.pem
    private_key: key.pem
    qos: 1
modules:
${modules.join("\n")}
outbox: { path: ./outbox }
`,
  );
  return path;
}

async function startBridge(config: string): Promise<Running> {
  const bridge = new Running(["bridge", "--config", config, "--json"]);
  await bridge.next("ready");
  return bridge;
}

/** For a while at most: cut, refused, deafened or slowed. */
async function disturb(network: TcpProxy, random: () => number): Promise<void> {
  const faults = [
    () => network.cut(),
    () => network.refuse(),
    () => network.hold(),
    () => network.slow(1 + Math.floor(random() * 30)),
  ];
  faults[Math.floor(random() * faults.length)]?.();
  await pause(random() * 800);
  network.heal();
}

async function listen(cloud: MqttClient): Promise<Arrivals> {
  const numbers = new Map<string, number[]>();
  let wake = (): void => undefined;
  cloud.on("message", (topic, payload) => {
    const module = topic.slice("sakura/up/".length);
    const known = numbers.get(module) ?? [];
    numbers.set(module, known);
    // A module of the bridge tells of its connection, too.
    const message = JSON.parse(payload.toString());
    if (message.type !== "channels") return;
    for (const { value } of message.payload.channels) known.push(value);
    wake();
  });
  await cloud.subscribeAsync("sakura/up/#", { qos: 1 });
  const until = async (last: ReadonlyMap<string, number>): Promise<void> => {
    const deadline = Date.now() + DRAIN_TIMEOUT_MS;
    const complete = (): boolean => [...last].every(([module, number]) => numbers.get(module)?.includes(number));
    while (!complete() && Date.now() < deadline) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, 1_000);
      });
    }
  };
  return { numbers, until };
}

function reportOf(sent: ReadonlyMap<string, number>, arrived: ReadonlyMap<string, readonly number[]>) {
  const report = { sent: 0, arrived: 0, lost: 0, duplicated: 0, disordered: [] as string[] };
  for (const [module, last] of sent) {
    const numbers = arrived.get(module) ?? [];
    const first = [...new Set(numbers)];
    report.sent += last;
    report.arrived += numbers.length;
    report.duplicated += numbers.length - first.length;
    for (let number = 1; number <= last; number++) if (!first.includes(number)) report.lost++;
    if (first.some((number, i) => i > 0 && number < (first[i - 1] ?? 0))) report.disordered.push(module);
  }
  return report;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
