/** Everything that a module tells about itself without being changed. */
import type { ResponseOf } from "../../protocol/commands.ts";
import { isSakuraError, type SakuraError } from "../../protocol/errors.ts";
import type { CommandOptions } from "../job.ts";
import type { SakuraModule } from "../module.ts";

/** An answer, or why there is none: MODULE_REFUSED, INVALID_PAYLOAD, NO_ANSWER, DAMAGED_ANSWER. */
export type Reading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: SakuraError };

export interface Snapshot {
  readonly product: Reading<number>;
  readonly uniqueId: Reading<string>;
  readonly firmware: Reading<string>;
  readonly time: Reading<{
    /** Unix ms, the module's. */
    readonly module: bigint;
    /** Unix ms, this machine's in the middle of the asking. */
    readonly host: number;
  }>;
  readonly signal: Reading<number>;
  readonly connection: Reading<ResponseOf<"GET_CONNECTION_STATUS">>;
  readonly tx: Reading<ResponseOf<"TX_LENGTH">>;
  readonly rx: Reading<ResponseOf<"RX_LENGTH">>;
  readonly sends: Reading<ResponseOf<"TX_STAT">>;
  readonly powerSave: Reading<ResponseOf<"GET_POWER_SAVE_MODE">>;
}

/**
 * Reads it all, with commands that write nothing.
 * @param now this machine's time, Unix ms
 * @throws SakuraError ABORTED, CLOSED, PORT_LOST
 */
export async function readSnapshot(
  module: SakuraModule,
  now: () => number,
  options: CommandOptions,
): Promise<Snapshot> {
  return {
    product: await reading(module.getProductId(options)),
    uniqueId: await reading(module.getUniqueId(options)),
    firmware: await reading(module.getFirmwareVersion(options)),
    time: await reading(readTime(module, now, options)),
    signal: await reading(module.getSignalQuality(options)),
    connection: await reading(module.getConnectionStatus(options)),
    tx: await reading(module.txLength(options)),
    rx: await reading(module.rxLength(options)),
    sends: await reading(module.txStat(options)),
    powerSave: await reading(module.getPowerSaveMode(options)),
  };
}

async function readTime(module: SakuraModule, now: () => number, options: CommandOptions) {
  const before = now();
  const time = await module.getDatetime(options);
  return { module: time, host: (before + now()) / 2 };
}

const KEPT: ReadonlySet<string> = new Set(["MODULE_REFUSED", "INVALID_PAYLOAD", "NO_ANSWER", "DAMAGED_ANSWER"]);

async function reading<T>(asked: Promise<T>): Promise<Reading<T>> {
  try {
    return { ok: true, value: await asked };
  } catch (error) {
    if (isSakuraError(error) && KEPT.has(error.code)) return { ok: false, error };
    throw error;
  }
}
