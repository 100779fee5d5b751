/** The command line of `sakuraio bridge`. */
import type { Command } from "commander";
import type { BridgeOptions } from "./bridge.ts";
import type { CliIo } from "./io.ts";
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
    .option("--json", "one JSON object a line on stdout, for each event", false)
    .addHelpText("after", EXAMPLE)
    .action((options: BridgeOptions) =>
      runVerb(options.json, io(), async (cli) => {
        const { bridge } = await import("./bridge.ts");
        return bridge(options, cli);
      }),
    );
}

const EXAMPLE = `
Example:
  sakuraio bridge --config bridge.yaml

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
