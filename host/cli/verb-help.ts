/** Verbs of one subject, such as `module` and `outbox`: described, shown by examples, run with the subject's options. */
import type { Command } from "commander";
import type { CliIo, ExitCode } from "./io.ts";
import { runVerb } from "./process-io.ts";

/** @param prefix what the examples begin with: `sakuraio outbox --config bridge.yaml` */
export function subjectHelp(prefix: string) {
  const examples = (...verbs: readonly string[]): string => {
    const lines = verbs.map((line) => `  ${prefix} ${line}`);
    return `\n${lines.length === 1 ? "Example" : "Examples"}:\n${lines.join("\n")}`;
  };
  const verb = (subject: Command, name: string, description: string, example: string): Command =>
    subject
      .command(name)
      .description(`${description[0]?.toUpperCase() ?? ""}${description.slice(1)}.`)
      .summary(description)
      .configureHelp({ showGlobalOptions: true })
      .addHelpText("after", examples(example));
  return { examples, verb };
}

export function runWithSubject<Options extends { readonly json: boolean }>(
  command: Command,
  io: () => CliIo,
  work: (options: Options, io: CliIo) => Promise<ExitCode>,
): Promise<never> {
  const options = command.optsWithGlobals<Options>();
  return runVerb(options.json, io(), (cli) => work(options, cli));
}
