/** The command line of `sakuraio aws-iot`. */
import type { Command } from "commander";
import type { AwsIotServeOptions } from "./aws-iot-serve.ts";
import type { CliIo } from "./io.ts";
import { integer } from "./options.ts";
import { runVerb } from "./process-io.ts";

export function registerAwsIotVerbs(program: Command, io: () => CliIo): void {
  const awsIot = program.command("aws-iot").summary("the AWS IoT side: an endpoint to try against");
  awsIot
    .command("serve")
    .summary("an MQTT endpoint that refuses as AWS IoT Core does")
    .description(
      "An MQTT endpoint on this machine that refuses as AWS IoT Core does, until Ctrl+C. Writes a throwaway CA, " +
        "certificates, keys and a bridge's file into DIR, ready to use.",
    )
    .requiredOption("--dir <DIR>", "where the certificates and bridge.yaml go")
    .option("--port <N>", "0 takes a free one", integer(0, 65535), 8883)
    .option("--no-policy", "begin with no policy attached to the bridge's certificate")
    .option("--json", "one JSON object a line on stdout; controls as JSON lines on stdin", false)
    .addHelpText(
      "after",
      `
Examples:
  sakuraio aws-iot serve --dir ./aws --port 8883
  sakuraio bridge --config ./aws/bridge.yaml        in another terminal

With --json, on stdin: {"control":"attach-policy"}  {"control":"detach-policy"}`,
    )
    .action((options: AwsIotServeOptions) =>
      runVerb(options.json, io(), async (cli) => {
        const { serveAwsIot } = await import("./aws-iot-serve.ts");
        return serveAwsIot(options, cli);
      }),
    );
}
