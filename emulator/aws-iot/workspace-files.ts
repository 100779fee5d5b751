/** Reading and writing the few files of a workspace: whole, private where they must be, and with errors that say so. */
import { chmod, mkdir, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf, reasonOf, SakuraError } from "../../protocol/errors.ts";

/** For what only its owner may read: private keys. */
export const PRIVATE_MODE = 0o600;
const PUBLIC_MODE = 0o644;
const DIRECTORY_MODE = 0o700;

/** Makes the directory, and what it is in, where absent. @throws SakuraError INVALID_CONFIG */
export async function makeDirectory(...path: string[]): Promise<void> {
  const directory = join(...path);
  await orInvalid(`cannot make the directory ${directory}`, () =>
    mkdir(directory, { recursive: true, mode: DIRECTORY_MODE }),
  );
}

/** The file's text, nothing where there is none. @throws SakuraError INVALID_CONFIG when it cannot be read */
export function readIfPresent(...path: string[]): Promise<string | undefined> {
  const file = join(...path);
  return orInvalid(`cannot read ${file}`, async () => {
    try {
      return await readFile(file, "utf8");
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw error;
    }
  });
}

/**
 * Writes the whole file or leaves the old one. Behind a symbolic link, its target.
 * @param mode default: what it had, else readable for all
 * @throws SakuraError INVALID_CONFIG when it cannot be written
 */
export async function writeWhole(file: string, text: string, mode?: number): Promise<void> {
  await orInvalid(`cannot write ${file}`, async () => {
    const target = await realpath(file).catch(() => file);
    const temporary = `${target}.${process.pid}.tmp`;
    try {
      const had = await stat(target).then(
        (found) => found.mode & 0o777,
        () => undefined,
      );
      // Private from its first byte on; the mode on creation is subject to the umask, chmod is not.
      await writeFile(temporary, text, { mode: PRIVATE_MODE, flag: "w" });
      await chmod(temporary, mode ?? had ?? PUBLIC_MODE);
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  });
}

async function orInvalid<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw new SakuraError("INVALID_CONFIG", `${what}: ${reasonOf(cause)}`, { cause });
  }
}
