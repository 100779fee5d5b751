/** The command line of `sakuraio emulate`. */
import type { Command } from "commander";
import { defaultIdentity } from "../../emulator/choices.ts";
import type { EmulateOptions } from "./emulate.ts";
import { addModuleFlags } from "./emulated-module-flags.ts";
import type { CliIo } from "./io.ts";
import { runVerb } from "./process-io.ts";

export function registerEmulateVerb(program: Command, io: () => CliIo): void {
  const command = program
    .command("emulate")
    .summary("be a module, for a driver or a firmware")
    .description(
      "An emulated sakura.io module on a UART, or on I2C and SPI behind a Bus Pirate, until Ctrl+C. It answers as the real one does.",
    )
    .option(
      "--uart <EP>",
      "where the driver finds it: pty, pty:/path/of/link, /dev/ttyUSB0[:BAUD], COM3, usb:VID:PID[:SERIAL][?baud=N], tcp:HOST:PORT (default: pty, unless there is a --bus-pirate)",
    )
    .option("--bus-pirate <EP>", "be a Bus Pirate there too, with the module on its I2C and SPI; as --uart");
  addModuleFlags(command)
    .addHelpText("after", EXAMPLE)
    .action((options: EmulateOptions) =>
      runVerb(options.json, io(), async (cli) => {
        const { emulate } = await import("./emulate.ts");
        return emulate(options, cli);
      }),
    );
}

const EXAMPLE = `
Examples:
  sakuraio emulate --uart pty:/tmp/sakura
  sakuraio emulate --uart tcp:127.0.0.1:7000 --faults flip=0.005,seed=7 --trace
  sakuraio emulate --bus-pirate pty:/tmp/buspirate --ready-after 10
  sakuraio emulate --uart /dev/ttyUSB0 --id u0123456789ab --json

On stdin, a JSON object a line:
  {"type":"channels","module":"${defaultIdentity.id}","payload":{"channels":[{"channel":1,"type":"i","value":42}]}}
  {"control":"offline"}  {"control":"online"}  {"control":"signal","value":3}  {"control":"reset"}
  {"control":"faults","value":"busy=0.2"}  {"control":"adc","pin":1,"value":512}  {"control":"send-time","value":0}
  {"control":"location","value":{"latitude":35.69,"longitude":139.69,"range_m":0}}`;
