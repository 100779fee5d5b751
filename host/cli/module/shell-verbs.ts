/** The verbs that a shell understands: those of `sakuraio module`, run one after the other on the module it has open. */
import { Command, CommanderError } from "commander";
import type { SakuraModule } from "../../module.ts";
import { type CliIo, type ExitCode, printLine } from "../io.ts";
import { jsonLine } from "../json-line.ts";
import { windowSize } from "../live-screen.ts";
import { reportFailure } from "../process-io.ts";
import { type ModuleSession, tellUnknownOutcome } from "./session.ts";
import { splitWords } from "./shell-words.ts";
import { addModuleVerbs, type DescribeVerb, type VerbRunner } from "./verb-list.ts";

export interface ShellSettings {
  readonly json: boolean;
  readonly trace: boolean;
}

/** `left`: the line asks to leave. */
export type LineOutcome = { readonly code: ExitCode; readonly left: boolean };

/** Commander's code where a line has no verb, or `help` has one that there is not. */
const HELP_INSTEAD = "commander.help";
const NO_VERB = "the line names no verb that there is";
export const PROMPT = "sakura> ";

const KEYS_HELP = `
Tab completes verbs, options, types of values and file names. Up and down bring
back earlier lines. Ctrl+C stops a verb. Ctrl+D, exit or quit leaves.`;

/** The grammar of a line, without anything that would run. For help and completion. */
export function shellGrammar(): Command {
  const nothing: VerbRunner = () => Promise.resolve();
  return grammar({ stdout: process.stdout, stderr: process.stderr }, nothing, () => undefined);
}

/**
 * Carries one line out; never rejects and never ends the process. A failure is told on `io.stderr`.
 * @param io whose signal stops the line's verb, and it alone
 */
export async function runLine(
  line: string,
  module: SakuraModule,
  settings: ShellSettings,
  io: CliIo,
): Promise<LineOutcome> {
  let code: ExitCode = 0;
  let left = false;
  let { json } = settings;
  const run: VerbRunner = async <Options extends object>(
    command: Command,
    work: (options: Options, session: ModuleSession) => Promise<ExitCode>,
  ) => {
    code = await work(command.optsWithGlobals<Options>(), sessionOf(module, { ...settings, json }, io));
  };
  try {
    const words = splitWords(line);
    if (words.length === 0) return { code, left };
    const leave = (): void => {
      left = true;
    };
    // A new one for each line: commander keeps what it has parsed.
    const program = grammar(io, run, leave);
    // Known before the verb is, so that a line with a wrong verb has its failure in JSON too.
    program.on("option:json", () => {
      json = true;
    });
    await program.parseAsync([...words], { from: "user" });
  } catch (error) {
    code = codeOf(error, io, json);
  }
  return { code, left };
}

function codeOf(error: unknown, io: CliIo, json: boolean): ExitCode {
  if (!(error instanceof CommanderError)) return reportFailure(error, io, json);
  // Help that was asked for is no failure.
  if (error.exitCode === 0) return 0;
  // Commander has told it on stderr, but for the help that it shows instead.
  if (error.code === HELP_INSTEAD) printLine(io.stderr, `sakuraio: ${NO_VERB}`);
  if (json) printLine(io.stdout, jsonLine({ event: "error", code: "INVALID_ARGUMENT", message: messageOf(error) }));
  return 2;
}

function messageOf({ code, message }: CommanderError): string {
  if (code === HELP_INSTEAD) return NO_VERB;
  return message.replace(/^error: /, "").replaceAll("\n", " ");
}

function sessionOf(module: SakuraModule, { json, trace }: ShellSettings, io: CliIo): ModuleSession {
  return {
    io,
    json,
    trace,
    // The port is the shell's: opened once, and opened again when it is lost, whatever the verb asks for.
    async withModule(work) {
      try {
        return await work(module);
      } catch (error) {
        tellUnknownOutcome(error, io);
        throw error;
      }
    },
  };
}

function grammar({ stdout, stderr }: Pick<CliIo, "stdout" | "stderr">, run: VerbRunner, leave: () => void): Command {
  const program = new Command("VERB")
    .usage("[options]")
    .exitOverride((error) => {
      throw error;
    })
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => windowSize(stdout).columns,
      getErrHelpWidth: () => windowSize(stderr).columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text, write) => write(text.replace(/^error: /, "sakuraio: ")),
    })
    .helpCommand("help [verb]", "what there is, or how one verb is used")
    .helpOption("-h, --help", "how a verb is used")
    .option("--json", "one JSON object a line on stdout and nothing else")
    .addHelpText("after", KEYS_HELP);
  addModuleVerbs(program, describe, run);
  program.command("exit").alias("quit").description("leave the shell; Ctrl+D does too").action(leave);
  return program;
}

const describe: DescribeVerb = (subject, name, description, example) =>
  subject
    .command(name)
    .description(`${description[0]?.toUpperCase() ?? ""}${description.slice(1)}.`)
    .summary(description)
    .configureHelp({ showGlobalOptions: true, commandUsage: (command) => `${pathOf(command)} ${command.usage()}` })
    .addHelpText("after", `\nExample:\n  ${PROMPT}${example}`);

/** `file get`: as it is typed here. */
function pathOf(command: Command): string {
  const { parent } = command;
  // The topmost is the shell itself, which nobody types.
  return parent?.parent ? `${pathOf(parent)} ${command.name()}` : command.name();
}
