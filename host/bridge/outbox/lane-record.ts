/** A lane as the store keeps it: its name, and how far it is. Written now and then; a crash takes it a little back. */
import { z } from "zod";
import { laneKey } from "./keys.ts";
import type { StoreOperation } from "./leveldb.ts";
import { seal, unseal } from "./sealed.ts";

const number = z.int().nonnegative();
const schema = z.object({
  v: z.literal(1),
  lane: number,
  name: z.string(),
  /** The number that the lane's next message gets. */
  next: number,
  /** All before this one are done. */
  done: number,
  /** And these beyond it. */
  ranges: z.array(z.tuple([number, number])),
  /** The number of the block that came next: blocks before it, of any lane, have been. */
  tail: number,
  /** The number of its next dead letter. */
  letter: number,
  /** The lane was removed; what it held is being deleted. */
  removed: z.boolean(),
});
export type LaneRecord = Omit<z.output<typeof schema>, "v">;

export function laneOperation(record: LaneRecord): StoreOperation {
  return { type: "put", key: laneKey(record.lane), value: seal({ v: 1, ...record }, [], 0) };
}

/** Nothing when it is damaged. */
export function decodeLane(value: Buffer): LaneRecord | undefined {
  const parsed = schema.safeParse(unseal(value)?.header);
  return parsed.success ? parsed.data : undefined;
}
