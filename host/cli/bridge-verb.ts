/** The command line of `sakuraio bridge`. */
import { type Command, Option } from "commander";
import type { BridgeOptions } from "./bridge.ts";
import type { CliIo } from "./io.ts";
import { logFormats, logLevels } from "./log.ts";
import { runVerb } from "./process-io.ts";

export function registerBridgeVerb(program: Command, io: () => CliIo): void {
  program
    .command("bridge")
    .summary("join modules to AWS IoT")
    .description(
      "Joins the modules of a configuration file to its AWS IoT services, until Ctrl+C. What is not there yet, a port " +
        "or a network, is tried again; a mistake in the file ends it at once.",
    )
    .requiredOption("--config <FILE>", "what to join, in YAML; paths in it are relative to it")
    .option("--panel <HOST:PORT>", "HTTP port for health, metrics and the API, instead of the file's http.listen")
    .option("--json", "one JSON object a line on stdout, for each event", false)
    .addOption(
      new Option("--log-format <FORMAT>", "of the log on stderr")
        .choices(logFormats)
        .default("text")
        .env("SAKURAIO_LOG_FORMAT"),
    )
    .addOption(
      new Option(
        "--log-level <LEVEL>",
        "the least that is logged; debug has a line for each message (default: info, debug in a terminal)",
      )
        .choices(logLevels)
        .env("SAKURAIO_LOG_LEVEL"),
    )
    .addHelpText("after", EXAMPLE)
    .action((options: BridgeOptions) =>
      runVerb(options.json, io(), async (cli) => {
        const { bridge } = await import("./bridge.ts");
        return bridge(options, cli);
      }),
    );
}

const EXAMPLE = `
Examples:
  sakuraio bridge --config bridge.yaml
  sakuraio bridge --config bridge.yaml --panel 127.0.0.1:8080 --log-format json

bridge.yaml:
  services:
    - name: plant-a
      type: aws-iot
      hostname: xxxxxxxx-ats.iot.ap-northeast-1.amazonaws.com
      publish_prefix: sakura/up
      subscribe_topic: sakura/down
      rootca_cert: certs/AmazonRootCA1.pem
      cert: certs/device.pem.crt
      private_key: certs/private.pem.key
  modules:
    - { id: u0123456789a, link: emulated, uart: "pty:/tmp/sakura" }`;
