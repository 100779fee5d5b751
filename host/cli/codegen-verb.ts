/** The command line of `sakuraio codegen`. */
import type { Command } from "commander";
import type { CodegenOptions } from "./codegen.ts";
import type { CliIo } from "./io.ts";
import { runVerb } from "./process-io.ts";

export function registerCodegenVerbs(program: Command, io: () => CliIo): void {
  const codegen = program.command("codegen").summary("a C header and the protocol's document, from the command table");
  codegen
    .command("c")
    .summary("a C99 header for firmware")
    .description(
      "Writes one header that firmware in C99 or C++11 needs to talk to a module: every command as a small function, " +
        "on a function of yours that moves the bytes over I2C, SPI or a UART. It allocates nothing and needs no library.",
    )
    .option("-o, --output <FILE>", "where it goes; a file that is there is replaced (default: stdout)")
    .option("--json", "one JSON object on stdout: what was written, or with no FILE the text itself", false)
    .addHelpText(
      "after",
      `
Examples:
  sakuraio codegen c -o sakuraio.h
  sakuraio codegen c | less`,
    )
    .action((options: CodegenOptions) =>
      runVerb(options.json, io(), async (cli) => {
        const { codegenC } = await import("./codegen.ts");
        return codegenC(options, cli);
      }),
    );
  codegen
    .command("docs")
    .summary("the protocol as a Markdown document")
    .description(
      "Writes down what a driver and a module say to each other: frames, statuses, every command with its payloads, " +
        "channel values, and what the module's numbers mean.",
    )
    .option("-o, --output <FILE>", "where it goes; a file that is there is replaced (default: stdout)")
    .option("--json", "one JSON object on stdout: what was written, or with no FILE the text itself", false)
    .addHelpText(
      "after",
      `
Examples:
  sakuraio codegen docs -o protocol.md
  sakuraio codegen docs | less`,
    )
    .action((options: CodegenOptions) =>
      runVerb(options.json, io(), async (cli) => {
        const { codegenDocs } = await import("./codegen.ts");
        return codegenDocs(options, cli);
      }),
    );
}
