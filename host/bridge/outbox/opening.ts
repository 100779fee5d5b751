/**
 * Opens the store and looks through it. What is damaged is copied aside first, as `store.damaged-DATE`, where it stays
 * until somebody deletes it; then LevelDB rebuilds the store from what can be read.
 */
import { constants } from "node:fs";
import { access, chmod, copyFile, link, mkdir, readdir, readFile, rename, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { innermostReason, repairStore, Store, troubleOf } from "./leveldb.ts";
import { checkLog } from "./log-check.ts";
import { type Scan, scanStore } from "./scan.ts";
import { checkTable, markDamage, type TableDamage } from "./table-check.ts";

export interface Opened {
  readonly store: Store;
  readonly scan: Scan;
}

/** Copies that are kept; past that a damaged store is repaired without one, so that damage does not fill the disk. */
const ASIDE_MAX = 5;
const IS_TABLE = /\.(ldb|sst)$/;

/**
 * @param path the store's directory, which is made when it is not there, for this user alone
 * @throws what the system or LevelDB says; see troubleOf
 */
export async function openStore(path: string, report: (note: string) => void): Promise<Opened> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
  // LevelDB's own words for this are less clear.
  await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  const damaged = await damagedTables(path);
  const before = await headDamage(path, damaged);
  if (before === undefined) await keepDamagedLogs(path, report);
  let opened = before ?? (await tryToOpen(path));
  if (typeof opened === "string") {
    await repair(path, opened, damaged, report);
    opened = await tryToOpen(path);
  }
  if (typeof opened === "string") {
    await startAnew(path, opened, report);
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

async function damagedTables(path: string): Promise<ReadonlyMap<string, TableDamage>> {
  const damaged = new Map<string, TableDamage>();
  for (const name of await readdir(path)) {
    const damage = IS_TABLE.test(name) ? await checkTable(join(path, name)) : undefined;
    if (damage) damaged.set(name, damage);
  }
  return damaged;
}

/**
 * What must be repaired before LevelDB may open it, in words. It takes a directory without CURRENT for a new store, and
 * deletes what is in it.
 */
async function headDamage(path: string, damaged: ReadonlyMap<string, TableDamage>): Promise<string | undefined> {
  if (damaged.size > 0) return `damaged tables: ${[...damaged.keys()].join(", ")}`;
  const files = await readdir(path);
  if (!files.some((name) => /\.(ldb|sst|log)$/.test(name) || name.startsWith("MANIFEST-"))) return undefined;
  if (!files.includes("CURRENT")) return "CURRENT is missing";
  const manifest = /^(MANIFEST-\d+)\n$/.exec(await readFile(join(path, "CURRENT"), "latin1"))?.[1];
  return manifest !== undefined && files.includes(manifest) ? undefined : "the list of its files is missing";
}

/** LevelDB reads what it can of a damaged log, and then deletes it. What was in it and how much, nobody can say. */
async function keepDamagedLogs(path: string, report: (note: string) => void): Promise<void> {
  const damaged: string[] = [];
  for (const name of await readdir(path)) {
    const at = name.endsWith(".log") ? await checkLog(join(path, name)) : undefined;
    if (at !== undefined) damaged.push(`${name} from byte ${at} on`);
  }
  if (damaged.length === 0) return;
  const copy = await copied(path);
  report(`the outbox in ${path} was damaged (${damaged.join(", ")}); what cannot be read of it is lost, and ${copy}`);
}

async function copied(path: string): Promise<string> {
  const aside = await copyAside(path);
  return aside === undefined
    ? `there are ${ASIDE_MAX} copies of damaged ones already, so that none was made`
    : `the damaged files are in ${aside}, to be deleted when nobody needs them`;
}

async function repair(
  path: string,
  why: string,
  damaged: ReadonlyMap<string, TableDamage>,
  report: (note: string) => void,
): Promise<void> {
  const copy = await copied(path);
  report(`the outbox in ${path} was damaged (${why}); what can be read is kept, and ${copy}`);
  for (const [name, damage] of damaged) await markDamage(join(path, name), damage);
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

/** Tables are never changed once they are there, so that a second name for them costs no room. */
async function copyAside(path: string): Promise<string | undefined> {
  if ((await asidesOf(path)).length >= ASIDE_MAX) return undefined;
  const aside = await freeName(path);
  await mkdir(aside, { mode: 0o700 });
  for (const name of await readdir(path)) {
    const [from, to] = [join(path, name), join(aside, name)];
    if (name === "LOCK" || !(await stat(from)).isFile()) continue;
    const linked = IS_TABLE.test(name) && (await hasLinked(from, to));
    if (!linked) await copyFile(from, to);
  }
  return aside;
}

/** Some file systems cannot. */
async function hasLinked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch {
    return false;
  }
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
