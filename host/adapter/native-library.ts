/**
 * The two libraries for Linux's own buses. Both are compiled when they are installed, so they are no dependencies:
 * most users need neither, and one that fails to build would fail the whole installation.
 */
import { reasonOf, SakuraError } from "../../protocol/errors.ts";

/**
 * Loads an optional library.
 *
 * @param isUsable whether what was loaded has the functions that are needed
 * @throws SakuraError UNSUPPORTED with the commands to run
 */
export async function loadNativeLibrary<Library>(
  name: string,
  isUsable: (loaded: object) => loaded is Library & object,
): Promise<Library> {
  let loaded: unknown;
  try {
    loaded = await import(name);
  } catch (cause) {
    throw new SakuraError("UNSUPPORTED", advice(name, cause), { context: { library: name }, cause });
  }
  for (const exports of [loaded, defaultOf(loaded)]) {
    if (typeof exports === "object" && exports !== null && isUsable(exports)) return exports;
  }
  throw new SakuraError("UNSUPPORTED", `the installed ${name} is not the library that is meant: ${howTo(name)}`, {
    context: { library: name },
  });
}

function defaultOf(loaded: unknown): unknown {
  return typeof loaded === "object" && loaded !== null && "default" in loaded ? loaded.default : undefined;
}

function advice(name: string, cause: unknown): string {
  const missing = cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND";
  return missing
    ? `this port needs the library ${name}, which is not installed: ${howTo(name)}`
    : `the library ${name} is installed and does not load (${firstLine(cause)}): it has not been built. ${howTo(name)}`;
}

/** npm from version 12 on builds nothing that it was not allowed to. */
function howTo(name: string): string {
  return (
    `run "npm install ${name}" beside sakuraio-kit, with npm 12 or newer then "npm install-scripts approve ${name}" ` +
    `and "npm rebuild ${name}"; where sakuraio-kit is installed with -g, "npm install -g --allow-scripts=${name} ${name}". ` +
    "It is compiled on the spot: that needs python3, make and g++"
  );
}

function firstLine(cause: unknown): string {
  return reasonOf(cause).split("\n")[0] ?? "";
}
