/** `sakuraio module shell`: the verbs on one open module, typed at a prompt or read from a script. */
import { type CliIo, type ExitCode, printLine } from "../io.ts";
import { openModule, type PortOptions } from "./session.ts";
import { isKeySource } from "./shell-keys.ts";
import { runPrompt } from "./shell-prompt.ts";
import { runScript } from "./shell-script.ts";

export interface ShellVerbOptions extends PortOptions {
  /** A script goes on after a line that failed. */
  readonly keepGoing: boolean;
}

/** Opens the port once: lost, it is opened again. A prompt where both ends are a terminal, else a script. */
export async function moduleShell(options: ShellVerbOptions, io: CliIo): Promise<ExitCode> {
  const module = await openModule(options, io, { reopen: true });
  const settings = { json: options.json, trace: options.trace === true };
  try {
    if (isKeySource(io.stdin)) {
      if (io.stdout.isTTY) return await runPrompt(module, settings, io, io.stdin);
      // Else somebody would wait for a prompt.
      printLine(
        io.stderr,
        "sakuraio: the output is no terminal: type verbs line by line, without a prompt; Ctrl+D ends",
      );
    }
    return await runScript(module, { ...settings, keepGoing: options.keepGoing }, io);
  } finally {
    await module.close();
  }
}
