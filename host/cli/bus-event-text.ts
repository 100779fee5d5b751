/** What went by on an emulated Bus Pirate's buses, in words. */

import type { BusPirateEvent } from "../../emulator/bus/bus-pirate.ts";
import { hexByte } from "../../protocol/hex.ts";

export function busEventText(event: BusPirateEvent): string {
  switch (event.kind) {
    case "no-frame":
      return `${count(event.bytes)} written that are no whole frame: the next answer is 04 00 04`;
    case "surplus":
      return `${count(event.bytes)} written behind the frame, ignored`;
    case "nothing-asked":
      return "read before anything was asked";
    case "too-early":
      return "the answer was read before it was ready";
    case "cut-short":
      return `chip select went high after ${count(event.bytes)} of a request: not carried out`;
    case "not-selected":
      return "clocked while chip select was high";
    case "unknown-command":
      return `not a Bus Pirate's command in ${event.mode} mode, answered 00: ${hexByte(event.byte)}`;
    case "too-long":
      return `write-then-read of ${event.writeCount} and ${event.readCount} bytes, answered 00: 4096 is the most`;
  }
}

function count(bytes: number): string {
  return `${bytes} byte${bytes === 1 ? "" : "s"}`;
}
