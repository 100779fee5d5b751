/** The command line of `sakuraio replay`. */
import type { Command } from "commander";
import type { CliIo } from "./io.ts";
import { runVerb } from "./process-io.ts";
import type { ReplayVerbOptions } from "./replay.ts";

export function registerReplayVerb(program: Command, io: () => CliIo): void {
  program
    .command("replay")
    .summary("be the module of a recorded session")
    .description(
      "Plays a session that --record kept, as a module, until Ctrl+C: the same answers to the same requests, in the recorded order and time.",
    )
    .argument("<FILE>", "what --record has written")
    .option(
      "--uart <EP>",
      "where the driver finds it: pty, pty:/path/of/link, /dev/ttyUSB0[:BAUD], COM3, usb:VID:PID[:SERIAL][?baud=N], tcp:HOST:PORT (default: pty, unless there is a --bus-pirate)",
    )
    .option("--bus-pirate <EP>", "be a Bus Pirate there too, with the module on its I2C and SPI; as --uart")
    .option("--fast", "answer at once, instead of after the recorded time", false)
    .option("--strict", "exit 1 at the first request that does not fit the recording", false)
    .option("--trace", "show each request and answer on stderr", false)
    .option("--json", "one JSON object a line on stdout", false)
    .addHelpText("after", NOTES)
    .action((file: string, options: ReplayVerbOptions) =>
      runVerb(options.json, io(), async (cli) => {
        const { replay } = await import("./replay.ts");
        return replay(file, options, cli);
      }),
    );
}

const NOTES = `
Examples:
  sakuraio module --port uart:/dev/ttyUSB0 --record bug.ndjson status
  sakuraio replay bug.ndjson --uart pty:/tmp/sakura
  sakuraio replay bug.ndjson --uart tcp:127.0.0.1:7000 --fast --strict --json      for CI

A question may be asked more or less often than it was: more often, it gets its
last answer again. A request that was left out is told ("skipped"). An order
with other bytes, such as another value, gets the recorded answer and is told
("mismatch"); a request that was never recorded is answered MISSING and told.
Silences stay silences, noise and damaged answers stay what they were. On I2C
and SPI an answer is ready at once: when it is read is the master's to say.`;
