/** How a service stands, made of how its connections stand (see ServiceState). */
import type { ConnectionState, PastFailure, ServiceState, Standing } from "../service.ts";

/** @param before how it stood: as long as the state is the same, it is so since then */
export function standingOf(
  connections: readonly ConnectionState[],
  before: ServiceState | undefined,
  now: number,
): ServiceState {
  const deciding =
    connections.find(({ state }) => state === "error") ??
    connections.find(({ state }) => state === "connecting") ??
    connections.find(({ state }) => state === "online") ??
    connections[0];
  if (deciding === undefined) return { state: "stopped", since: now };
  const { clientId: _, ...standing } = deciding;
  const since = before?.state === standing.state ? before.since : now;
  return { ...withSince(standing, since), lastFailure: lastOf(connections), connections };
}

function withSince(standing: Standing, since: number): Standing {
  return { ...standing, since };
}

function lastOf(connections: readonly ConnectionState[]): PastFailure | undefined {
  let last: PastFailure | undefined;
  for (const { lastFailure } of connections) {
    if (lastFailure !== undefined && (last === undefined || lastFailure.at >= last.at)) last = lastFailure;
  }
  return last;
}
