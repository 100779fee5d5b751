/** An emulated module on a desk: its clock stands still, its messages are kept, and it is asked in hex. */
import { VirtualClock } from "../../emulator/clock.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import type { EmulatedModuleOptions } from "../../emulator/state.ts";
import { MessageLog } from "../../emulator/uplink.ts";
import type { TimedChannel, UplinkMessage } from "../../protocol/message.ts";
import { bytes } from "../vectors/bytes.ts";

/** 2017-04-01T04:51:10.000Z, where the desk's clock stands at first. */
export const START = 1_491_022_270_000;

export interface Desk {
  readonly module: EmulatedModule;
  readonly clock: VirtualClock;
  readonly log: MessageLog;
  /** The answer to a frame, both in hex; nothing when the module is silent. */
  readonly ask: (request: string) => string | undefined;
}

export function desk(options: Omit<EmulatedModuleOptions, "clock"> = {}): Desk {
  const clock = new VirtualClock(START);
  const log = new MessageLog(clock);
  const module = new EmulatedModule({ uplink: log, ...options, clock });
  return { module, clock, log, ask: (request) => ask(module, request) };
}

export function ask(module: EmulatedModule, request: string): string | undefined {
  const answer = module.handle(bytes(request));
  return answer && hex(answer);
}

/** `01 0A FF` */
export function hex(data: Uint8Array): string {
  return [...data].map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ");
}

/** A frame for a loop, where literals would fill pages; its parity is worked out here, not by the code under test. */
export function framed(head: number, ...payload: readonly number[]): string {
  const frame = [head, payload.length, ...payload];
  return hex(
    Uint8Array.of(
      ...frame,
      frame.reduce((parity, byte) => parity ^ byte, 0),
    ),
  );
}

/** One int32 as a channel's ten bytes. */
export function int32(channel: number, value: number): number[] {
  return [channel, 0x69, value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff, 0, 0, 0, 0];
}

/** Puts `count` int32 values in the TX queue: `first`, `first + 1`, …, on channel 0. */
export function enqueueInts(at: Desk, count: number, first = 0): void {
  for (let value = first; value < first + count; value++) {
    const answer = at.ask(framed(0x20, ...int32(0, value)));
    if (answer !== "01 00 01") throw new Error(`TX_ENQUEUE of ${value} answered ${answer}`);
  }
}

/** The channels of each `channels` message. */
export function channelsOf(messages: readonly UplinkMessage[]): (readonly TimedChannel[])[] {
  return messages.flatMap((message) => (message.type === "channels" ? [message.payload.channels] : []));
}

/** The values of each `channels` message. */
export function valuesOf(messages: readonly UplinkMessage[]): unknown[][] {
  return channelsOf(messages).map((channels) => channels.map(({ value }) => value));
}
