/** The command line of `sakuraio doctor`. */
import { type Command, Option } from "commander";
import type { DoctorVerbOptions } from "./doctor.ts";
import type { CliIo } from "./io.ts";
import { addPortFlags, PORT_NOTES } from "./port-flags.ts";
import { runVerb } from "./process-io.ts";

/** A channel at the far end, and nothing that anybody would act on. */
const HARMLESS = "127:i=0";

export function registerDoctorVerb(program: Command, io: () => CliIo): void {
  const command = program
    .command("doctor")
    .summary("find out whether a module, or a whole bridge, works, and where it stops")
    .description(
      "Checks one thing after the other: the port, the wiring, the module, its network. Says what it saw and what to do. " +
        "Writes nothing to the module unless --send is given.",
    );
  addPortFlags(command, "config")
    .addOption(
      new Option("--config <FILE>", "examine a whole bridge instead: its file, services and links").conflicts([
        "port",
        "baud",
        "trace",
        "record",
        "send",
      ]),
    )
    .addOption(
      new Option("--send [CH:TYPE=VALUE]", "send one value at the end, and follow it until it is sent").preset(
        HARMLESS,
      ),
    )
    .addHelpText("after", `${HELP}\n${PORT_NOTES}`)
    .action((options: DoctorVerbOptions, self: Command) => {
      if (options.port === undefined && options.config === undefined) {
        self.error("error: say where the module is with --port URI, or which bridge with --config FILE");
      }
      return runVerb(options.json, io(), async (cli) => {
        const { doctorVerb } = await import("./doctor.ts");
        return doctorVerb(options, cli);
      });
    });
}

const HELP = `
Each line is one check: "ok" is well, "!!" is something to do or to know, "--"
was not checked. The last line is the verdict. Exits 0 when it works, also with
warnings, 1 when there is a problem or when it is not known whether it works,
2 for wrong usage.

--config: where a bridge runs on the file, its ports and connections are left
alone. Where none does, each service is connected to with its own client ids, as
"aws-iot check" does: a bridge elsewhere that has the same ones is thrown out.

Examples:
  sakuraio doctor --port uart:/dev/ttyUSB0
  sakuraio doctor --port uart:/dev/ttyUSB0 --send
  sakuraio doctor --port buspirate+i2c:/dev/ttyUSB0 --json
  sakuraio doctor --config bridge.yaml`;
