/** What is wrong with the bridge's file though every field alone is right. */
import { connectionClientIds, overlapProblem, publishPrefixProblem, resultOverlapProblem } from "../bridge/topics.ts";
import { type BridgeFile, CLIENT_ID_BYTES_MAX, type ConfigPath } from "./schema.ts";

export interface ConfigProblem {
  readonly path: ConfigPath;
  /** What is wrong and what to do; follows the place. */
  readonly message: string;
}

/** Ids in a message. */
const SHOWN_MAX = 10;

/** The first one, or nothing. */
export function bridgeFileProblem(file: BridgeFile): ConfigProblem | undefined {
  const problems = [
    duplicateNames,
    duplicateIds,
    unknownModules,
    longTopics,
    overlaps,
    resultOverlaps,
    longClientIds,
    duplicateClientIds,
  ];
  for (const find of problems) {
    const [problem] = find(file);
    if (problem) return problem;
  }
  return undefined;
}

function* duplicateNames({ services }: BridgeFile): Iterable<ConfigProblem> {
  for (const { index, first } of repeated(services.map(({ name }) => name))) {
    yield { path: ["services", index, "name"], message: `is the name of services[${first}] too: choose another` };
  }
}

function* duplicateIds({ modules }: BridgeFile): Iterable<ConfigProblem> {
  for (const { index, first } of repeated(modules.map(({ id }) => id))) {
    yield { path: ["modules", index, "id"], message: `is the id of modules[${first}] too: each has its own` };
  }
}

function* repeated(values: readonly string[]): Iterable<{ readonly index: number; readonly first: number }> {
  const firsts = new Map<string, number>();
  for (const [index, value] of values.entries()) {
    const first = firsts.get(value);
    if (first === undefined) firsts.set(value, index);
    else yield { index, first };
  }
}

function* unknownModules({ services, modules }: BridgeFile): Iterable<ConfigProblem> {
  const ids = new Set(modules.map(({ id }) => id));
  for (const [i, service] of services.entries()) {
    for (const [j, id] of (service.modules ?? []).entries()) {
      if (ids.has(id)) continue;
      yield {
        path: ["services", i, "modules", j],
        message: `is not the id of a module: they are ${someOf([...ids])}`,
      };
    }
  }
}

function someOf(ids: readonly string[]): string {
  const shown = ids.slice(0, SHOWN_MAX).join(", ");
  return ids.length <= SHOWN_MAX ? shown : `${shown} and ${ids.length - SHOWN_MAX} more`;
}

function* longTopics({ services, modules }: BridgeFile): Iterable<ConfigProblem> {
  for (const [i, service] of services.entries()) {
    const ids = service.modules ?? modules.map(({ id }) => id);
    const message = publishPrefixProblem(service.publish_prefix, ids);
    if (message !== undefined) yield { path: ["services", i, "publish_prefix"], message };
  }
}

/** What one service publishes must not come back through another either, where both are of one account. */
function* overlaps({ services }: BridgeFile): Iterable<ConfigProblem> {
  for (const [i, listener] of services.entries()) {
    for (const [j, publisher] of services.entries()) {
      if (account(listener.hostname) !== account(publisher.hostname)) continue;
      const problem = overlapProblem(publisher.publish_prefix, listener.subscribe_topic);
      if (problem === undefined) continue;
      const whose = i === j ? "" : `service ${publisher.name}: `;
      yield { path: ["services", i, "subscribe_topic"], message: `${whose}${problem}` };
    }
  }
}

/** Nor may the outcome of a downlink message come back as one. */
function* resultOverlaps({ services }: BridgeFile): Iterable<ConfigProblem> {
  for (const [i, teller] of services.entries()) {
    if (teller.result_topic === undefined) continue;
    for (const [j, listener] of services.entries()) {
      if (account(listener.hostname) !== account(teller.hostname)) continue;
      const problem = resultOverlapProblem(teller.result_topic, listener.subscribe_topic);
      if (problem === undefined) continue;
      const whose = i === j ? "" : `service ${listener.name}: `;
      yield { path: ["services", i, "result_topic"], message: `${whose}${problem}` };
    }
  }
}

/** Each connection has a client id of its own, with its number behind it. */
function* longClientIds({ services }: BridgeFile): Iterable<ConfigProblem> {
  for (const [i, { client_id, connections }] of services.entries()) {
    const last = connectionClientIds(client_id ?? "", connections).at(-1) ?? "";
    if (client_id === undefined || Buffer.byteLength(last) <= CLIENT_ID_BYTES_MAX) continue;
    const message = `makes a client id of ${Buffer.byteLength(last)} bytes for connection ${connections}: AWS IoT takes ${CLIENT_ID_BYTES_MAX}; choose a shorter one`;
    yield { path: ["services", i, "client_id"], message };
  }
}

function* duplicateClientIds({ services }: BridgeFile): Iterable<ConfigProblem> {
  const taken = new Map<string, number>();
  for (const [i, { client_id, connections, hostname }] of services.entries()) {
    if (client_id === undefined) continue;
    for (const id of connectionClientIds(client_id, connections)) {
      const key = JSON.stringify([account(hostname), id]);
      const first = taken.get(key);
      if (first === undefined) {
        taken.set(key, i);
        continue;
      }
      const what = id === client_id ? "is" : `makes ${id}, which is`;
      const message = `${what} a client id of services[${first}] too: the two would throw each other out; choose another`;
      yield { path: ["services", i, "client_id"], message };
    }
  }
}

/** An account has one endpoint with -ats in its name, and may have an older one without. */
function account(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/\.$/, "")
    .replace(/^([^.]+)-ats\./, "$1.");
}
