/** The case programs of test/firmware/cases on the simulated board. */
import { fileURLToPath } from "node:url";
import { type Firmware, type RunFirmwareOptions, runFirmware } from "../../emulator/avr/index.ts";
import { START } from "./desk.ts";

/** The path of a case's .hex. */
export function caseHex(name: string): string {
  return fileURLToPath(new URL(`../firmware/cases/${name}.hex`, import.meta.url));
}

/** Runs a case, on I2C unless told otherwise, from a fixed time. */
export function runCase(name: string, options: Partial<RunFirmwareOptions> = {}): Promise<Firmware> {
  return runFirmware(caseHex(name), { bus: "i2c", startTime: START, ...options });
}
