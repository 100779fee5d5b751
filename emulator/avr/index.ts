/** Firmware in the loop: a real ATmega328P program, simulated, with an emulated module on its bus. */
export { type FlashImage, parseIntelHex } from "./intel-hex.ts";
export type { Note, NoteKind } from "./notes.ts";
export type { PinLevel } from "./pins.ts";
export { type Firmware, type RunFirmwareOptions, runFirmware, type WaitOptions } from "./run-firmware.ts";
export type { Bus } from "./simulation.ts";
