/** Where the files come from that a module downloads: ids 1 to 5 (§2). */
import { readdir, readFile, stat } from "node:fs/promises";
import { join, parse } from "node:path";

export interface StoredFile {
  readonly data: Uint8Array;
  /** Unix time in ms. */
  readonly timestamp: number;
}

/** Finds a file; nothing when there is none. A rejection is a server's failure to the module. */
export interface FileSource {
  load(id: number): Promise<StoredFile | undefined>;
}

export const noFiles: FileSource = { load: () => Promise.resolve(undefined) };

/** Files from memory, for tests. */
export function filesInMemory(files: Readonly<Record<number, StoredFile>>): FileSource {
  return { load: (id) => Promise.resolve(files[id]) };
}

/** The file in a directory whose name without its extension is the id: `1`, `2.bin`. Read anew for each download. */
export function filesInDirectory(directory: string): FileSource {
  return {
    async load(id) {
      const name = (await readdir(directory)).sort().find((entry) => parse(entry).name === String(id));
      if (name === undefined) return undefined;
      const path = join(directory, name);
      return { data: await readFile(path), timestamp: Math.floor((await stat(path)).mtimeMs) };
    },
  };
}
