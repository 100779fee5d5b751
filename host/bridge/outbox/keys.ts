/**
 * The keys of the store's records. Blocks come first: their keys only grow, and as long as nothing that is written again
 * and again sorts among them, LevelDB moves its files down without rewriting them.
 *
 *     b NUMBER(6)            a block of messages
 *     d LANE(4) NUMBER(6)    a dead letter
 *     l LANE(4)              a lane: its name, and how far it is
 */
const NUMBER_BYTES = 6;
const LANE_BYTES = 4;

export interface KeyRange {
  readonly from: Buffer;
  /** Not included. */
  readonly to: Buffer;
}

const prefix = (letter: string, size: number): Buffer => {
  const key = Buffer.alloc(1 + size);
  key.write(letter, "latin1");
  return key;
};

export function blockKey(number: number): Buffer {
  const key = prefix("b", NUMBER_BYTES);
  key.writeUIntBE(number, 1, NUMBER_BYTES);
  return key;
}

/** Nothing for a key that is no block's. */
export function blockNumberOf(key: Buffer): number | undefined {
  return key.length === 1 + NUMBER_BYTES && key[0] === 0x62 ? key.readUIntBE(1, NUMBER_BYTES) : undefined;
}

/** Blocks from one number to before another; to the last without one. */
export function blockRange(from: number, to?: number): KeyRange {
  return { from: blockKey(from), to: to === undefined ? Buffer.from("c") : blockKey(to) };
}

export function letterKey(lane: number, number: number): Buffer {
  const key = prefix("d", LANE_BYTES + NUMBER_BYTES);
  key.writeUInt32BE(lane, 1);
  key.writeUIntBE(number, 1 + LANE_BYTES, NUMBER_BYTES);
  return key;
}

export function letterOf(key: Buffer): { readonly lane: number; readonly number: number } | undefined {
  if (key.length !== 1 + LANE_BYTES + NUMBER_BYTES || key[0] !== 0x64) return undefined;
  return { lane: key.readUInt32BE(1), number: key.readUIntBE(1 + LANE_BYTES, NUMBER_BYTES) };
}

/** A lane's dead letters behind a number. */
export function letterRange(lane: number, after: number): KeyRange {
  return { from: letterKey(lane, after + 1), to: letterKey(lane + 1, 0) };
}

export const ALL_LETTERS: KeyRange = { from: Buffer.from("d"), to: Buffer.from("e") };

export function laneKey(lane: number): Buffer {
  const key = prefix("l", LANE_BYTES);
  key.writeUInt32BE(lane, 1);
  return key;
}

export const ALL_LANES: KeyRange = { from: Buffer.from("l"), to: Buffer.from("m") };
