/** `sakuraio module shell`: the verbs on one open module, typed at a prompt or read from a script. */
import type { CliIo, ExitCode } from "../io.ts";
import { openModule, type PortOptions } from "./session.ts";
import { runScript } from "./shell-script.ts";

export interface ShellVerbOptions extends PortOptions {
  /** A script goes on after a line that failed. */
  readonly keepGoing: boolean;
}

export async function moduleShell(options: ShellVerbOptions, io: CliIo): Promise<ExitCode> {
  const module = await openModule(options, io, { reopen: true });
  const settings = { json: options.json, trace: options.trace === true, keepGoing: options.keepGoing };
  try {
    return await runScript(module, settings, io);
  } finally {
    await module.close();
  }
}
