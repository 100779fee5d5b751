/** `sakuraio codegen`: what is made from the command table, into a file or onto stdout. */
import { writeFile } from "node:fs/promises";
import { reasonOf, SakuraError } from "../../protocol/errors.ts";
import { cHeader } from "../codegen/c.ts";
import { protocolDocument } from "../codegen/docs.ts";
import { version } from "../version.ts";
import { type CliIo, type ExitCode, printLine } from "./io.ts";
import { jsonLine } from "./json-line.ts";

export interface CodegenOptions {
  /** The file to write; stdout when there is none. */
  readonly output?: string | undefined;
  readonly json: boolean;
}

/** A C header. @throws SakuraError FILE_FAILED when the file cannot be written */
export function codegenC(options: CodegenOptions, io: CliIo): Promise<ExitCode> {
  return written({ event: "header", noun: "the header", text: cHeader(version()) }, options, io);
}

/** The protocol as a Markdown document. @throws SakuraError FILE_FAILED when the file cannot be written */
export function codegenDocs(options: CodegenOptions, io: CliIo): Promise<ExitCode> {
  return written({ event: "document", noun: "the document", text: protocolDocument() }, options, io);
}

interface Generated {
  readonly event: string;
  readonly noun: string;
  readonly text: string;
}

async function written(
  { event, noun, text }: Generated,
  { output, json }: CodegenOptions,
  io: CliIo,
): Promise<ExitCode> {
  const bytes = Buffer.byteLength(text);
  if (output === undefined) {
    if (json) printLine(io.stdout, jsonLine({ event, bytes, text }));
    else io.stdout.write(text);
    return 0;
  }
  try {
    await writeFile(output, text);
  } catch (error) {
    throw new SakuraError("FILE_FAILED", `${noun} cannot be written: ${reasonOf(error)}`, {
      context: { file: output },
      cause: error,
    });
  }
  printLine(io.stdout, json ? jsonLine({ event: "written", file: output, bytes }) : `${output}  ${bytes} bytes`);
  return 0;
}
