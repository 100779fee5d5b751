/** Whether a bridge runs on a file's outbox and HTTP port, and whether it could: seen from outside, and left as it is. */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { z } from "zod";
import { errnoOf, reasonOf } from "../../protocol/errors.ts";
import { findLocker } from "../adapter/port-holder.ts";
import { storePath } from "../bridge/outbox/durable.ts";
import type { BridgeConfig } from "../config/schema.ts";
import { type Finding, ok, problem } from "./finding.ts";

export interface BridgePlace {
  readonly findings: readonly Finding[];
  /** The bridge that runs on this file's outbox. */
  readonly running: RunningBridge | undefined;
}

export interface RunningBridge {
  /** Its process, where the system tells. */
  readonly pid: number | undefined;
  /** What it says of its services, where it has an HTTP port; nothing where it has none. */
  readonly services: ReadonlyMap<string, RunningService>;
}

export interface RunningService {
  /** `online`, or what it is instead. */
  readonly state: string;
  readonly reason: string | undefined;
}

export async function examineBridgePlace(
  { outbox, http }: Pick<BridgeConfig, "outbox" | "http">,
  signal: AbortSignal | undefined,
): Promise<BridgePlace> {
  const lock = await lockOf(outbox.path);
  const health = http === undefined ? undefined : await askHealth(http.listen, signal);
  // Where the system does not tell of locks, a bridge at the file's own address is taken for the file's.
  const runs = lock.pid !== undefined || (!lock.known && health !== undefined);
  const findings = [await examineOutbox(outbox.path, lock.pid, runs)];
  if (http !== undefined) findings.push(await examineHttp(http.listen, health !== undefined, runs));
  const services = new Map(health?.map((service) => [service.name, service]));
  return { findings, running: runs ? { pid: lock.pid, services } : undefined };
}

/** LevelDB locks a file of its own while a store is open. */
async function lockOf(outboxPath: string): Promise<{ readonly known: boolean; readonly pid: number | undefined }> {
  if (process.platform !== "linux") return { known: false, pid: undefined };
  try {
    return { known: true, pid: await findLocker(join(storePath(outboxPath), "LOCK"), "POSIX") };
  } catch (error) {
    // No such file: no bridge has ever run here.
    return { known: errnoOf(error) === "ENOENT", pid: undefined };
  }
}

async function examineOutbox(path: string, pid: number | undefined, runs: boolean): Promise<Finding> {
  const facts = { path, pid, running: runs };
  if (runs) {
    const who = pid === undefined ? "" : ` (process ${pid})`;
    return ok("outbox", `a bridge runs on ${path}${who}, so that its ports and its connections are its own`, { facts });
  }
  const place = await nearest(path);
  const denied = await access(place, constants.R_OK | constants.W_OK | constants.X_OK).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (denied !== undefined) {
    return problem("outbox", `${place} cannot be written to: ${errnoOf(denied) ?? reasonOf(denied)}`, {
      advice: [
        `give it to the user that the bridge runs as: \`sudo chown USER ${place}\``,
        "or name another outbox.path",
      ],
      facts,
    });
  }
  if (!(await stat(place)).isDirectory()) {
    return problem("outbox", `${place} is no folder`, { advice: ["name another outbox.path"], facts });
  }
  if (place !== path) return ok("outbox", `${path} is not there yet; the bridge makes it`, { facts });
  return ok("outbox", `${path} can be written to, and no bridge runs on it`, { facts });
}

/** The path, or the folder above it that is there. */
async function nearest(path: string): Promise<string> {
  try {
    await stat(path);
    return path;
  } catch (error) {
    const above = dirname(path);
    return errnoOf(error) === "ENOENT" && above !== path ? nearest(above) : path;
  }
}

async function examineHttp(listen: string, isBridge: boolean, runs: boolean): Promise<Finding> {
  const facts = { listen };
  if (isBridge && runs) return ok("http", `the running bridge answers on ${listen}`, { facts });
  const code = await tryToListen(listen);
  if (code === undefined) {
    if (!runs) return ok("http", `${listen} is free`, { facts });
    return problem("http", `the running bridge does not answer on ${listen}`, {
      advice: ["it may have been started with another --panel, or before http was in its file: start it again"],
      facts,
    });
  }
  const other = isBridge ? "another bridge" : "another program";
  if (code === "EADDRINUSE") {
    return problem("http", `${other} listens on ${listen}`, {
      advice: [`end it (\`ss -ltnp\` names it), or give http.listen another port`],
      facts: { ...facts, code },
    });
  }
  const advice = code === "EACCES" ? ["take a port from 1024 on: lower ones are the administrator's"] : [];
  return problem("http", `nothing can listen on ${listen}: ${code}`, { advice, facts: { ...facts, code } });
}

/** The system's error, or nothing where it went well; the port is let go at once. */
export function tryToListen(listen: string): Promise<string | undefined> {
  const [, host = "", port = ""] = /^\[?([^[\]]*)\]?:(\d+)$/.exec(listen) ?? [];
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(errnoOf(error) ?? reasonOf(error)));
    server.listen({ host, port: Number(port), exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

const HEALTH_MS = 2000;
/** A bridge that has not begun says its status alone. */
const healthSchema = z.object({
  status: z.enum(["starting", "ok", "degraded", "failed", "stopping"]),
  services: z.array(z.object({ name: z.string(), state: z.string(), reason: z.string().optional() })).default([]),
});

/** What a bridge at this address says of its services; nothing where none is. */
async function askHealth(listen: string, signal: AbortSignal | undefined) {
  const timeout = AbortSignal.timeout(HEALTH_MS);
  try {
    const limits = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    const response = await fetch(`http://${listen}/health`, { signal: limits });
    return healthSchema
      .parse(await response.json())
      .services.map(({ name, state, reason }) => ({ name, state, reason }));
  } catch {
    // Whatever else is there, it is no bridge: who listens is found out by listening.
    return undefined;
  }
}
