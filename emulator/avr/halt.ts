/** A firmware that cannot run on, as an error for people and programs. */
import { SakuraError } from "../../protocol/errors.ts";
import type { Halt } from "./board.ts";

/** `FIRMWARE_FAILED`, its text one line; context.kind is the halt's. */
export function haltError(halt: Halt, seconds: number): SakuraError {
  return new SakuraError(
    "FIRMWARE_FAILED",
    `${sayHalt(halt)} (after ${Number(seconds.toFixed(6))} simulated seconds)`,
    {
      context: { kind: halt.kind, seconds },
    },
  );
}

function sayHalt(halt: Halt): string {
  switch (halt.kind) {
    case "erased-flash":
      return `the firmware ran away: it ran into erased flash at ${hex(halt.address)}`;
    case "lost":
      return "the firmware ran away: the program counter left the flash, as after a return from a broken stack";
    case "stack":
      return `the firmware ran away: its stack pointer left SRAM, which is 0x0100 to 0x08FF: an overflow, or a broken return; it is ${hex(halt.pointer)}`;
    case "restarts":
      return `the firmware ran away: it came back to address 0 for the ${halt.times}th time without a reset, as an interrupt without a handler does`;
    case "watchdog":
      return "the watchdog reset the firmware; what follows a watchdog reset is not simulated";
  }
}

function hex(value: number): string {
  return `0x${value.toString(16).toUpperCase().padStart(4, "0")}`;
}
