/** `sakuraio module firmware`: which version it has, and updating it. */
import { isSakuraError, SakuraError } from "../../../protocol/errors.ts";
import type { UpdateResult } from "../../../protocol/status.ts";
import type { FirmwareUpdate, FirmwareUpdateProgress } from "../../firmware-update.ts";
import { missingFeatures } from "../../firmware-version.ts";
import type { SakuraModule } from "../../module.ts";
import { canAsk, confirmed } from "../confirm.ts";
import { type ExitCode, printLine } from "../io.ts";
import { jsonLine } from "../json-line.ts";
import { liveLine } from "../live-line.ts";
import { report } from "./report.ts";
import type { ModuleSession } from "./session.ts";

export interface FirmwareVerbOptions {
  /** Do not ask. */
  readonly yes: boolean;
}

export function moduleFirmware(session: ModuleSession): Promise<ExitCode> {
  return session.withModule(async (module) => {
    const version = await module.getFirmwareVersion({ signal: session.io.signal });
    const missing = missingFeatures(version);
    const lacks = missing.map(({ feature, since }) => `; it lacks ${feature}, which came with ${since}`).join("");
    return report(
      session,
      { event: "firmware", version, lacks: missing.map(({ feature }) => feature) },
      `firmware  ${version}${lacks}`,
    );
  });
}

/** Exits 1 when the update failed; 0 when the module is up to date, before or after. */
export async function moduleFirmwareUpdate({ yes }: FirmwareVerbOptions, session: ModuleSession): Promise<ExitCode> {
  if (!yes && !canAsk(session.io)) {
    throw new SakuraError(
      "INVALID_ARGUMENT",
      "a firmware update restarts the module and is asked about first: there is no terminal to ask on, so say --yes",
    );
  }
  // The module may restart its adapter with itself.
  return session.withModule(
    async (module) => {
      if (!yes && !(await isWanted(module, session))) {
        return report(session, { event: "firmware-update", phase: "declined" }, "nothing was done");
      }
      return update(module, session);
    },
    { reopen: true },
  );
}

async function isWanted(module: SakuraModule, { io }: ModuleSession): Promise<boolean> {
  const version = await module.getFirmwareVersion({ signal: io.signal });
  const what = `Update the firmware of ${module.name}, now ${version}?`;
  return confirmed(io, `${what}\nIt takes minutes, empties both queues, and needs power all the time.`);
}

async function update(module: SakuraModule, session: ModuleSession): Promise<ExitCode> {
  const { io, json, trace } = session;
  const line = liveLine(io, { quiet: json || trace === true });
  let phase: FirmwareUpdateProgress["phase"] | undefined;
  const onProgress = (progress: FirmwareUpdateProgress): void => {
    const changed = phase !== progress.phase;
    phase = progress.phase;
    line.show(`${phaseTexts[phase]}  ${seconds(progress.elapsedMs)}`);
    if (!changed) return;
    if (json) printLine(io.stdout, jsonLine({ event: "firmware-update", phase, elapsed_ms: progress.elapsedMs }));
    else if (!io.stdout.isTTY) printLine(io.stderr, phaseTexts[phase]);
  };
  try {
    const done = await module.runFirmwareUpdate({ signal: io.signal, onProgress });
    line.clear();
    return tell(done, session);
  } catch (error) {
    line.clear();
    // One that is told of by the session, because its outcome is unknown, is not told of here.
    if (isSakuraError(error, "ABORTED")) throw stopped(error);
    throw error;
  }
}

function stopped(error: SakuraError): SakuraError {
  const { outcome } = error.context;
  if (outcome !== "unknown") return error;
  const words =
    "not waited for any more: the module goes on updating by itself. Leave it powered, and look later (firmware)";
  return new SakuraError("ABORTED", words, { context: error.context, cause: error.cause });
}

function tell({ before, after, result, elapsedMs }: FirmwareUpdate, session: ModuleSession): ExitCode {
  const updated = result === "ok" && after !== before;
  const words = updated ? `updated: ${before} -> ${after}` : `${resultText(result)}; it has ${after}`;
  const event = { event: "firmware-updated", result, before, after, elapsed_ms: elapsedMs };
  report(session, event, `${words} (${seconds(elapsedMs)})`);
  return updated || result === "already-up-to-date" ? 0 : 1;
}

const phaseTexts = {
  starting: "starting the update",
  updating: "updating; do not take its power away",
  silent: "updating, silent meanwhile; do not take its power away",
  restarting: "restarting",
} as const satisfies { readonly [P in FirmwareUpdateProgress["phase"]]: string };

function resultText(result: UpdateResult): string {
  switch (result) {
    // Its answer to a module that never began to update, too.
    case "ok":
      return "the module reports no failure, but shows no other version: nothing was updated, or it has yet to restart";
    case "already-up-to-date":
      return "already up to date";
    case "version-check-failed":
      return "the update failed: the newest version could not be asked for; check that the module is online";
    case "download-failed":
      return "the update failed in its download; check the signal, and try again";
    case "verification-failed":
      return "the update failed: what was downloaded is damaged; try again";
    default:
      return `the update failed: ${result}`;
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
