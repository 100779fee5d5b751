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
      "where the MCU is, or finds it: /dev/ttyUSB0[:BAUD], COM3, usb:VID:PID[:SERIAL][?baud=N], pty, " +
        "pty:/path/of/link, tcp:HOST:PORT",
    )
    .requiredOption(
      "--module <URI>",
      "where the module is: uart:/dev/ttyUSB1[?baud=N], uart:COM4, uart:usb:VID:PID[:SERIAL][?baud=N], tcp:HOST:PORT",
    )
    .option("--record <FILE>", "keep each frame in this new file, for sakuraio replay; the values too")
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

  01:10:57.770 → TX_ENQUEUE                  20 0A 01 69 19 00 00 00 00 00 00 00 5B  1:i=25
  01:10:57.781 ← OK  11.0 ms                 01 00 01

Times are UTC. On a terminal a line is cut to its width, and coloured unless
NO_COLOR is set or TERM is dumb.`;
