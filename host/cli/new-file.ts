/** A file that takes its name when it is whole and on the disk: until then it is `NAME.part`. */
import { access, type FileHandle, open, rename, unlink } from "node:fs/promises";
import { errnoOf, reasonOf, SakuraError } from "../../protocol/errors.ts";

export class NewFile {
  readonly #path: string;
  readonly #force: boolean;
  readonly #handle: FileHandle;
  #open = true;

  /**
   * @param options.force replaces a file that is there
   * @throws SakuraError FILE_FAILED
   */
  static async create(path: string, { force }: { readonly force: boolean }): Promise<NewFile> {
    if (!force) await refuseExisting(path);
    try {
      return new NewFile(path, force, await open(partOf(path), "w"));
    } catch (cause) {
      throw failed(path, reasonOf(cause), cause);
    }
  }

  private constructor(path: string, force: boolean, handle: FileHandle) {
    this.#path = path;
    this.#force = force;
    this.#handle = handle;
  }

  /** Writes all of it, and gives it its name. @throws SakuraError FILE_FAILED */
  async finish(bytes: Uint8Array): Promise<void> {
    if (!this.#force) await refuseExisting(this.#path);
    try {
      await this.#handle.writeFile(bytes);
      await this.#handle.sync();
      await this.#handle.close();
      await rename(partOf(this.#path), this.#path);
      this.#open = false;
    } catch (cause) {
      throw failed(this.#path, reasonOf(cause), cause);
    }
  }

  /** Removes what is not finished. */
  async discard(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#handle.close();
    await unlink(partOf(this.#path)).catch((cause: unknown) => {
      throw failed(partOf(this.#path), `it cannot be removed: ${reasonOf(cause)}`, cause);
    });
  }
}

function partOf(path: string): string {
  return `${path}.part`;
}

async function refuseExisting(path: string): Promise<void> {
  try {
    await access(path);
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT") return;
    throw failed(path, reasonOf(cause), cause);
  }
  throw failed(path, "it is there already: --force replaces it", undefined);
}

function failed(path: string, why: string, cause: unknown): SakuraError {
  return new SakuraError("FILE_FAILED", `${path} cannot be written: ${why}`, { context: { file: path }, cause });
}
