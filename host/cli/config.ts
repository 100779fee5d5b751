/** `sakuraio config`: the bridge's file, looked at without a bridge. */
import { bridgeFileJsonSchema } from "../config/json-schema.ts";
import { loadConfig } from "../config/load.ts";
import { type CliIo, type ExitCode, printLine } from "./io.ts";

export interface ConfigCheckOptions {
  readonly json: boolean;
}

/** Prints the file's JSON Schema. */
export function printConfigSchema(io: CliIo): ExitCode {
  printLine(io.stdout, JSON.stringify(bridgeFileJsonSchema(), null, 2));
  return 0;
}

/** @throws SakuraError INVALID_CONFIG with the first mistake and its place */
export function checkConfig(file: string, { json }: ConfigCheckOptions, io: CliIo): ExitCode {
  const { services, modules, warnings } = loadConfig(file);
  for (const warning of warnings) printLine(io.stderr, `sakuraio: warning: ${warning}`);
  const counts = { services: services.length, modules: modules.length };
  if (json) printLine(io.stdout, JSON.stringify({ event: "ok", ...counts, warnings }));
  else printLine(io.stdout, `ok: ${counts.services} services, ${counts.modules} modules`);
  return 0;
}
