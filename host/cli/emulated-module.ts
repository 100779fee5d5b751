/** The emulated module's settings as the command line has them, for every verb that runs one. */
import { filesInDirectory } from "../../emulator/files.ts";
import type { EmulatedModuleOptions } from "../../emulator/state.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { updateResults } from "../../protocol/status.ts";

export interface ModuleFlags {
  readonly id?: string;
  readonly uniqueId?: string;
  readonly firmware?: string;
  readonly product?: number;
  readonly txQueue?: number;
  readonly rxQueue?: number;
  readonly offline: boolean;
  readonly signal?: number;
  readonly files?: string;
  readonly sendTime?: number;
  readonly readyAfter?: number;
  readonly bootTime?: number;
  readonly fileDelay?: number;
  readonly faults?: string;
  readonly clock?: string;
  readonly updateResult?: string;
  readonly updateVersion?: string;
  readonly updateTime?: number;
  readonly updateSilent: boolean;
}

/** @throws SakuraError INVALID_ARGUMENT */
export function moduleOptions(options: ModuleFlags): Omit<EmulatedModuleOptions, "clock" | "uplink"> {
  return {
    id: options.id,
    uniqueId: options.uniqueId,
    firmware: options.firmware,
    product: options.product,
    txQueue: options.txQueue,
    rxQueue: options.rxQueue,
    online: !options.offline,
    signal: options.signal,
    sendTimeMs: options.sendTime,
    bootTimeMs: options.bootTime,
    fileDelayMs: options.fileDelay,
    files: options.files === undefined ? undefined : filesInDirectory(options.files),
    update: {
      ...(options.updateResult === undefined ? {} : { outcome: updateResultOf(options.updateResult) }),
      ...(options.updateVersion === undefined ? {} : { version: options.updateVersion }),
      ...(options.updateTime === undefined ? {} : { durationMs: options.updateTime }),
      silent: options.updateSilent,
    },
  };
}

function updateResultOf(name: string) {
  const value = Object.entries(updateResults.values).find(([known]) => known === name)?.[1];
  if (value !== undefined) return updateResults.nameOf(value);
  throw new SakuraError(
    "INVALID_ARGUMENT",
    `an update's result is one of ${Object.keys(updateResults.values).join(", ")}, not "${name}"`,
  );
}
