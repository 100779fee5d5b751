/** `sakuraio codegen`: code for firmware, into a file or onto stdout. */
import { writeFile } from "node:fs/promises";
import { reasonOf, SakuraError } from "../../protocol/errors.ts";
import { cHeader } from "../codegen/c.ts";
import { version } from "../version.ts";
import { type CliIo, type ExitCode, printLine } from "./io.ts";
import { jsonLine } from "./json-line.ts";

export interface CodegenOptions {
  /** The file to write; stdout when there is none. */
  readonly output?: string | undefined;
  readonly json: boolean;
}

/** @throws SakuraError FILE_FAILED when the file cannot be written */
export async function codegenC({ output, json }: CodegenOptions, io: CliIo): Promise<ExitCode> {
  const text = cHeader(version());
  // ASCII: as many bytes as characters.
  const bytes = text.length;
  if (output === undefined) {
    if (json) printLine(io.stdout, jsonLine({ event: "header", bytes, text }));
    else io.stdout.write(text);
    return 0;
  }
  try {
    await writeFile(output, text);
  } catch (error) {
    throw new SakuraError("FILE_FAILED", `the header cannot be written: ${reasonOf(error)}`, {
      context: { file: output },
      cause: error,
    });
  }
  printLine(io.stdout, json ? jsonLine({ event: "written", file: output, bytes }) : `${output}  ${bytes} bytes`);
  return 0;
}
