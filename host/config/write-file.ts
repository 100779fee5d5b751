/** A file written whole or not at all, whatever is pulled out when. */
import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readFile, realpath, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { errnoOf, reasonOf, SakuraError } from "../../protocol/errors.ts";

/**
 * Puts a text in a file's place: it is written beside it, and takes its name when it is on the disk. A symbolic link
 * stays, and what it points to is replaced. The mode and the owner are the old file's.
 * @param mode of a file that was not there
 * @throws SakuraError FILE_FAILED, the old file being as it was
 */
export async function replaceFile(file: string, text: string, mode = 0o600): Promise<void> {
  let partial: string | undefined;
  try {
    const target = await realpath(file).catch(unlessMissing(file));
    const old = await stat(target).catch(unlessMissing(undefined));
    const path = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}`);
    const handle = await open(path, "wx", 0o600);
    partial = path;
    try {
      await handle.writeFile(text);
      if (old && process.platform !== "win32") await handle.chown(old.uid, old.gid).catch(unlessNotAllowed);
      await handle.chmod(old ? old.mode & 0o7777 : mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(path, target);
    partial = undefined;
    await syncDirectory(dirname(target));
  } catch (cause) {
    if (partial !== undefined) await unlink(partial).catch(() => undefined);
    throw new SakuraError("FILE_FAILED", `${file} cannot be written: ${reasonOf(cause)}`, { context: { file }, cause });
  }
}

/**
 * Makes a file that only its owner may read, in a directory that is made where it is not there. One that is there and
 * holds something else, such as half of it, is replaced.
 * @returns whether it is new
 * @throws SakuraError FILE_FAILED
 */
export async function makePrivateFile(file: string, text: string): Promise<boolean> {
  const partial = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const old = await readFile(file, "utf8").catch(unlessMissing(undefined));
    if (old === text) {
      await chmod(file, 0o600);
      return false;
    }
    const handle = await open(partial, "wx", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, file);
    await syncDirectory(dirname(file));
    return old === undefined;
  } catch (cause) {
    await unlink(partial).catch(() => undefined);
    throw new SakuraError("FILE_FAILED", `${file} cannot be written: ${reasonOf(cause)}`, { context: { file }, cause });
  }
}

/**
 * Without this a power cut may still take the name away. Not every system can; and as the file has its name already, a
 * failure here must not read as if it had not.
 */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

function unlessMissing<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (errnoOf(error) === "ENOENT") return instead;
    throw error;
  };
}

/** Who may not give a file away keeps it. */
function unlessNotAllowed(error: unknown): void {
  if (errnoOf(error) !== "EPERM" && errnoOf(error) !== "EINVAL") throw error;
}
