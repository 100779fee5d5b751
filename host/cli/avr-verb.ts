/** The command line of `sakuraio avr`. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { AvrRunOptions } from "./avr.ts";
import { addModuleFlags } from "./emulated-module-flags.ts";
import type { CliIo } from "./io.ts";
import { integer } from "./options.ts";
import { runVerb } from "./process-io.ts";

export function registerAvrVerb(program: Command, io: () => CliIo): void {
  const avr = program.command("avr").summary("firmware in the loop: a simulated Arduino Uno with a module on its bus");
  const run = avr
    .command("run")
    .summary("run a .hex for the ATmega328P")
    .description(
      "Runs firmware for an ATmega328P at 16 MHz, as on an Arduino Uno, with an emulated module on its bus, in simulated " +
        "time. The firmware's serial output and the module's messages appear on stdout.",
    )
    .argument("<FILE.hex>", "Intel HEX, as avr-gcc and the Arduino IDE write it")
    .addOption(
      new Option("--bus <BUS>", "where the module hangs: on the TWI at 0x4F, on the SPI, or on the USART")
        .choices(["i2c", "spi", "uart"])
        .makeOptionMandatory(),
    )
    .option("--cs <PIN>", "chip select, for --bus spi (default: D10)")
    .option(
      "--serial <EP>",
      "the firmware's USART, both ways: pty, pty:/path/of/link, /dev/ttyUSB0[:BAUD], usb:VID:PID[:SERIAL], tcp:HOST:PORT (default: stdout)",
    )
    .option("--watch <PIN>", "tell of each change of this pin, such as D13; may be given again", collect)
    .option("--until-messages <N>", "stop after N messages of the module, exit 0", integer(1, 1_000_000))
    .option(
      "--max-time <SECONDS>",
      "stop after so many simulated seconds (default: 60 with --until-messages, else none)",
      positive,
    )
    .option("--real-time", "not faster than the real thing (default: as fast as this machine can)", false);
  addModuleFlags(run)
    .addHelpText("after", EXAMPLE)
    .action((file: string, options: AvrRunOptions) =>
      runVerb(options.json, io(), async (cli) => {
        const { avrRun } = await import("./avr.ts");
        return avrRun(file, options, cli);
      }),
    );
}

function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError("It is a number of seconds above 0, such as 2.5.");
  return value;
}

const EXAMPLE = `
Examples:
  sakuraio avr run sketch.hex --bus i2c
  sakuraio avr run sketch.hex --bus spi --cs D9 --watch D13 --trace
  sakuraio avr run sketch.hex --bus i2c --until-messages 3 --max-time 30 --json      for CI
  sakuraio avr run sketch.hex --bus i2c --real-time --serial pty:/tmp/uno            a terminal at /tmp/uno

Exit code: 0 when the messages came, at --max-time where none were asked for, and on Ctrl+C; 1 when --max-time came
first or the firmware ran away; 2 for a .hex that is none. On stdin, as for sakuraio emulate.`;
