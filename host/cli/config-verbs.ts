/** The command line of `sakuraio config`. */
import type { Command } from "commander";
import type { ConfigCheckOptions } from "./config.ts";
import type { CliIo } from "./io.ts";
import { runVerb } from "./process-io.ts";

export function registerConfigVerbs(program: Command, io: () => CliIo): void {
  const config = program.command("config").summary("the bridge's file: check it, or help an editor with it");
  config
    .command("check")
    .summary("say whether a bridge could start with it")
    .description("Reads a bridge's file with its certificates and keys, and says ok, or what is wrong and where.")
    .argument("<FILE>", "the bridge's file")
    .option("--json", "one JSON object on stdout", false)
    .addHelpText("after", "\nExample:\n  sakuraio config check bridge.yaml")
    .action((file: string, options: ConfigCheckOptions) =>
      runVerb(options.json, io(), async (cli) => {
        const { checkConfig } = await import("./config.ts");
        return checkConfig(file, options, cli);
      }),
    );
  config
    .command("schema")
    .summary("print the file's JSON Schema")
    .description("Prints the JSON Schema of a bridge's file, with which an editor completes keys and marks mistakes.")
    .option("--json", "the same: it is JSON anyway", false)
    .addHelpText("after", SCHEMA_EXAMPLE)
    .action((options: { readonly json: boolean }) =>
      runVerb(options.json, io(), async (cli) => {
        const { printConfigSchema } = await import("./config.ts");
        return printConfigSchema(cli);
      }),
    );
}

const SCHEMA_EXAMPLE = `
Example:
  sakuraio config schema > bridge.schema.json

and as the first line of bridge.yaml, for editors with the YAML language server:
  # yaml-language-server: $schema=bridge.schema.json`;
