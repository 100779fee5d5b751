/**
 * Opens the store and looks through it, and mends what is damaged:
 *
 * - What LevelDB cannot open is copied aside, and LevelDB rebuilds its directory from the files that can be read.
 * - What opens and holds damaged records is moved aside, and every record that can be read goes into a new store: LevelDB
 *   would carry a damaged table along, and lose others with it when it rewrites it.
 *
 * The copies stay as `store.damaged-DATE` until somebody deletes them.
 */
import { constants } from "node:fs";
import { access, chmod, copyFile, link, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { decodeBlock } from "./block.ts";
import { ALL_LANES, ALL_LETTERS, blockKey } from "./keys.ts";
import { innermostReason, repairStore, Store, type StoreOperation, type StoreRecord, troubleOf } from "./leveldb.ts";
import { eachRecord, type Scan, scanStore } from "./scan.ts";
import { unseal } from "./sealed.ts";

export interface Opened {
  readonly store: Store;
  readonly scan: Scan;
}

/** Copies that are kept; past that a damaged store is mended without one, so that damage does not fill the disk. */
const ASIDE_MAX = 5;
const COPY_BATCH_BYTES = 1024 * 1024;

/**
 * @param path the store's directory, which is made when it is not there, for this user alone
 * @throws what the system or LevelDB says; see troubleOf
 */
export async function openStore(path: string, report: (note: string) => void): Promise<Opened> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
  // LevelDB's own words for this are less clear.
  await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  let opened = (await lacksItsHead(path)) ? "its list of files is missing or damaged" : await tryToOpen(path);
  if (typeof opened === "string") {
    await repair(path, opened, report);
    opened = await tryToOpen(path);
  }
  if (typeof opened === "string") {
    await startAnew(path, opened, report);
    opened = await tryToOpen(path);
  }
  if (typeof opened !== "string" && opened.scan.damaged > 0) {
    await opened.store.close();
    await rebuild(path, opened.scan, report);
    opened = await tryToOpen(path);
  }
  if (typeof opened === "string") throw new Error(opened);
  return opened;
}

/** Returns what is damaged, in words. @throws what is no damage */
async function tryToOpen(path: string): Promise<Opened | string> {
  let store: Store;
  try {
    store = await Store.open(path);
  } catch (error) {
    if (troubleOf(error) === "damaged") return innermostReason(error);
    throw error;
  }
  try {
    return { store, scan: await scanStore(store) };
  } catch (error) {
    await store.close();
    return innermostReason(error);
  }
}

/**
 * LevelDB takes a directory without CURRENT for a new store, and deletes what is in it. So this is looked for before it
 * is opened.
 */
async function lacksItsHead(path: string): Promise<boolean> {
  const files = await readdir(path);
  if (!files.some((name) => /\.(ldb|sst|log)$/.test(name) || name.startsWith("MANIFEST-"))) return false;
  if (!files.includes("CURRENT")) return true;
  const manifest = /^(MANIFEST-\d+)\n$/.exec(await readFile(join(path, "CURRENT"), "latin1"))?.[1];
  return manifest === undefined || !files.includes(manifest);
}

async function repair(path: string, why: string, report: (note: string) => void): Promise<void> {
  const aside = await copyAside(path);
  const copy = aside === undefined ? `no copy was made: there are ${ASIDE_MAX} already` : `a copy is in ${aside}`;
  report(
    `the outbox in ${path} is damaged (${why}) and has been repaired; ${copy}, to be deleted when nobody needs it`,
  );
  try {
    await repairStore(path);
  } catch (error) {
    report(`LevelDB could not repair ${path}: ${innermostReason(error)}`);
  }
}

/** The last resort: the bridge goes on with an empty store. */
async function startAnew(path: string, why: string, report: (note: string) => void): Promise<void> {
  const aside = await freeName(path);
  await rename(path, aside);
  await mkdir(path, { mode: 0o700 });
  report(`the outbox in ${path} could not be repaired (${why}): what it held is in ${aside}, and a new one was begun`);
}

/** Every record that can be read, in a new store. @throws when there is no room for it: the old one stays as it was */
async function rebuild(path: string, { damaged, span }: Scan, report: (note: string) => void): Promise<void> {
  const aside = await freeName(path);
  await rename(path, aside);
  try {
    await mkdir(path, { mode: 0o700 });
    await copyRecords(aside, path, span);
  } catch (error) {
    await rm(path, { recursive: true, force: true });
    await rename(aside, path);
    throw error;
  }
  report(
    `${damaged} records of the outbox in ${path} are damaged: every other has been kept, and the old files are in ` +
      `${aside}, to be deleted when nobody needs them`,
  );
}

async function copyRecords(from: string, to: string, [first, end]: Scan["span"]): Promise<void> {
  const old = await Store.open(from);
  try {
    const fresh = await Store.open(to);
    try {
      const copier = new Copier(fresh);
      for (const range of [ALL_LANES, ALL_LETTERS]) {
        const records: StoreRecord[] = [];
        // What cannot be read cannot be kept: that is why this is done at all.
        await eachRecord(old, range, (record) => {
          if (unseal(record.value)) records.push(record);
        }).catch(() => undefined);
        for (const record of records) await copier.add(record);
      }
      // One by one: behind a damaged record an iterator may see nothing of what is there.
      for (let number = first; number < end; number++) {
        const key = blockKey(number);
        const value = await old.get(key).catch(() => undefined);
        if (value && decodeBlock(value)?.number === number) await copier.add({ key, value });
      }
      await copier.flush();
    } finally {
      await fresh.close();
    }
  } finally {
    await old.close();
  }
}

class Copier {
  readonly #store: Store;
  #operations: StoreOperation[] = [];
  #bytes = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  async add(record: StoreRecord): Promise<void> {
    this.#operations.push({ type: "put", ...record });
    this.#bytes += record.value.length;
    if (this.#bytes > COPY_BATCH_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    await this.#store.write(this.#operations, true);
    this.#operations = [];
    this.#bytes = 0;
  }
}

/** Tables are never changed once they are there, so that a second name for them costs no room. */
async function copyAside(path: string): Promise<string | undefined> {
  if ((await asidesOf(path)).length >= ASIDE_MAX) return undefined;
  const aside = await freeName(path);
  await mkdir(aside, { mode: 0o700 });
  for (const name of await readdir(path)) {
    const [from, to] = [join(path, name), join(aside, name)];
    if (name === "LOCK" || !(await stat(from)).isFile()) continue;
    const linked =
      /\.(ldb|sst)$/.test(name) &&
      (await link(from, to).then(
        () => true,
        () => false,
      ));
    if (!linked) await copyFile(from, to);
  }
  return aside;
}

async function asidesOf(path: string): Promise<readonly string[]> {
  const names = await readdir(dirname(path));
  return names.filter((name) => name.startsWith(`${basename(path)}.damaged-`));
}

async function freeName(path: string): Promise<string> {
  const taken = await asidesOf(path);
  const base = `${basename(path)}.damaged-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}`;
  let name = base;
  for (let count = 2; taken.includes(name); count++) name = `${base}-${count}`;
  return join(dirname(path), name);
}
