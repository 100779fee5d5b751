/**
 * How the bridge does, in one word. A cloud that cannot be reached is no reason to restart a gateway or to take it out of
 * service: messages are kept meanwhile. A place for messages that takes none is.
 */
import type { BridgeStats } from "../bridge/index.ts";

export type Health =
  /** It has not begun. */
  | "starting"
  | "ok"
  /** Messages are taken, and some part needs somebody to look at it. */
  | "degraded"
  /** Messages are refused: the outbox has failed. */
  | "failed"
  | "stopping";

export function healthOf(stats: BridgeStats): "ok" | "degraded" | "failed" {
  const { outbox, services, links } = stats;
  if (outbox.state === "failed") return "failed";
  const parts = [...services.map(({ state }) => state.state), ...links.map(({ state }) => state.state)];
  return outbox.state === "low-space" || parts.includes("error") ? "degraded" : "ok";
}

/** Whether it takes messages. */
export function isReady(health: Health): boolean {
  return health === "ok" || health === "degraded";
}
