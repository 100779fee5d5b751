/** What is wrong with the bridge's file though every field alone is right. */
import { overlapProblem, publishPrefixProblem } from "../bridge/topics.ts";
import type { BridgeFile, ConfigPath } from "./schema.ts";

export interface ConfigProblem {
  readonly path: ConfigPath;
  /** What is wrong and what to do; follows the place. */
  readonly message: string;
}

/** The first one, or nothing. */
export function bridgeFileProblem(file: BridgeFile): ConfigProblem | undefined {
  const problems = [duplicateNames, duplicateIds, unknownModules, longTopics, overlaps, duplicateClientIds];
  for (const find of problems) {
    const [problem] = find(file);
    if (problem) return problem;
  }
  return undefined;
}

function* duplicateNames({ services }: BridgeFile): Iterable<ConfigProblem> {
  for (const [i, { name }] of services.entries()) {
    const first = services.findIndex((other) => other.name === name);
    if (first < i)
      yield { path: ["services", i, "name"], message: `is the name of services[${first}] too: choose another` };
  }
}

function* duplicateIds({ modules }: BridgeFile): Iterable<ConfigProblem> {
  for (const [i, { id }] of modules.entries()) {
    const first = modules.findIndex((other) => other.id === id);
    if (first < i)
      yield { path: ["modules", i, "id"], message: `is the id of modules[${first}] too: each has its own` };
  }
}

function* unknownModules({ services, modules }: BridgeFile): Iterable<ConfigProblem> {
  const ids = new Set(modules.map(({ id }) => id));
  for (const [i, service] of services.entries()) {
    for (const [j, id] of (service.modules ?? []).entries()) {
      if (ids.has(id)) continue;
      yield {
        path: ["services", i, "modules", j],
        message: `is not the id of a module: they are ${[...ids].join(", ")}`,
      };
    }
  }
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

function* duplicateClientIds({ services }: BridgeFile): Iterable<ConfigProblem> {
  for (const [i, { client_id, hostname }] of services.entries()) {
    if (client_id === undefined) continue;
    const first = services.findIndex(
      (other) => other.client_id === client_id && account(other.hostname) === account(hostname),
    );
    if (first === i) continue;
    const message = `is the client id of services[${first}] too: the two would throw each other out; choose another`;
    yield { path: ["services", i, "client_id"], message };
  }
}

/** An account has one endpoint with -ats in its name, and may have an older one without. */
function account(hostname: string): string {
  return hostname.toLowerCase().replace(/^([^.]+)-ats\./, "$1.");
}
