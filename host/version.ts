/** This package's version. */
import { createRequire } from "node:module";
import { z } from "zod";

const packageFile = z.object({ version: z.string() });

/** Of the package's own file, found by its name, so that it is the same one from the sources and from dist/. */
export function version(): string {
  return packageFile.parse(createRequire(import.meta.url)("sakuraio-kit/package.json")).version;
}
