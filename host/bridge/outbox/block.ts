/**
 * A block: the messages that were written together, once for all lanes. It is what a record of the store holds, so that
 * many messages cost one write, and a backlog costs memory for the blocks that are being handed out alone.
 *
 * In each lane the messages are numbered without a gap (`first` of a share), so that what a damage has taken away is
 * noticed when the lane comes to it.
 */
import { z } from "zod";
import type { Stamp } from "./age.ts";
import { ENTRY_OVERHEAD, type OutboxMessage } from "./outbox.ts";
import { seal, unseal } from "./sealed.ts";

/** What of a block is one lane's. */
export interface Share {
  readonly lane: number;
  /** The lane's name when this was written: used when the lane's own record is lost. */
  readonly name: string;
  /** The number of the first message within the lane. */
  readonly first: number;
  readonly count: number;
  /** With {@link ENTRY_OVERHEAD} for each. */
  readonly bytes: number;
}

export interface Block {
  readonly number: number;
  readonly stamp: Stamp;
  readonly shares: readonly Share[];
  readonly count: number;
  /** What it takes of memory, roughly. */
  readonly bytes: number;
  message(index: number): OutboxMessage;
  /** Payload and {@link ENTRY_OVERHEAD}. */
  sizeOf(index: number): number;
  /** The indexes of a lane's messages; nothing when all are its. */
  indexesFor(lane: number): Uint32Array | undefined;
}

/** For each message, whose it is: ids of lanes. */
export type LaneSet = readonly number[];

const count = z.int().nonnegative();
const headerSchema = z.object({
  v: z.literal(1),
  number: count,
  at: z.number(),
  run: z.string(),
  mono: z.number(),
  shares: z.array(z.tuple([count, z.string(), count, count, count])),
  modules: z.array(z.string()),
  /** Of each message: its module's place in `modules`, and the payload's bytes. */
  module: z.array(count),
  size: z.array(count),
  sets: z.array(z.array(count)),
  /** Of each message: its set's place in `sets`; nothing when there is one alone. */
  set: z.array(count).optional(),
});
type Header = z.output<typeof headerSchema>;

export interface BlockContent {
  readonly number: number;
  readonly stamp: Stamp;
  readonly shares: readonly Share[];
  readonly messages: readonly OutboxMessage[];
  readonly sets: readonly LaneSet[];
  /** Of each message: its set's place in `sets`. */
  readonly setOf: readonly number[];
}

/** A block that has just been written, on the messages as they came. */
export class FreshBlock implements Block {
  readonly number: number;
  readonly stamp: Stamp;
  readonly shares: readonly Share[];
  readonly count: number;
  readonly bytes: number;
  readonly #content: BlockContent;

  constructor(content: BlockContent) {
    this.#content = content;
    this.number = content.number;
    this.stamp = content.stamp;
    this.shares = content.shares;
    this.count = content.messages.length;
    let bytes = 0;
    for (const { payload } of content.messages) bytes += payload.length + ENTRY_OVERHEAD;
    this.bytes = bytes;
  }

  message(index: number): OutboxMessage {
    return present(this.#content.messages[index]);
  }

  sizeOf(index: number): number {
    return this.message(index).payload.length + ENTRY_OVERHEAD;
  }

  indexesFor(lane: number): Uint32Array | undefined {
    return indexesFor(lane, this.#content.sets, this.#content.setOf, this.count);
  }

  encode(): Buffer {
    const { number, stamp, shares, messages, sets, setOf } = this.#content;
    const places = new Map<string, number>();
    const module: number[] = [];
    const size: number[] = [];
    const parts: Uint8Array[] = [];
    let bodyBytes = 0;
    for (const { module: name, payload } of messages) {
      let place = places.get(name);
      if (place === undefined) {
        place = places.size;
        places.set(name, place);
      }
      module.push(place);
      size.push(payload.length);
      parts.push(payload);
      bodyBytes += payload.length;
    }
    const header = {
      v: 1,
      number,
      at: stamp.at,
      run: stamp.run,
      mono: stamp.mono,
      shares: shares.map(({ lane, name, first, count: messagesOfLane, bytes }) => [
        lane,
        name,
        first,
        messagesOfLane,
        bytes,
      ]),
      modules: [...places.keys()],
      module,
      size,
      sets,
      ...(sets.length > 1 && { set: setOf }),
    };
    return seal(header, parts, bodyBytes);
  }
}

/** A block that was read, on the bytes as they were read. */
class StoredBlock implements Block {
  readonly number: number;
  readonly stamp: Stamp;
  readonly shares: readonly Share[];
  readonly count: number;
  readonly bytes: number;
  readonly #header: Header;
  readonly #body: Buffer;
  readonly #starts: Uint32Array;

  constructor(header: Header, body: Buffer, starts: Uint32Array) {
    this.#header = header;
    this.#body = body;
    this.#starts = starts;
    this.number = header.number;
    this.stamp = { at: header.at, run: header.run, mono: header.mono };
    this.shares = header.shares.map(([lane, name, first, count, bytes]) => ({ lane, name, first, count, bytes }));
    this.count = header.size.length;
    this.bytes = body.length + this.count * ENTRY_OVERHEAD;
  }

  message(index: number): OutboxMessage {
    const { modules, module, size } = this.#header;
    const start = present(this.#starts[index]);
    return {
      module: present(modules[present(module[index])]),
      payload: this.#body.subarray(start, start + present(size[index])),
    };
  }

  sizeOf(index: number): number {
    return present(this.#header.size[index]) + ENTRY_OVERHEAD;
  }

  indexesFor(lane: number): Uint32Array | undefined {
    return indexesFor(lane, this.#header.sets, this.#header.set, this.count);
  }
}

/** Nothing when it is damaged. */
export function decodeBlock(value: Buffer): Block | undefined {
  const unsealed = unseal(value);
  const parsed = headerSchema.safeParse(unsealed?.header);
  if (!unsealed || !parsed.success) return undefined;
  const { module, modules, size, sets, set } = parsed.data;
  if (module.length !== size.length || (set && set.length !== size.length)) return undefined;
  if (module.some((place) => place >= modules.length) || set?.some((place) => place >= sets.length)) return undefined;
  const starts = new Uint32Array(size.length);
  let at = 0;
  for (const [index, bytes] of size.entries()) {
    starts[index] = at;
    at += bytes;
  }
  return at === unsealed.body.length ? new StoredBlock(parsed.data, unsealed.body, starts) : undefined;
}

function indexesFor(
  lane: number,
  sets: readonly LaneSet[],
  setOf: readonly number[] | undefined,
  messages: number,
): Uint32Array | undefined {
  const mine = sets.map((set) => set.includes(lane));
  if (mine.every(Boolean)) return undefined;
  const indexes = new Uint32Array(messages);
  let found = 0;
  for (let index = 0; index < messages; index++) {
    if (mine[setOf?.[index] ?? 0]) indexes[found++] = index;
  }
  return indexes.subarray(0, found);
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError("a message that the block does not have");
  return value;
}
