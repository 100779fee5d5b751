/** The other end of the durable rows: Debian's Mosquitto over TLS, and a subscriber that counts, each in a process of its own. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthority } from "sakuraio-kit/emulator";
import { Mosquitto } from "../support/mosquitto.ts";
import type { BrokerAddress } from "./bridge-publishers.ts";
import { type Child, nextMessage, startChild } from "./child.ts";

const COUNT_TIMEOUT_MS = 300_000;

export interface Cloud {
  readonly address: BrokerAddress;
  readonly mosquitto: Mosquitto;
  /** What the next so many messages were like, once all have come. Resolves when it counts from nought. */
  expect(count: number, options?: { readonly timed: boolean }): Promise<{ readonly all: Promise<Counted> }>;
  close(): Promise<void>;
}

export interface Counted {
  readonly bytes: number;
  /** From the first to the last, in ms. */
  readonly spanMs: number;
  /** Of messages that carried when they were sent: how long each took, in ms. */
  readonly latencies: readonly number[];
}

export function hasMosquitto(): boolean {
  return spawnSync("mosquitto", ["-h"]).error === undefined;
}

export async function startCloud(): Promise<Cloud> {
  const directory = mkdtempSync(join(tmpdir(), "sakuraio-bench-cloud-"));
  const authority = await createAuthority();
  const server = await authority.issueServer(["localhost", "127.0.0.1"]);
  const mosquitto = await Mosquitto.start({
    directory,
    root: authority.certificate,
    certificate: server.certificate,
    privateKey: server.privateKey,
    configuration: ["log_type error"],
  });
  const client = await authority.issueClient("bench");
  const address = {
    port: mosquitto.port,
    root: authority.certificate,
    certificate: client.certificate,
    privateKey: client.privateKey,
  };
  const subscriber = await startChild("./subscriber-process.js", JSON.stringify(address));
  return {
    address,
    mosquitto,
    async expect(count, options = { timed: false }) {
      const ready = nextMessage(subscriber.process, COUNT_TIMEOUT_MS);
      subscriber.process.send({ expect: count, ...options });
      await ready;
      const all = counted(subscriber);
      // Who fails before it waits must not end the program by this one.
      all.catch(() => undefined);
      return { all };
    },
    async close() {
      await subscriber.end();
      await mosquitto.end("SIGKILL");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function counted(subscriber: Child): Promise<Counted> {
  const message = await nextMessage(subscriber.process, COUNT_TIMEOUT_MS);
  if (
    "bytes" in message &&
    typeof message.bytes === "number" &&
    "spanMs" in message &&
    typeof message.spanMs === "number" &&
    "latencies" in message &&
    Array.isArray(message.latencies)
  ) {
    return { bytes: message.bytes, spanMs: message.spanMs, latencies: message.latencies.map(Number) };
  }
  throw new Error("the subscriber did not say how much has come");
}
