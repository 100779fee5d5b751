/** A program from a file, or from the text of one. */
import { readFile, stat } from "node:fs/promises";
import { isSakuraError, reasonOf, SakuraError } from "../../protocol/errors.ts";
import { type FlashImage, parseIntelHex } from "./intel-hex.ts";

/** The longest file looked at: 32 KB in records of one byte each are under 500 KB. */
const FILE_MAX = 1_048_576;

/**
 * @param source the path of an Intel HEX file, or its text, which begins with a colon
 * @throws SakuraError INVALID_ARGUMENT when it cannot be read or is no program for an ATmega328P
 */
export async function loadHex(source: string | URL): Promise<FlashImage> {
  if (
    typeof source === "string" &&
    source
      .replace(/^\uFEFF/, "")
      .trimStart()
      .startsWith(":")
  )
    return parseIntelHex(source);
  try {
    const facts = await stat(source);
    // Reading a pipe that nobody writes to would never end, and could not be given up.
    if (!facts.isFile()) throw new SakuraError("INVALID_ARGUMENT", "is not a file");
    if (facts.size > FILE_MAX) throw new SakuraError("INVALID_ARGUMENT", `has ${facts.size} bytes, too many for 32 KB`);
    return parseIntelHex(await readFile(source, "latin1"));
  } catch (cause) {
    const text = isSakuraError(cause) ? `${source}: ${cause.message}` : `cannot read ${source}: ${reasonOf(cause)}`;
    throw new SakuraError("INVALID_ARGUMENT", text, {
      context: { ...(isSakuraError(cause) ? cause.context : {}), file: String(source) },
      cause,
    });
  }
}
