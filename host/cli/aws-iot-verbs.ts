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
    .option("--limits <LIMITS>", "AWS's limits that are not to hold, or other numbers: NAME=off|on|N,…")
    .option("--faults <SPEC>", "what it does wrong on purpose; see below")
    .option("--json", "one JSON object a line on stdout; controls as JSON lines on stdin", false)
    .addHelpText(
      "after",
      `
Examples:
  sakuraio aws-iot serve --dir ./aws --port 8883
  sakuraio bridge --config ./aws/bridge.yaml        in another terminal
  sakuraio aws-iot serve --dir ./aws --limits publishRate=off --faults drop-after=50,delay=200

Limits, all on, with AWS's numbers: payload (131072 bytes), topicBytes (256), topicSlashes (7), clientId (128 bytes),
qos (1), subscribeTopics (8 a SUBSCRIBE), subscriptions (50 a connection), connectRate (1 a second for a client id),
publishRate (100 a second for a connection, in and out), accountRate (20000 a second), unacknowledged (100),
throughput (524288 bytes a second)

Faults: drop-after=N      each connection ends after it has sent N publishes, the last one without its PUBACK
        no-puback[=N]     no PUBACK, or every N-th one missing
        no-puback-for=MS  no PUBACK for so long from now
        no-suback         no answer to a SUBSCRIBE
        delay=MS          everything from the endpoint comes so much later

With --json, on stdin, each answered by {"event":"control","ok":true} or false with a reason:
  {"control":"attach-policy"}  {"control":"detach-policy"}
  {"control":"drop"}                                      every connection ends now
  {"control":"refuse","ms":5000}                          no CONNECT is answered for so long; with "tcp":true nothing listens
  {"control":"faults","value":"no-puback,delay=200"}      instead of those before; "" is none
  {"control":"limits","value":{"publishRate":false}}      false, true or a number, for those that are named`,
    )
    .action((options: AwsIotServeOptions) =>
      runVerb(options.json, io(), async (cli) => {
        const { serveAwsIot } = await import("./aws-iot-serve.ts");
        return serveAwsIot(options, cli);
      }),
    );
}
