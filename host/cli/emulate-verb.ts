/** The command line of `sakuraio emulate`. */
import type { Command } from "commander";
import { choices, defaultIdentity } from "../../emulator/choices.ts";
import type { EmulateOptions } from "./emulate.ts";
import type { CliIo } from "./io.ts";
import { integer } from "./options.ts";
import { runVerb } from "./process-io.ts";

const HOUR = 3_600_000;

export function registerEmulateVerb(program: Command, io: () => CliIo): void {
  program
    .command("emulate")
    .summary("be a module, for a driver or a firmware")
    .description(
      "An emulated sakura.io module on a UART, or on I2C and SPI behind a Bus Pirate, until Ctrl+C. It answers as the real one does.",
    )
    .option(
      "--uart <EP>",
      "where the driver finds it: pty, pty:/path/of/link, /dev/ttyUSB0[:BAUD], COM3, tcp:HOST:PORT (default: pty, unless there is a --bus-pirate)",
    )
    .option("--bus-pirate <EP>", "be a Bus Pirate there too, with the module on its I2C and SPI; as --uart")
    .option(
      "--ready-after <MS>",
      `how long an answer takes on I2C and SPI (default: ${choices.busReadyMs})`,
      integer(0, HOUR),
    )
    .option("--id <ID>", `the platform's module id (default: ${defaultIdentity.id})`)
    .option("--unique-id <ID>", `the id printed on the module, 10 characters (default: ${defaultIdentity.uniqueId})`)
    .option("--firmware <VERSION>", `(default: ${defaultIdentity.firmware})`)
    .option("--product <N>", "1 SCM-LTE-BETA, 2 SCM-LTE-01, 3 Rev.B (default: 2)", integer(0, 65535))
    .option("--tx-queue <N>", `places of the TX queue (default: ${choices.queueCapacity})`, integer(1, 255))
    .option("--rx-queue <N>", `places of the RX queue (default: ${choices.queueCapacity})`, integer(1, 255))
    .option("--offline", "begin without a network", false)
    .option("--signal <N>", "signal, 0 to 5 (default: 5)", integer(0, 5))
    .option("--files <DIR>", "files to download: DIR/1 to DIR/5, with any extension")
    .option("--send-time <MS>", `how long a send takes (default: ${choices.sendTimeMs})`, integer(0, HOUR))
    .option("--boot-time <MS>", `how long a reset takes (default: ${choices.bootTimeMs})`, integer(0, HOUR))
    .option("--file-delay <MS>", `how long a file's metadata takes (default: ${choices.fileDelayMs})`, integer(0, HOUR))
    .option("--clock <TIME>", "the module's clock at the start, such as 2018-06-21T01:10:57Z (default: now)")
    .option(
      "--update-result <RESULT>",
      "how a firmware update ends: ok, already-up-to-date, version-check-failed, download-failed, verification-failed",
    )
    .option("--update-version <VERSION>", "the version after an update that ends ok")
    .option("--update-time <MS>", `how long an update takes (default: ${choices.updateTimeMs})`, integer(0, HOUR))
    .option("--update-silent", "answer nothing while an update runs", false)
    .option("--faults <SPEC>", "flip=P,drop=P,busy=P,delay=MS,seed=N: P a probability per byte or per command")
    .option("--trace", "print each request and answer on stderr", false)
    .option("--json", "one JSON object a line on stdout; downlinks and controls as JSON lines on stdin", false)
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
