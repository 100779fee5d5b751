/**
 * Every channel type at its ends, as literal frames: TX_ENQUEUE on channel 127 without an offset, and the answer to
 * RX_DEQUEUE on channel 0 with the offset -1. Worked out apart from the code under test; `source` is a row of
 * module-protocol §2, Channel values.
 */
import type { ChannelValue } from "../../protocol/index.ts";
import { bytes } from "./bytes.ts";

export interface ChannelVector {
  readonly source: string;
  readonly value: ChannelValue;
  readonly enqueue: string;
  readonly dequeued: string;
  /** Only reading gives the value: it is written as something else. */
  readonly oneWay?: true;
}

export const channelVectors: readonly ChannelVector[] = [
  {
    source: "module-protocol §2, Channel values, i: int32_t, the least",
    value: { type: "i", value: -2_147_483_648 },
    enqueue: "20 0A 7F 69 00 00 00 80 00 00 00 00 BC",
    dequeued: "01 12 00 69 00 00 00 80 00 00 00 00 FF FF FF FF FF FF FF FF FA",
  },
  {
    source: "module-protocol §2, Channel values, i: int32_t",
    value: { type: "i", value: -1 },
    enqueue: "20 0A 7F 69 FF FF FF FF 00 00 00 00 3C",
    dequeued: "01 12 00 69 FF FF FF FF 00 00 00 00 FF FF FF FF FF FF FF FF 7A",
  },
  {
    source: "module-protocol §2, Channel values, i: int32_t",
    value: { type: "i", value: 0 },
    enqueue: "20 0A 7F 69 00 00 00 00 00 00 00 00 3C",
    dequeued: "01 12 00 69 00 00 00 00 00 00 00 00 FF FF FF FF FF FF FF FF 7A",
  },
  {
    source: "module-protocol §2, Channel values, i: int32_t, the greatest",
    value: { type: "i", value: 2_147_483_647 },
    enqueue: "20 0A 7F 69 FF FF FF 7F 00 00 00 00 BC",
    dequeued: "01 12 00 69 FF FF FF 7F 00 00 00 00 FF FF FF FF FF FF FF FF FA",
  },
  {
    source: "module-protocol §2, Channel values, I: uint32_t, the least",
    value: { type: "I", value: 0 },
    enqueue: "20 0A 7F 49 00 00 00 00 00 00 00 00 1C",
    dequeued: "01 12 00 49 00 00 00 00 00 00 00 00 FF FF FF FF FF FF FF FF 5A",
  },
  {
    source: "module-protocol §2, Channel values, I: uint32_t, past int32_t",
    value: { type: "I", value: 2_147_483_648 },
    enqueue: "20 0A 7F 49 00 00 00 80 00 00 00 00 9C",
    dequeued: "01 12 00 49 00 00 00 80 00 00 00 00 FF FF FF FF FF FF FF FF DA",
  },
  {
    source: "module-protocol §2, Channel values, I: uint32_t, the greatest",
    value: { type: "I", value: 4_294_967_295 },
    enqueue: "20 0A 7F 49 FF FF FF FF 00 00 00 00 1C",
    dequeued: "01 12 00 49 FF FF FF FF 00 00 00 00 FF FF FF FF FF FF FF FF 5A",
  },
  {
    source: "module-protocol §2, Channel values, l: int64_t, the least",
    value: { type: "l", value: -9_223_372_036_854_775_808n },
    enqueue: "20 0A 7F 6C 00 00 00 00 00 00 00 80 B9",
    dequeued: "01 12 00 6C 00 00 00 00 00 00 00 80 FF FF FF FF FF FF FF FF FF",
  },
  {
    source: "module-protocol §2, Channel values, l: int64_t",
    value: { type: "l", value: -1n },
    enqueue: "20 0A 7F 6C FF FF FF FF FF FF FF FF 39",
    dequeued: "01 12 00 6C FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF 7F",
  },
  {
    source: "module-protocol §2, Channel values, l: int64_t, past what a double holds",
    value: { type: "l", value: 9_007_199_254_740_993n },
    enqueue: "20 0A 7F 6C 01 00 00 00 00 00 20 00 18",
    dequeued: "01 12 00 6C 01 00 00 00 00 00 20 00 FF FF FF FF FF FF FF FF 5E",
  },
  {
    source: "module-protocol §2, Channel values, l: int64_t, the greatest",
    value: { type: "l", value: 9_223_372_036_854_775_807n },
    enqueue: "20 0A 7F 6C FF FF FF FF FF FF FF 7F B9",
    dequeued: "01 12 00 6C FF FF FF FF FF FF FF 7F FF FF FF FF FF FF FF FF FF",
  },
  {
    source: "module-protocol §2, Channel values, L: uint64_t, the least",
    value: { type: "L", value: 0n },
    enqueue: "20 0A 7F 4C 00 00 00 00 00 00 00 00 19",
    dequeued: "01 12 00 4C 00 00 00 00 00 00 00 00 FF FF FF FF FF FF FF FF 5F",
  },
  {
    source: "module-protocol §2, Channel values, L: uint64_t, past int64_t",
    value: { type: "L", value: 9_223_372_036_854_775_808n },
    enqueue: "20 0A 7F 4C 00 00 00 00 00 00 00 80 99",
    dequeued: "01 12 00 4C 00 00 00 00 00 00 00 80 FF FF FF FF FF FF FF FF DF",
  },
  {
    source: "module-protocol §2, Channel values, L: uint64_t, the greatest",
    value: { type: "L", value: 18_446_744_073_709_551_615n },
    enqueue: "20 0A 7F 4C FF FF FF FF FF FF FF FF 19",
    dequeued: "01 12 00 4C FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF 5F",
  },
  {
    source: "module-protocol §2, Channel values, f: float, the greatest",
    value: { type: "f", value: 3.4028234663852886e38 },
    enqueue: "20 0A 7F 66 FF FF 7F 7F 00 00 00 00 33",
    dequeued: "01 12 00 66 FF FF 7F 7F 00 00 00 00 FF FF FF FF FF FF FF FF 75",
  },
  {
    source: "module-protocol §2, Channel values, f: float, the least",
    value: { type: "f", value: -3.4028234663852886e38 },
    enqueue: "20 0A 7F 66 FF FF 7F FF 00 00 00 00 B3",
    dequeued: "01 12 00 66 FF FF 7F FF 00 00 00 00 FF FF FF FF FF FF FF FF F5",
  },
  {
    source: "module-protocol §2, Channel values, f: float, the smallest above zero",
    value: { type: "f", value: 1.401298464324817e-45 },
    enqueue: "20 0A 7F 66 01 00 00 00 00 00 00 00 32",
    dequeued: "01 12 00 66 01 00 00 00 00 00 00 00 FF FF FF FF FF FF FF FF 74",
  },
  {
    source: "module-protocol §2, Channel values, f: float, the nearest to 0.001",
    value: { type: "f", value: 0.0010000000474974513 },
    enqueue: "20 0A 7F 66 6F 12 83 3A 00 00 00 00 F7",
    dequeued: "01 12 00 66 6F 12 83 3A 00 00 00 00 FF FF FF FF FF FF FF FF B1",
  },
  {
    source: "module-protocol §2, Channel values, f: float, minus zero",
    value: { type: "f", value: -0 },
    enqueue: "20 0A 7F 66 00 00 00 80 00 00 00 00 B3",
    dequeued: "01 12 00 66 00 00 00 80 00 00 00 00 FF FF FF FF FF FF FF FF F5",
  },
  {
    source: "module-protocol §2, Channel values, f: float, infinity",
    value: { type: "f", value: Number.POSITIVE_INFINITY },
    enqueue: "20 0A 7F 66 00 00 80 7F 00 00 00 00 CC",
    dequeued: "01 12 00 66 00 00 80 7F 00 00 00 00 FF FF FF FF FF FF FF FF 8A",
  },
  {
    source: "module-protocol §2, Channel values, f: float, minus infinity",
    value: { type: "f", value: Number.NEGATIVE_INFINITY },
    enqueue: "20 0A 7F 66 00 00 80 FF 00 00 00 00 4C",
    dequeued: "01 12 00 66 00 00 80 FF 00 00 00 00 FF FF FF FF FF FF FF FF 0A",
  },
  {
    source: "module-protocol §2, Channel values, d: double, the greatest",
    value: { type: "d", value: Number.MAX_VALUE },
    enqueue: "20 0A 7F 64 FF FF FF FF FF FF EF 7F A1",
    dequeued: "01 12 00 64 FF FF FF FF FF FF EF 7F FF FF FF FF FF FF FF FF E7",
  },
  {
    source: "module-protocol §2, Channel values, d: double, the least",
    value: { type: "d", value: -Number.MAX_VALUE },
    enqueue: "20 0A 7F 64 FF FF FF FF FF FF EF FF 21",
    dequeued: "01 12 00 64 FF FF FF FF FF FF EF FF FF FF FF FF FF FF FF FF 67",
  },
  {
    source: "module-protocol §2, Channel values, d: double, the smallest above zero",
    value: { type: "d", value: Number.MIN_VALUE },
    enqueue: "20 0A 7F 64 01 00 00 00 00 00 00 00 30",
    dequeued: "01 12 00 64 01 00 00 00 00 00 00 00 FF FF FF FF FF FF FF FF 76",
  },
  {
    source: "module-protocol §2, Channel values, d: double",
    value: { type: "d", value: 0.1 },
    enqueue: "20 0A 7F 64 9A 99 99 99 99 99 B9 3F B4",
    dequeued: "01 12 00 64 9A 99 99 99 99 99 B9 3F FF FF FF FF FF FF FF FF F2",
  },
  {
    source: "module-protocol §2, Channel values, d: double, minus zero",
    value: { type: "d", value: -0 },
    enqueue: "20 0A 7F 64 00 00 00 00 00 00 00 80 B1",
    dequeued: "01 12 00 64 00 00 00 00 00 00 00 80 FF FF FF FF FF FF FF FF F7",
  },
  {
    source: "module-protocol §2, Channel values, d: double, infinity",
    value: { type: "d", value: Number.POSITIVE_INFINITY },
    enqueue: "20 0A 7F 64 00 00 00 00 00 00 F0 7F BE",
    dequeued: "01 12 00 64 00 00 00 00 00 00 F0 7F FF FF FF FF FF FF FF FF F8",
  },
  {
    source: "module-protocol §2, Channel values, d: double, minus infinity",
    value: { type: "d", value: Number.NEGATIVE_INFINITY },
    enqueue: "20 0A 7F 64 00 00 00 00 00 00 F0 FF 3E",
    dequeued: "01 12 00 64 00 00 00 00 00 00 F0 FF FF FF FF FF FF FF FF FF 78",
  },
  {
    source: "module-protocol §2, Channel values, b: byte[8]",
    value: { type: "b", value: bytes("00 00 00 00 00 00 00 00") },
    enqueue: "20 0A 7F 62 00 00 00 00 00 00 00 00 37",
    dequeued: "01 12 00 62 00 00 00 00 00 00 00 00 FF FF FF FF FF FF FF FF 71",
  },
  {
    source: "module-protocol §2, Channel values, b: byte[8]",
    value: { type: "b", value: bytes("0F 1E 2D 3C 4B 5C 6B 7A") },
    enqueue: "20 0A 7F 62 0F 1E 2D 3C 4B 5C 6B 7A 31",
    dequeued: "01 12 00 62 0F 1E 2D 3C 4B 5C 6B 7A FF FF FF FF FF FF FF FF 77",
  },
  {
    source: "module-protocol §2, Channel values, b: byte[8]",
    value: { type: "b", value: bytes("FF FF FF FF FF FF FF FF") },
    enqueue: "20 0A 7F 62 FF FF FF FF FF FF FF FF 37",
    dequeued: "01 12 00 62 FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF 71",
  },
  {
    source: "module-protocol §2, padding that is not zero is ignored",
    value: { type: "i", value: 12_345 },
    enqueue: "20 0A 7F 69 39 30 00 00 FF FF FF FF 35",
    dequeued: "01 12 00 69 39 30 00 00 FF FF FF FF FF FF FF FF FF FF FF FF 73",
    oneWay: true,
  },
  {
    source: "module-protocol §2, padding that is not zero is ignored",
    value: { type: "I", value: 12_345 },
    enqueue: "20 0A 7F 49 39 30 00 00 01 02 03 04 11",
    dequeued: "01 12 00 49 39 30 00 00 01 02 03 04 FF FF FF FF FF FF FF FF 57",
    oneWay: true,
  },
  {
    source: "module-protocol §2, padding that is not zero is ignored",
    value: { type: "f", value: 1.5 },
    enqueue: "20 0A 7F 66 00 00 C0 3F FF FF FF FF CC",
    dequeued: "01 12 00 66 00 00 C0 3F FF FF FF FF FF FF FF FF FF FF FF FF 8A",
    oneWay: true,
  },
  {
    source:
      "module-protocol §2, Channel values, f: float, a NaN (which of its many bit patterns is written is left open)",
    value: { type: "f", value: Number.NaN },
    enqueue: "20 0A 7F 66 00 00 C0 7F 00 00 00 00 8C",
    dequeued: "01 12 00 66 00 00 C0 7F 00 00 00 00 FF FF FF FF FF FF FF FF CA",
    oneWay: true,
  },
  {
    source:
      "module-protocol §2, Channel values, d: double, a NaN (which of its many bit patterns is written is left open)",
    value: { type: "d", value: Number.NaN },
    enqueue: "20 0A 7F 64 00 00 00 00 00 00 F8 7F B6",
    dequeued: "01 12 00 64 00 00 00 00 00 00 F8 7F FF FF FF FF FF FF FF FF F0",
    oneWay: true,
  },
];
