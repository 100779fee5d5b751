/** The outbox of a bridge that does not run, opened where it is kept. */
import { formatDateTime } from "../../protocol/datetime.ts";
import { isSakuraError, SakuraError } from "../../protocol/errors.ts";
import { type Json, parseJson } from "../../protocol/json.ts";
import type { Outbox, OutboxLane } from "../bridge/index.ts";
import type { OutboxDesk } from "./outbox-desk.ts";

/** @param outbox open; `close` closes it */
export function storeDesk(outbox: Outbox): OutboxDesk {
  const laneOf = (service: string): OutboxLane => {
    // `lane` would make one.
    if (outbox.lanes().includes(service)) return outbox.lane(service);
    throw new SakuraError("INVALID_ARGUMENT", `the outbox keeps nothing of a service ${service}`);
  };
  return {
    async status() {
      const lanes = outbox.lanes().map((service) => {
        const { messages, bytes, oldestAt, deadLetters } = outbox.lane(service);
        return {
          service,
          waiting: messages,
          waitingBytes: bytes,
          oldestAt: oldestAt === undefined ? undefined : formatDateTime(oldestAt),
          deadLetters,
        };
      });
      return { state: outbox.state(), lanes };
    },
    async deadLetters(service, page) {
      const letters = await laneOf(service).listDeadLetters(page);
      return letters.map(({ id, module, setAsideAt, reason, payload }) => ({
        id,
        module,
        setAsideAt: formatDateTime(setAsideAt),
        reason,
        message: messageOf(payload),
      }));
    },
    retry: async (service, ids) => laneOf(service).retryDeadLetters(ids),
    delete: async (service, ids) => laneOf(service).deleteDeadLetters(ids),
    close: () => outbox.close(),
  };
}

function messageOf(payload: Uint8Array): Json {
  const text = new TextDecoder().decode(payload);
  try {
    return parseJson(text);
  } catch (error) {
    if (isSakuraError(error, "INVALID_MESSAGE")) return text;
    throw error;
  }
}
