/** The outbox of a bridge that does not run. */
import { existsSync } from "node:fs";
import { SakuraError } from "../../protocol/errors.ts";
import { wallClock } from "../clock.ts";
import type { BridgeConfig } from "../config/schema.ts";
import { openConfiguredOutbox } from "./assemble.ts";
import { storePath } from "./outbox/durable.ts";
import type { Outbox } from "./outbox/outbox.ts";

/**
 * Opens what a bridge has kept, and makes nothing where it has not: what one user makes, another's bridge cannot open.
 * @param report is told, for people, what was damaged and what became of it
 * @throws SakuraError INVALID_ARGUMENT when nothing is kept there; PORT_BUSY while a bridge runs on it
 */
export function openKeptOutbox(config: Pick<BridgeConfig, "outbox">, report: (note: string) => void): Promise<Outbox> {
  const { path } = config.outbox;
  if (existsSync(storePath(path))) return openConfiguredOutbox(config, wallClock, report);
  throw new SakuraError("INVALID_ARGUMENT", `no bridge has kept anything in ${path} so far`, { context: { path } });
}
