/** The options of every verb that runs an emulated module. */
import type { Command } from "commander";
import { choices, defaultIdentity } from "../../emulator/choices.ts";
import { integer } from "./options.ts";

const HOUR = 3_600_000;

export function addModuleFlags(command: Command): Command {
  return command
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
    .option(
      "--ready-after <MS>",
      `how long an answer takes on I2C and SPI (default: ${choices.busReadyMs})`,
      integer(0, 60_000),
    )
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
    .option("--json", "one JSON object a line on stdout; downlinks and controls as JSON lines on stdin", false);
}
