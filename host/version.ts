/** This package's version. */
import { createRequire } from "node:module";
import { SakuraError } from "../protocol/errors.ts";

/**
 * Of the package's own file, found by its name, so that it is the same one from the sources and from dist/. Checked by
 * hand: every start of the command line asks for it, and zod takes longer to load than everything else of `--help`.
 */
export function version(): string {
  const file: unknown = createRequire(import.meta.url)("sakuraio-kit/package.json");
  if (typeof file === "object" && file !== null && "version" in file && typeof file.version === "string") {
    return file.version;
  }
  throw new SakuraError("FILE_FAILED", "the package.json of sakuraio-kit names no version: install the package again");
}
