/** LevelDB as the outbox uses it: records in the order of their keys, and batches that are written whole or not at all. */
import { ClassicLevel } from "classic-level";
import type { KeyRange } from "./keys.ts";

export type StoreOperation =
  | { readonly type: "put"; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: "del"; readonly key: Buffer };

export interface StoreRecord {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** LevelDB keeps up to two of these in memory. */
export const WRITE_BUFFER_BYTES = 4 * 1024 * 1024;
/** Records are read once, in order: a cache would hold what nobody asks for again. */
const CACHE_BYTES = 1024 * 1024;
/** Records asked for at first, while their size is not known, and at once at most. */
const READ_FIRST = 4;
const READ_MAX = 256;

export class Store {
  readonly #database: ClassicLevel<Buffer, Buffer>;

  private constructor(database: ClassicLevel<Buffer, Buffer>) {
    this.#database = database;
  }

  /** Opens the store in this directory, which is made when it is not there. @throws see {@link troubleOf} */
  static async open(path: string): Promise<Store> {
    const database = new ClassicLevel<Buffer, Buffer>(path, { keyEncoding: "buffer", valueEncoding: "buffer" });
    await database.open({ writeBufferSize: WRITE_BUFFER_BYTES, cacheSize: CACHE_BYTES, compression: false });
    return new Store(database);
  }

  /** @param sync resolves only when it is on the disk; without, the system may lose it at a power cut, later ones first */
  write(operations: readonly StoreOperation[], sync: boolean): Promise<void> {
    return this.#database.batch([...operations], { sync });
  }

  /** The records of a range from its beginning, until they are `maxBytes` or a little more. */
  async read(range: KeyRange, maxBytes: number): Promise<{ records: StoreRecord[]; complete: boolean }> {
    // An iterator holds on to what it read last until the garbage collector comes to it, and the collector does not know
    // how much that is. So it reads the keys, which are small, and the values are asked for.
    const iterator = this.#database.keys({ gte: range.from, lt: range.to });
    const records: StoreRecord[] = [];
    try {
      for (let bytes = 0, count = READ_FIRST; bytes < maxBytes; count = countFor(maxBytes - bytes, bytes, records)) {
        const keys = await iterator.nextv(count);
        if (keys.length === 0) return { records, complete: true };
        const values = await this.#database.getMany(keys, { fillCache: false });
        for (const [index, key] of keys.entries()) {
          const value = values[index];
          if (!value) continue;
          records.push({ key, value });
          bytes += value.length;
        }
      }
      return { records, complete: false };
    } finally {
      await iterator.close();
    }
  }

  get(key: Buffer): Promise<Buffer | undefined> {
    return this.#database.get(key, { fillCache: false });
  }

  /** What a range takes on the disk, roughly; what is deleted counts until it has been compacted away. */
  sizeOnDisk({ from, to }: KeyRange): Promise<number> {
    return this.#database.approximateSize(from, to);
  }

  /** Gives the disk back what was deleted in a range. */
  compact({ from, to }: KeyRange): Promise<void> {
    return this.#database.compactRange(from, to);
  }

  /** Resolves when what was being written is written. */
  close(): Promise<void> {
    return this.#database.close();
  }
}

/** How many records of the size that they have had are so many bytes. */
function countFor(bytesLeft: number, bytesRead: number, records: readonly StoreRecord[]): number {
  const size = Math.max(1, bytesRead / Math.max(1, records.length));
  return Math.max(1, Math.min(READ_MAX, Math.ceil(bytesLeft / size)));
}

/** Rebuilds what LevelDB knows of its files from the files themselves. */
export function repairStore(path: string): Promise<void> {
  return ClassicLevel.repair(path);
}

/** `locked`: another program holds it. `damaged`: LevelDB says so itself. */
export type StoreTrouble = "locked" | "damaged" | "other";

export function troubleOf(error: unknown): StoreTrouble {
  for (let at = error; at instanceof Error; at = at.cause) {
    const code = "code" in at ? at.code : undefined;
    if (code === "LEVEL_LOCKED") return "locked";
    if (code === "LEVEL_CORRUPTION") return "damaged";
  }
  return "other";
}

/** What the library says happened; its outer error only says that opening failed. */
export function innermostReason(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? innermostReason(error.cause) : String(error);
}
