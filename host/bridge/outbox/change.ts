/** What goes into the store beside newly taken messages, each whole or not at all. */
import { SakuraError } from "../../../protocol/errors.ts";
import type { StoreOperation } from "./leveldb.ts";
import type { OutboxMessage } from "./outbox.ts";

export interface Change {
  /** Messages that are put at the end of the lane in the same batch. */
  readonly messages?: readonly OutboxMessage[];
  /** Called once, when the batch is made. */
  operations(): readonly StoreOperation[];
  /** What brings back what was there before, for a batch of which nobody knows whether it was written. */
  readonly undo?: readonly StoreOperation[];
  /** When it cannot be written: `refuse` it, or `keep` it until it can. */
  readonly onFailure: "refuse" | "keep";
  /** It is on the disk. */
  done(): void;
}

export function outboxFailed(reason: string, cause?: unknown): SakuraError {
  return new SakuraError("REFUSED", reason, {
    context: { reason: "outbox-failed" },
    ...(cause !== undefined && { cause }),
  });
}

export function outboxClosed(): SakuraError {
  return new SakuraError("CLOSED", "the outbox is closed: the bridge stops");
}
