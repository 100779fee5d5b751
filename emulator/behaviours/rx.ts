/** The RX queue (§7). Its offset is the time since the module received the value: negative, in ms (choice). */
import { type Behaviours, refuse } from "../behaviour.ts";
import type { ReceivedEntry } from "../state.ts";

type RxCommands = "RX_DEQUEUE" | "RX_PEEK" | "RX_LENGTH" | "RX_CLEAR";

export const rxBehaviours: Pick<Behaviours, RxCommands> = {
  RX_DEQUEUE({ state, clock }) {
    const oldest = state.rxQueue.shift();
    return oldest ? withOffset(oldest, clock.now()) : refuse("RUNTIME");
  },
  RX_PEEK({ state, clock }) {
    const oldest = state.rxQueue[0];
    return oldest ? withOffset(oldest, clock.now()) : refuse("RUNTIME");
  },
  RX_LENGTH: ({ state }) => ({ available: state.rxCapacity - state.rxQueue.length, queued: state.rxQueue.length }),
  RX_CLEAR({ state }) {
    state.rxQueue.length = 0;
    return undefined;
  },
};

function withOffset({ entry, receivedAt }: ReceivedEntry, now: number) {
  return { ...entry, offset: BigInt(Math.min(0, Math.round(receivedAt - now))) };
}
