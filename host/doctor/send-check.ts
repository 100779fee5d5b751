/** Sends one value, and follows it until the module says that it is sent. */

import type { Clock } from "../../protocol/bus.ts";
import type { ChannelEntry } from "../../protocol/channel.ts";
import { isSakuraError } from "../../protocol/errors.ts";
import { monotonicMs } from "../clock.ts";
import type { SakuraModule } from "../module.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

export interface SendCheckOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /** For the whole of it, in ms. */
  readonly timeoutMs: number;
}

/** Past the queue, whose values stay untouched. @throws SakuraError ABORTED, CLOSED, PORT_LOST */
export async function examineSend(
  module: SakuraModule,
  value: ChannelEntry,
  { clock, signal, timeoutMs }: SendCheckOptions,
): Promise<Finding> {
  const facts = { channel: value.channel, type: value.type };
  const what = `a value on channel ${value.channel}`;
  const start = monotonicMs(clock);
  try {
    await module.sendImmediately({ channels: [value] }, { signal, timeoutMs });
  } catch (error) {
    if (!isSakuraError(error)) throw error;
    switch (error.code) {
      case "OUTCOME_UNKNOWN":
        return warning("send", `${what} may or may not have been sent: its answer was lost on the line`, {
          advice: ["look for it where the messages arrive; see parity above for the line"],
          facts: { ...facts, code: error.code },
        });
      case "MODULE_REFUSED":
      case "TIMEOUT":
      case "NO_ANSWER":
      case "DAMAGED_ANSWER":
        return problem("send", error.message, {
          advice: ["see signal and connection above; then run the doctor again with --send"],
          facts: { ...facts, code: error.code },
        });
      default:
        throw error;
    }
  }
  const ms = Math.round(monotonicMs(clock) - start);
  return ok("send", `${what} is sent: the module said done after ${(ms / 1000).toFixed(1)} s`, {
    facts: { ...facts, ms },
  });
}
