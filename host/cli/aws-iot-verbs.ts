/** The command line of `sakuraio aws-iot`. */
import type { Command } from "commander";
import type { AwsIotSetupOptions } from "./aws-iot/setup-plan.ts";
import type { AwsIotCheckOptions } from "./aws-iot-check.ts";
import type { AwsIotPolicyOptions } from "./aws-iot-policy.ts";
import type { AwsIotServeOptions } from "./aws-iot-serve.ts";
import type { CliIo } from "./io.ts";
import { integer } from "./options.ts";
import { runVerb } from "./process-io.ts";

export function registerAwsIotVerbs(program: Command, io: () => CliIo): void {
  const awsIot = program
    .command("aws-iot")
    .summary("the AWS IoT side: set it up, check it, or try against an emulated one");
  registerServe(awsIot, io);
  registerPolicy(awsIot, io);
  registerSetup(awsIot, io);
  registerCheck(awsIot, io);
}

function registerServe(awsIot: Command, io: () => CliIo): void {
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

function registerPolicy(awsIot: Command, io: () => CliIo): void {
  awsIot
    .command("policy")
    .summary("the policy that a service's certificate needs")
    .description(
      "Prints the least-privilege policy of a service: to connect as its client ids, to publish below its prefix, and " +
        "to receive from its subscribe topic. Nothing is sent anywhere.",
    )
    .requiredOption("--config <FILE>", "the bridge's file; its certificates need not be there yet")
    .option("--service <NAME>", "which service, where the file has several")
    .option("--region <REGION>", "default the one in hostname")
    .option("--account <ID>", "twelve digits; default the placeholder ACCOUNT_ID")
    .option("--json", "one JSON object in one line", false)
    .addHelpText(
      "after",
      `
Example:
  sakuraio aws-iot policy --config bridge.yaml --account 123456789012 > policy.json
  aws iot create-policy --policy-name plant-a-bridge --policy-document file://policy.json

A service without client_id has one made, and kept in client-ids.json in the outbox's directory: the policy names it.`,
    )
    .action((options: AwsIotPolicyOptions) =>
      runVerb(options.json, io(), async (cli) => {
        const { awsIotPolicy } = await import("./aws-iot-policy.ts");
        return awsIotPolicy(options, cli);
      }),
    );
}

function registerSetup(awsIot: Command, io: () => CliIo): void {
  awsIot
    .command("setup")
    .summary("make thing, certificate and policy at AWS, and the service in the file")
    .description(
      "Makes a key and a certificate signing request on this machine; the key stays here. Prints the AWS CLI commands " +
        "for thing, certificate, policy and endpoint, or runs them with --run; then writes the service into the file, " +
        "which is made when it is not there. It may be run again: what is there is used again.",
    )
    .requiredOption("--config <FILE>", "the bridge's file")
    .requiredOption("--name <SERVICE>", "what the service is called")
    .requiredOption("--publish-prefix <PREFIX>", "messages go to PREFIX/MODULE_ID")
    .requiredOption("--subscribe-topic <TOPIC>", "messages for modules come from here")
    .option("--thing <NAME>", "the thing, and the client id; default from the service's name")
    .option("--dir <DIR>", "where key and certificates go; default certs beside the file")
    .option("--region <REGION>", "default the AWS CLI's")
    .option("--hostname <ENDPOINT>", "after the commands were run by hand: writes the service into the file")
    .option("--run", "run the AWS CLI (version 2, logged in)", false)
    .option("--json", "one JSON object a line on stdout", false)
    .addHelpText(
      "after",
      `
Example:
  sakuraio aws-iot setup --config bridge.yaml --name plant-a --publish-prefix sakura/up --subscribe-topic sakura/down --run
  sakuraio aws-iot check --config bridge.yaml

Makes in DIR: NAME.private.pem.key (mode 0600), NAME.csr, NAME.pem.crt, NAME.policy.json, AmazonRootCA1.pem.
With --run, the user of the AWS CLI must be allowed iot:CreateThing, CreateCertificateFromCsr, DescribeCertificate,
CreatePolicy, GetPolicy, CreatePolicyVersion, AttachPolicy, AttachThingPrincipal and DescribeEndpoint.`,
    )
    .action((options: AwsIotSetupOptions) =>
      runVerb(options.json, io(), async (cli) => {
        const { awsIotSetup } = await import("./aws-iot-setup.ts");
        return awsIotSetup(options, cli);
      }),
    );
}

function registerCheck(awsIot: Command, io: () => CliIo): void {
  awsIot
    .command("check")
    .summary("connect, and test each right of a service by itself")
    .description(
      "Connects to a service's endpoint as the bridge would, and tests each step and each right: name, port, TLS, " +
        "certificate, connect, subscribe, publish. One line for each; exit code 1 when one fails.",
    )
    .requiredOption("--config <FILE>", "the bridge's file")
    .option("--service <NAME>", "which service, where the file has several")
    .option("--publish", "publish a message to the topic of the first module, and to result_topic", false)
    .option("--json", "one JSON object a line on stdout", false)
    .addHelpText(
      "after",
      `
Example:
  sakuraio aws-iot check --config bridge.yaml --service plant-a

It connects with the service's own client ids, as the policy names them. Stop the bridge first: AWS allows one connection
for each, and the two would throw each other out.
What --publish sends is {"type":"keepalive","datetime":"…"}, at QoS 1. It reaches whoever reads that topic.`,
    )
    .action((options: AwsIotCheckOptions) =>
      runVerb(options.json, io(), async (cli) => {
        const { awsIotCheck } = await import("./aws-iot-check.ts");
        return awsIotCheck(options, cli);
      }),
    );
}
