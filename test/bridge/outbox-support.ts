/** An outbox's surroundings. */
import { onTestFinished } from "vitest";
import {
  type Outbox,
  type OutboxLane,
  type OutboxMessage,
  type OutboxOptions,
  openOutbox,
} from "../../host/bridge/index.ts";
import { systemClock } from "../../host/clock.ts";

export const message = (text: string, module = "u1"): OutboxMessage => ({ module, payload: Buffer.from(text) });

export const textOf = ({ payload }: OutboxMessage): string => Buffer.from(payload).toString();

/** What can be handed out at once, in order. */
export function rest(lane: OutboxLane): string[] {
  const texts: string[] = [];
  for (let next = lane.next(); next; next = lane.next()) texts.push(textOf(next));
  return texts;
}

/** The next so many, however long they take to come from the disk. */
export async function take(lane: OutboxLane, count: number): Promise<OutboxMessage[]> {
  const messages: OutboxMessage[] = [];
  for (;;) {
    for (let next = lane.next(); next; next = lane.next()) {
      messages.push(next);
      if (messages.length === count) return messages;
    }
    await new Promise<void>((resolve) => {
      const stop = lane.onReady(() => {
        stop();
        resolve();
      });
    });
  }
}

/** An outbox in this directory, closed after the test, and what it reported. */
export async function opened(
  path: string,
  options: Partial<OutboxOptions> = {},
): Promise<{ outbox: Outbox; notes: string[] }> {
  const notes: string[] = [];
  const bounds = { maxBytes: 1024 ** 3 };
  const outbox = await openOutbox({ path, bounds, clock: systemClock, report: (note) => notes.push(note), ...options });
  onTestFinished(() => outbox.close());
  return { outbox, notes };
}
