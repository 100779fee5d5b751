/** The command line of `sakuraio module`. */
import type { Command } from "commander";
import type { CliIo, ExitCode } from "../io.ts";
import { addPortFlags, PORT_NOTES } from "../port-flags.ts";
import { runVerb } from "../process-io.ts";
import { subjectHelp } from "../verb-help.ts";
import type { ModuleSession, PortOptions } from "./session.ts";
import type { ShellVerbOptions } from "./shell.ts";
import { addModuleVerbs, type VerbRunner } from "./verb-list.ts";

export function registerModuleVerbs(program: Command, io: () => CliIo): void {
  const { examples, verb } = subjectHelp("sakuraio module --port uart:/dev/ttyUSB0");
  const module = program
    .command("module")
    .summary("drive a module: status, send, receive and more")
    .description("Drives one sakura.io module, real or emulated, at the end of a port.");
  addPortFlags(module)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", `${examples("status", "send 1:i=25 2:f=23.5", "receive --follow --json")}\n${PORT_NOTES}`);
  const run: VerbRunner = <Options extends object>(
    command: Command,
    work: (options: Options, session: ModuleSession) => Promise<ExitCode>,
  ) => {
    const options = command.optsWithGlobals<Options & PortOptions>();
    return runVerb(options.json, io(), async (cli) => {
      // Not before a verb runs: the client takes longer to load than the help.
      const { portSession } = await import("./session.ts");
      return work(options, portSession(options, cli));
    });
  };
  addModuleVerbs(module, verb, run);
  verb(module, "shell", "the verbs at a prompt, or line by line from stdin; help tells more there", "shell")
    .option("--keep-going", "lines from stdin: go on after one that failed, and exit 1 at the end", false)
    .addHelpText("after", "  printf 'status\\nsend 1:i=25\\n' | sakuraio module --port uart:/dev/ttyUSB0 shell")
    .action((_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<ShellVerbOptions>();
      return runVerb(options.json, io(), async (cli) => (await import("./shell.ts")).moduleShell(options, cli));
    });
}
