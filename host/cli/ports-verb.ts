/** The command line of `sakuraio ports`. */
import type { Command } from "commander";
import type { CliIo } from "./io.ts";
import type { PortsOptions } from "./ports.ts";
import { runVerb } from "./process-io.ts";

export function registerPortsVerb(program: Command, io: () => CliIo): void {
  program
    .command("ports")
    .summary("the serial ports, with names that outlive a replug")
    .description(
      "Lists the serial ports: what each is, the name to paste behind --port or into the bridge's file, who has it " +
        "open, and whether you may open it. Opens none of them.",
    )
    .option("--json", "one JSON object a line on stdout, for each port", false)
    .addHelpText("after", EXAMPLE)
    .action((options: PortsOptions) =>
      runVerb(options.json, io(), async (cli) => {
        const { ports } = await import("./ports.ts");
        return ports(options, cli);
      }),
    );
}

const EXAMPLE = `
Examples:
  sakuraio ports
  sakuraio module --port uart:usb:0403:6001:A50285BI status

A name uart:usb:VID:PID[:SERIAL] means that adapter, whatever the system calls
its port: it is looked for again at each opening. Where sakuraio is the device,
as behind emulate --uart, it is the same without uart:.`;
