/** Builds a sketch for the Uno with Debian's Arduino core (arduino-core-avr) and avr-gcc, as the Arduino IDE does. */
import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const AVR = "/usr/share/arduino/hardware/arduino/avr";
const CORE = join(AVR, "cores/arduino");
const WIRE = join(AVR, "libraries/Wire/src");
const SPI = join(AVR, "libraries/SPI/src");

function sources(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /\.(c|cpp|S)$/.test(name))
    .map((name) => join(folder, name));
}

/**
 * Returns the path of the .hex, which is written into `into`; headers are looked for there too. A missing compiler or
 * core is an error.
 * @param sketch the path of its source, unless it is one of test/firmware/arduino
 */
export function buildSketch(
  name: string,
  into: string,
  sketch = fileURLToPath(new URL(`../firmware/arduino/${name}.ino`, import.meta.url)),
): string {
  const elf = join(into, `${name}.elf`);
  const hex = join(into, `${name}.hex`);
  const includes = [into, CORE, join(AVR, "variants/standard"), WIRE, SPI].map((folder) => `-I${folder}`);
  // What the IDE makes of a sketch whose functions are declared before they are used.
  const main = join(into, `${name}.cpp`);
  writeFileSync(main, `#include <Arduino.h>\n#include ${JSON.stringify(sketch)}\n`);
  execFileSync(
    "avr-gcc",
    [
      ...[
        "-mmcu=atmega328p",
        "-DF_CPU=16000000L",
        "-DARDUINO=10819",
        "-DARDUINO_AVR_UNO",
        "-DARDUINO_ARCH_AVR",
        "-std=gnu++11",
      ],
      // Debian's compiler is older than the IDE's, and its float.h keeps this from C++.
      "-DDECIMAL_DIG=__DECIMAL_DIG__",
      ...["-Os", "-flto", "-w", "-ffunction-sections", "-fdata-sections", "-fno-exceptions", "-fpermissive"],
      ...["-fno-threadsafe-statics", "-Wl,--gc-sections", ...includes, "-o", elf],
      ...[main, ...sources(CORE), ...sources(WIRE), ...sources(join(WIRE, "utility")), ...sources(SPI)],
    ],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  execFileSync("avr-objcopy", ["-O", "ihex", "-R", ".eeprom", elf, hex], { stdio: ["ignore", "inherit", "inherit"] });
  return hex;
}
