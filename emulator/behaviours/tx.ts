/** The TX queue, and how a send goes (§7). */
import type { ChannelEntry } from "../../protocol/channel.ts";
import { MESSAGE_CHANNELS_MAX } from "../../protocol/channel.ts";
import { formatDateTime } from "../../protocol/datetime.ts";
import type { TimedChannel } from "../../protocol/message.ts";
import { type Behaviours, type ModuleContext, refuse } from "../behaviour.ts";
import { choices } from "../choices.ts";

type TxCommands = "TX_ENQUEUE" | "TX_SENDIMMED" | "TX_LENGTH" | "TX_CLEAR" | "TX_SEND" | "TX_STAT";

export const txBehaviours: Pick<Behaviours, TxCommands> = {
  TX_ENQUEUE({ state, clock }, { offset, ...entry }) {
    if (state.txQueue.length >= state.txCapacity) return refuse("RUNTIME");
    state.txQueue.push({ entry, datetime: timeOf(clock.now(), offset), number: ++state.enqueued });
    return undefined;
  },
  TX_SENDIMMED(module, { channels, offset }) {
    const { state, clock } = module;
    if (state.immediateState === "sending") return refuse(choices.underWay);
    const datetime = timeOf(clock.now(), offset);
    void sendImmediately(
      module,
      channels.map((entry) => timed(entry, datetime)),
    );
    return undefined;
  },
  TX_LENGTH: ({ state }) => ({ available: state.txCapacity - state.txQueue.length, queued: state.txQueue.length }),
  TX_CLEAR({ state }) {
    state.txQueue.length = 0;
    return undefined;
  },
  TX_SEND(module) {
    if (module.state.txState === "sending") return refuse(choices.underWay);
    void sendQueue(module);
    return undefined;
  },
  TX_STAT: ({ state }) => ({ queue: state.txState, immediate: state.immediateState }),
};

/** A channel's time is taken when it is enqueued, not when it is sent (§7). */
function timeOf(now: number, offset: bigint | undefined): string {
  return formatDateTime(now + Number(offset ?? 0n));
}

function timed(entry: ChannelEntry, datetime: string): TimedChannel {
  return { ...entry, datetime };
}

/**
 * Sends what is queued at this moment, message by message. Entries leave the queue as the uplink takes them, so that
 * what it did not take stays, ahead of newer entries.
 */
async function sendQueue(module: ModuleContext): Promise<void> {
  const { state } = module;
  const { boots } = state;
  if (!module.isOnline()) {
    state.txState = "failed";
    return;
  }
  if (state.txQueue.length === 0) {
    state.txState = "done";
    return;
  }
  state.txState = "sending";
  const last = state.enqueued;
  await sendTime(module);
  for (;;) {
    if (state.boots !== boots) return;
    const part = state.txQueue.filter(({ number }) => number <= last).slice(0, MESSAGE_CHANNELS_MAX);
    if (part.length === 0) break;
    if (
      !module.isOnline() ||
      !(await take(
        module,
        part.map(({ entry, datetime }) => timed(entry, datetime)),
      ))
    ) {
      if (state.boots === boots) state.txState = "failed";
      return;
    }
    const taken = part.at(-1)?.number ?? last;
    // TX_CLEAR or a reset may have been there first.
    while ((state.txQueue[0]?.number ?? Number.POSITIVE_INFINITY) <= taken) state.txQueue.shift();
  }
  state.txState = "done";
}

/** One message of its own, past the queue. */
async function sendImmediately(module: ModuleContext, channels: readonly TimedChannel[]): Promise<void> {
  const { state } = module;
  const { boots } = state;
  if (!module.isOnline()) {
    state.immediateState = "failed";
    return;
  }
  state.immediateState = "sending";
  await sendTime(module);
  if (state.boots !== boots) return;
  const taken = module.isOnline() && (await take(module, channels));
  if (state.boots === boots) state.immediateState = taken ? "done" : "failed";
}

function sendTime({ state, clock }: ModuleContext): Promise<void> | undefined {
  if (state.sendTimeMs === 0) return undefined;
  return new Promise((resolve) => void clock.after(state.sendTimeMs, resolve));
}

/** Whether the uplink took the message. */
async function take(module: ModuleContext, channels: readonly TimedChannel[]): Promise<boolean> {
  try {
    await module.uplink.take({ module: module.state.id, type: "channels", payload: { channels } });
    return true;
  } catch (error) {
    module.report({ kind: "uplink-refused", type: "channels", error });
    return false;
  }
}
