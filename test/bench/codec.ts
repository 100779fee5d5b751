/** The frame codec against a hand-written loop: TX_ENQUEUE encoded and decoded again. */
import { performance } from "node:perf_hooks";
import { type ChannelEntry, decodeRequest, encodeRequest } from "sakuraio-kit/protocol";
import { ratioOf, spreadOf, takeTurns } from "./measure.ts";
import { atLeastBoth, type Row } from "./report.ts";

const ROUNDS = 61;
const ROUND_MS = 40;
/** Between two looks at the time. */
const BATCH = 5_000;
const WANTED_RATIO = 0.5;
const WANTED_A_SECOND = 2_000_000;

const TX_ENQUEUE = 0x20;
const SIZE = 10;
const TYPE_I = 0x69;
const TYPE_L = 0x6c;

/** So that no loop is found to be good for nothing. */
let sink = 0n;

export async function benchCodec(report: (row: Row) => void): Promise<void> {
  const contestants = new Map([
    ["hand i", () => perSecond(handInts)],
    ["kit i", () => perSecond(kitInts)],
    ["hand l", () => perSecond(handLongs)],
    ["kit l", () => perSecond(kitLongs)],
  ]);
  useEveryShape();
  await takeTurns(10, contestants);
  const series = await takeTurns(ROUNDS, contestants);
  const figures = (name: string): readonly number[] => series.get(name) ?? [];
  if (sink === 0n) throw new Error("the loops have done nothing");

  const unit = "round trips/s";
  report({ name: "codec: i, by hand", figure: spreadOf(figures("hand i")).median, unit });
  const ints = { ...ratioOf(figures("kit i"), figures("hand i")), of: "by hand" };
  const figure = spreadOf(figures("kit i")).median;
  report({
    name: "codec: i, encodeRequest + decodeRequest",
    figure,
    unit,
    ratio: ints,
    goal: atLeastBoth(ints, WANTED_RATIO, figure, WANTED_A_SECOND),
  });
  report({ name: "codec: l, by hand", figure: spreadOf(figures("hand l")).median, unit });
  const longs = { ...ratioOf(figures("kit l"), figures("hand l")), of: "by hand" };
  report({
    name: "codec: l, encodeRequest + decodeRequest",
    figure: spreadOf(figures("kit l")).median,
    unit,
    ratio: longs,
  });
}

/** A program uses more than one command: what the compiler learns from one alone would flatter. */
function useEveryShape(): void {
  for (let i = 0; i < BATCH; i++) {
    sink += BigInt(
      decodeRequest(encodeRequest("GET_UNIQUE_ID", undefined)).ok &&
        decodeRequest(encodeRequest("ECHO_BACK", new Uint8Array(i & 0xf))).ok &&
        decodeRequest(encodeRequest("START_FILE_DOWNLOAD", 1 + (i & 3))).ok &&
        decodeRequest(encodeRequest("SET_POWER_SAVE_MODE", "disabled")).ok &&
        decodeRequest(encodeRequest("TX_SENDIMMED", { channels: [{ channel: 1, type: "d", value: i / 3 }] })).ok
        ? 1
        : 0,
    );
  }
}

/** By the processor's time, which does not count what other programs take of it. */
function perSecond(batch: (from: number) => void): number {
  const start = performance.now();
  const before = process.cpuUsage();
  let done = 0;
  do {
    batch(done);
    done += BATCH;
  } while (performance.now() - start < ROUND_MS);
  const { user, system } = process.cpuUsage(before);
  return (done * 1_000_000) / (user + system);
}

function kitInts(from: number): void {
  let sum = 0;
  for (let i = from; i < from + BATCH; i++) {
    const decoded = decodeRequest(encodeRequest("TX_ENQUEUE", { channel: i & 0x7f, type: "i", value: i | 0 }));
    if (decoded.ok && decoded.name === "TX_ENQUEUE" && decoded.request.type === "i") sum += decoded.request.value;
  }
  sink += BigInt(sum);
}

function kitLongs(from: number): void {
  let sum = 0n;
  for (let i = from; i < from + BATCH; i++) {
    const decoded = decodeRequest(encodeRequest("TX_ENQUEUE", { channel: i & 0x7f, type: "l", value: longOf(i) }));
    if (decoded.ok && decoded.name === "TX_ENQUEUE" && decoded.request.type === "l") sum = decoded.request.value;
  }
  sink += sum;
}

function handInts(from: number): void {
  let sum = 0;
  for (let i = from; i < from + BATCH; i++) {
    const decoded = readByHand(writeInt(i & 0x7f, i | 0));
    if (decoded?.request.type === "i") sum += decoded.request.value;
  }
  sink += BigInt(sum);
}

function handLongs(from: number): void {
  let sum = 0n;
  for (let i = from; i < from + BATCH; i++) {
    const decoded = readByHand(writeLong(i & 0x7f, longOf(i)));
    if (decoded?.request.type === "l") sum = decoded.request.value;
  }
  sink += sum;
}

/** Beyond 2^53, as 64-bit values are that need to be exact. */
function longOf(i: number): bigint {
  return 0x0102_0304_0506_0708n + BigInt(i);
}

// By hand: what somebody writes who needs this one command. No range is checked.

const scratch = new DataView(new ArrayBuffer(8));
const scratchBytes = new Uint8Array(scratch.buffer);

function writeInt(channel: number, value: number): Uint8Array {
  const frame = new Uint8Array(SIZE + 3);
  frame[0] = TX_ENQUEUE;
  frame[1] = SIZE;
  frame[2] = channel;
  frame[3] = TYPE_I;
  frame[4] = value;
  frame[5] = value >> 8;
  frame[6] = value >> 16;
  frame[7] = value >> 24;
  frame[SIZE + 2] = xor(frame, SIZE + 2);
  return frame;
}

function writeLong(channel: number, value: bigint): Uint8Array {
  const frame = new Uint8Array(SIZE + 3);
  frame[0] = TX_ENQUEUE;
  frame[1] = SIZE;
  frame[2] = channel;
  frame[3] = TYPE_L;
  scratch.setBigInt64(0, value, true);
  frame.set(scratchBytes, 4);
  frame[SIZE + 2] = xor(frame, SIZE + 2);
  return frame;
}

interface HandDecoded {
  readonly ok: true;
  readonly name: "TX_ENQUEUE";
  readonly request: ChannelEntry;
}

function readByHand(frame: Uint8Array): HandDecoded | undefined {
  if (frame[0] !== TX_ENQUEUE || frame[1] !== frame.length - 3 || xor(frame, frame.length) !== 0) return undefined;
  const channel = byteAt(frame, 2);
  if (frame[3] === TYPE_I) {
    const value = byteAt(frame, 4) | (byteAt(frame, 5) << 8) | (byteAt(frame, 6) << 16) | (byteAt(frame, 7) << 24);
    return { ok: true, name: "TX_ENQUEUE", request: { channel, type: "i", value } };
  }
  if (frame[3] !== TYPE_L) return undefined;
  for (let i = 0; i < 8; i++) scratchBytes[i] = byteAt(frame, 4 + i);
  const value = scratch.getBigInt64(0, true);
  return { ok: true, name: "TX_ENQUEUE", request: { channel, type: "l", value } };
}

function byteAt(frame: Uint8Array, at: number): number {
  return frame[at] ?? 0;
}

function xor(frame: Uint8Array, to: number): number {
  let parity = 0;
  for (let i = 0; i < to; i++) parity ^= frame[i] ?? 0;
  return parity;
}
