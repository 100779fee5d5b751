/**
 * Programs that nobody here wrote, and that speak to a Bus Pirate, at the emulated one: Debian's flashrom and avrdude.
 * They look for a flash chip and an AVR, and find a module, which is neither; what is tested is the way there and back.
 */
import { spawn } from "node:child_process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Running } from "../../support/command.ts";

let emulator: Running;
let path: string;

beforeAll(async () => {
  emulator = new Running(["emulate", "--bus-pirate", "pty", "--json"]);
  const { endpoints } = await emulator.next("ready");
  path = (endpoints as { bus_pirate: string }).bus_pirate;
});
afterAll(async () => {
  expect((await emulator.stop()).code).toBe(0);
});

/** All that it prints, whatever it makes of what it found. Rejects where there is no such program. */
function printed(program: string, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], timeout: 40_000 });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        output += chunk;
      });
    }
    child.on("error", reject);
    child.on("close", () => resolve(output));
  });
}

it.each([
  ["at the speed that it likes best", "", /Serial speed is 2000000 baud/],
  ["at 115200", ",serialspeed=115200", /Using SPI command set v2/],
])("flashrom goes into SPI mode, asks the chip that it hopes for, and leaves, %s", async (_name, speed, says) => {
  const output = await printed("/usr/sbin/flashrom", "-p", `buspirate_spi:dev=${path},spispeed=250k${speed}`, "-V");
  expect(output).toMatch(says);
  expect(output).toContain("Raw bitbang mode version 1");
  expect(output).toContain("Raw SPI mode version 1");
  expect(output).toContain("No EEPROM/flash device found");
  expect(output).toContain("Bus Pirate shutdown completed");
});

it("avrdude goes into SPI mode, and back to the terminal", async () => {
  const output = await printed("/usr/bin/avrdude", "-c", "buspirate", "-p", "m328p", "-P", path, "-v");
  expect(output).toContain("BusPirate binmode version: 1");
  expect(output).toContain("BusPirate SPI version: 1");
  expect(output).toContain("BusPirate is back in text mode");
});
