/** A question before something that cannot be undone. */
import { createInterface } from "node:readline/promises";
import { SakuraError } from "../../protocol/errors.ts";
import type { CliIo } from "./io.ts";

/** Whether there is somebody to ask. */
export function canAsk({ ask, stdin }: CliIo): boolean {
  return ask !== undefined || ("isTTY" in stdin && stdin.isTTY === true);
}

/**
 * Asks on stderr, where no program reads results. Everything but `y` and `yes`, the end of the input too, is a no.
 * @throws SakuraError ABORTED by the signal
 */
export async function confirmed(io: CliIo, question: string): Promise<boolean> {
  const answer = await (io.ask ?? ((text: string) => askTerminal(io, text)))(`${question} [y/N] `);
  return /^\s*y(es)?\s*$/i.test(answer);
}

async function askTerminal({ stdin, stderr, signal }: CliIo, question: string): Promise<string> {
  // Not as a terminal: the kernel edits the line, and Ctrl+C stays the signal that stops the verb.
  const lines = createInterface({ input: stdin, output: stderr, terminal: false });
  try {
    const end = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
    return await Promise.race([lines.question(question, { signal }), end]);
  } catch (cause) {
    if (signal.aborted) throw new SakuraError("ABORTED", "the question was not answered", { cause });
    throw cause;
  } finally {
    lines.close();
    stdin.pause();
  }
}
