/** Verbs that change how the module is: its queues emptied, restarted, its power saving. */
import { SakuraError } from "../../../protocol/errors.ts";
import { type PowerSaveMode, powerSaveModes } from "../../../protocol/status.ts";
import type { ExitCode } from "../io.ts";
import { report } from "./report.ts";
import type { ModuleSession } from "./session.ts";

export function moduleClear(queue: "tx" | "rx", session: ModuleSession): Promise<ExitCode> {
  return session.withModule(async (module) => {
    const signal = { signal: session.io.signal };
    await (queue === "tx" ? module.txClear(signal) : module.rxClear(signal));
    return report(session, { event: "cleared", queue }, `the ${queue.toUpperCase()} queue is empty`);
  });
}

export function moduleReset(session: ModuleSession): Promise<ExitCode> {
  return session.withModule(async (module) => {
    await module.reset({ signal: session.io.signal });
    return report(session, { event: "reset" }, "the module restarts: its queues are empty, and it is offline for now");
  });
}

/** Reads the mode, or sets it where one is given: by its name or its number. */
export async function modulePowerSave(mode: string | undefined, session: ModuleSession): Promise<ExitCode> {
  const wanted = mode === undefined ? undefined : parseMode(mode);
  return session.withModule(async (module) => {
    const signal = { signal: session.io.signal };
    if (wanted !== undefined) await module.setPowerSaveMode(wanted, signal);
    const now = await module.getPowerSaveMode(signal);
    return report(session, { event: "power-save", mode: now }, `power save  ${now}`);
  });
}

function parseMode(text: string): PowerSaveMode {
  const modes = Object.entries(powerSaveModes.values);
  const found = modes.find(([name, value]) => name === text || String(value) === text);
  if (found) return powerSaveModes.nameOf(found[1]);
  const known = modes.map(([name]) => name).join(", ");
  throw new SakuraError("INVALID_ARGUMENT", `a power-save mode is ${known} or 0 to 2, not "${text}"`);
}
