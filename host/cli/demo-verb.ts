/** The command line of `sakuraio demo`. */
import type { Command } from "commander";
import type { DemoOptions } from "./demo.ts";
import type { CliIo } from "./io.ts";
import { integer } from "./options.ts";
import { runVerb } from "./process-io.ts";

export function registerDemoVerb(program: Command, io: () => CliIo): void {
  program
    .command("demo")
    .summary("all of it at once, on this machine")
    .description(
      "An emulated MCU drives an emulated module over a pseudo-terminal; the bridge publishes what the module sends, " +
        "over MQTT with mutual TLS, to an AWS-IoT-like endpoint; a subscriber prints it and sends a value back down. " +
        "Everything runs in this process, and nothing leaves the machine.",
    )
    .option("--messages <N>", "stop after N messages have arrived at the subscriber", integer(1, 1_000_000))
    .option("--interval <MS>", "time between two messages", integer(0, 3_600_000), 1000)
    .option("--json", "one JSON object a line on stdout and nothing else", false)
    .addHelpText(
      "after",
      `
Examples:
  sakuraio demo
  sakuraio demo --messages 3 --json`,
    )
    .action((options: DemoOptions) =>
      runVerb(options.json, io(), async (cli) => {
        const { demo } = await import("./demo.ts");
        return demo(options, cli);
      }),
    );
}
