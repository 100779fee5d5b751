/** The command line of `sakuraio tap`. */
import type { Command } from "commander";
import type { CliIo } from "./io.ts";
import { runVerb } from "./process-io.ts";
import type { TapOptions } from "./tap.ts";

export function registerTapVerb(program: Command, io: () => CliIo): void {
  program
    .command("tap")
    .summary("listen between an MCU and its module")
    .description(
      "Lies between an MCU and its module on a UART, until Ctrl+C: passes every byte, and shows the frames that go by.",
    )
    .requiredOption(
      "--mcu <EP>",
      "where the MCU is, or finds it: /dev/ttyUSB0[:BAUD], COM3, pty, pty:/path/of/link, tcp:HOST:PORT",
    )
    .requiredOption("--module <URI>", "where the module is: uart:/dev/ttyUSB1[?baud=N], uart:COM4, tcp:HOST:PORT")
    .option("--json", "one JSON object a line on stdout, for each frame", false)
    .addHelpText("after", EXAMPLE)
    .action((options: TapOptions) =>
      runVerb(options.json, io(), async (cli) => {
        const { tap } = await import("./tap.ts");
        return tap(options, cli);
      }),
    );
}

const EXAMPLE = `
Examples:
  sakuraio tap --mcu /dev/ttyUSB0 --module uart:/dev/ttyUSB1
  sakuraio tap --mcu pty:/tmp/sakura --module uart:/dev/ttyUSB0    a program opens /tmp/sakura and drives the module

  01:10:57.770  MCU → module  TX_ENQUEUE                20 0A 01 69 19 00 00 00 00 00 00 00 5B  {"channel":1,"type":"i","value":25}
  01:10:57.781  MCU ← module  OK                        01 00 01`;
