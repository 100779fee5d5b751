/** The demo's MCU: what a firmware would do, through the project's own client. */
import type { ChannelEntry } from "../../../protocol/channel.ts";
import type { ResponseOf } from "../../../protocol/commands.ts";
import { isSakuraError } from "../../../protocol/errors.ts";
import { pause, systemClock } from "../../clock.ts";
import type { SakuraModule } from "../../module.ts";

export interface McuOptions {
  readonly intervalMs: number;
  readonly signal: AbortSignal;
  onSend(values: readonly ChannelEntry[]): void;
  onReceive(value: ResponseOf<"RX_DEQUEUE">): void;
}

/** How often it looks whether something has come down. */
const POLL_MS = 50;

/** Sends a counter and a temperature each round, and takes what has come down, until the signal. */
export async function runMcu(
  module: SakuraModule,
  { intervalMs, signal, onSend, onReceive }: McuOptions,
): Promise<void> {
  for (let round = 1; !signal.aborted; round++) {
    const values: ChannelEntry[] = [
      { channel: 0, type: "i", value: round },
      { channel: 1, type: "f", value: Math.round(200 + 50 * Math.sin(round / 5)) / 10 },
    ];
    onSend(values);
    for (const value of values) await module.txEnqueue(value, { signal });
    await module.flush({ signal });
    const next = Date.now() + intervalMs;
    do {
      for (let value = await module.receive({ signal }); value; value = await module.receive({ signal }))
        onReceive(value);
      await pause(systemClock, Math.max(0, Math.min(POLL_MS, next - Date.now())), signal);
    } while (Date.now() < next && !signal.aborted);
  }
}

/** Whether an MCU stopped because it was told to. */
export function wasStopped(error: unknown): boolean {
  return isSakuraError(error, "ABORTED") || isSakuraError(error, "CLOSED") || isSakuraError(error, "OUTCOME_UNKNOWN");
}
