/** Verbs that change how the module is: its queues emptied, restarted, its power saving. */
import { SakuraError } from "../../../protocol/errors.ts";
import { type PowerSaveMode, powerSaveModes } from "../../../protocol/status.ts";
import { missingFeatures } from "../../firmware-version.ts";
import type { SakuraModule } from "../../module.ts";
import { isRefusal } from "../../outcome.ts";
import type { ExitCode } from "../io.ts";
import { liveLine } from "../live-line.ts";
import { report } from "./report.ts";
import type { ModuleSession } from "./session.ts";

export function moduleClear(queue: "tx" | "rx", session: ModuleSession): Promise<ExitCode> {
  return session.withModule(async (module) => {
    const signal = { signal: session.io.signal };
    await (queue === "tx" ? module.txClear(signal) : module.rxClear(signal));
    return report(session, { event: "cleared", queue }, `the ${queue.toUpperCase()} queue is empty`);
  });
}

export interface ResetVerbOptions {
  /** Until the module is online again. */
  readonly wait: boolean;
}

export function moduleReset({ wait }: ResetVerbOptions, session: ModuleSession): Promise<ExitCode> {
  const { io, json } = session;
  return session.withModule(
    async (module) => {
      if (!wait) {
        await module.reset({ signal: io.signal });
        return report(
          session,
          { event: "reset" },
          "the module restarts: its queues are empty, and it is offline for now",
        );
      }
      const line = liveLine(io, { quiet: json });
      try {
        const { elapsedMs } = await module.restart({
          signal: io.signal,
          onProgress: ({ phase, elapsedMs: ms }) => line.show(`restarting, ${phase}  ${Math.round(ms / 1000)} s`),
        });
        line.clear();
        const words = `the module has restarted and is online again, after ${(elapsedMs / 1000).toFixed(1)} s`;
        return report(
          session,
          { event: "reset", online: true, elapsed_ms: elapsedMs },
          `${words}; its queues are empty`,
        );
      } finally {
        line.clear();
      }
    },
    { reopen: wait },
  );
}

/** Reads the mode, or sets it where one is given: by its name or its number. */
export async function modulePowerSave(mode: string | undefined, session: ModuleSession): Promise<ExitCode> {
  const wanted = mode === undefined ? undefined : parseMode(mode);
  return session.withModule(async (module) => {
    const signal = { signal: session.io.signal };
    try {
      if (wanted !== undefined) await module.setPowerSaveMode(wanted, signal);
      const now = await module.getPowerSaveMode(signal);
      return report(session, { event: "power-save", mode: now }, `power save  ${now}`);
    } catch (error) {
      throw isRefusal(error, "MISSING") ? await tooOld(module, error, signal) : error;
    }
  });
}

/** Says which version knows it. */
async function tooOld(
  module: SakuraModule,
  cause: unknown,
  signal: { readonly signal: AbortSignal },
): Promise<unknown> {
  const version = await module.getFirmwareVersion(signal).catch(() => undefined);
  const lacking = version && missingFeatures(version).find(({ feature }) => feature === "power-save");
  if (!lacking) return cause;
  return new SakuraError(
    "MODULE_REFUSED",
    `this module's firmware ${version} has no power saving, which came with ${lacking.since}: "firmware update" updates it`,
    { context: { status: "MISSING", firmware: version, since: lacking.since }, cause },
  );
}

function parseMode(text: string): PowerSaveMode {
  const modes = Object.entries(powerSaveModes.values);
  const found = modes.find(([name, value]) => name === text || String(value) === text);
  if (found) return powerSaveModes.nameOf(found[1]);
  const known = modes.map(([name]) => name).join(", ");
  throw new SakuraError("INVALID_ARGUMENT", `a power-save mode is ${known} or 0 to 2, not "${text}"`);
}
