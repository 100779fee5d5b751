/** A program from a file, or from the text of one. */
import { readFile } from "node:fs/promises";
import { isSakuraError, reasonOf, SakuraError } from "../../protocol/errors.ts";
import { type FlashImage, parseIntelHex } from "./intel-hex.ts";

/**
 * @param source the path of an Intel HEX file, or its text, which begins with a colon
 * @throws SakuraError INVALID_ARGUMENT when it cannot be read or is no program for an ATmega328P
 */
export async function loadHex(source: string | URL): Promise<FlashImage> {
  if (typeof source === "string" && source.trimStart().startsWith(":")) return parseIntelHex(source);
  try {
    return parseIntelHex(await readFile(source, "latin1"));
  } catch (cause) {
    const text = isSakuraError(cause) ? `${source}: ${cause.message}` : `cannot read ${source}: ${reasonOf(cause)}`;
    throw new SakuraError("INVALID_ARGUMENT", text, {
      context: { ...(isSakuraError(cause) ? cause.context : {}), file: String(source) },
      cause,
    });
  }
}
