/** Client ids: made once for each service that names none, and kept, because the policy at AWS names them too. */
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { errnoOf, reasonOf, SakuraError } from "../../protocol/errors.ts";
import type { ConfigPath } from "./schema.ts";

const FILE = "client-ids.json";
const fileSchema = z.record(z.string(), z.string().min(1).max(128));

/** What of a configuration names its services' client ids, or where they are kept. */
interface Identifiable<S> {
  readonly services: readonly S[];
  readonly outbox: { readonly path: string };
  readonly where: (path: ConfigPath) => string;
}

interface Named {
  readonly name: string;
  readonly client_id?: string | undefined;
}

export interface IdentifiedService<S extends Named> {
  readonly config: S;
  readonly clientId: string;
}

/**
 * Every service with its client id. New ones are written to `client-ids.json` in `outbox.path`, which is made when it
 * is not there; nothing is written or read when every service names its own.
 * @throws SakuraError INVALID_CONFIG when the file cannot be read or written, or holds something else
 */
export function withClientIds<S extends Named>(config: Identifiable<S>): readonly IdentifiedService<S>[] {
  const { services, outbox, where } = config;
  const file = join(outbox.path, FILE);
  try {
    const kept = services.every(({ client_id }) => client_id !== undefined) ? {} : readKept(file);
    const made: Record<string, string> = {};
    const identified = services.map((service): IdentifiedService<S> => {
      const { client_id, name } = service;
      if (client_id !== undefined) return { config: service, clientId: client_id };
      const known = Object.hasOwn(kept, name) ? kept[name] : undefined;
      const clientId = known ?? `sakuraio-${randomBytes(8).toString("hex")}`;
      if (known === undefined) made[name] = clientId;
      return { config: service, clientId };
    });
    if (Object.keys(made).length > 0) write(outbox.path, file, { ...kept, ...made });
    return identified;
  } catch (cause) {
    const message = `${where(["outbox", "path"])}: the services' client ids cannot be kept in ${file}: ${reasonOf(cause)}; name a directory that may be written to, or give each service a client_id`;
    throw new SakuraError("INVALID_CONFIG", message, { context: { file }, cause });
  }
}

/**
 * Gives another name the client id that was made for a service, beside it: the policy at AWS names the id.
 * @param directory `outbox.path`
 * @throws SakuraError FILE_FAILED
 */
export function copyClientId(directory: string, from: string, to: string): void {
  changeKept(directory, ({ [to]: _, ...kept }) => {
    const id = Object.hasOwn(kept, from) ? kept[from] : undefined;
    return id === undefined ? kept : { ...kept, [to]: id };
  });
}

/** Lets a name's client id go, so that no other service gets it. @throws SakuraError FILE_FAILED */
export function forgetClientId(directory: string, name: string): void {
  setClientId(directory, name, undefined);
}

/** The id that is kept for a name, if one is. @throws SakuraError INVALID_CONFIG when the file holds something else */
export function keptClientId(directory: string, name: string): string | undefined {
  const kept = readKept(join(directory, FILE));
  return Object.hasOwn(kept, name) ? kept[name] : undefined;
}

/** @param id nothing for none. @throws SakuraError FILE_FAILED */
export function setClientId(directory: string, name: string, id: string | undefined): void {
  changeKept(directory, ({ [name]: _, ...kept }) => (id === undefined ? kept : { ...kept, [name]: id }));
}

function changeKept(
  directory: string,
  change: (kept: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
): void {
  const file = join(directory, FILE);
  try {
    const kept = readKept(file);
    const changed = change(kept);
    if (!isDeepStrictEqual(kept, changed)) write(directory, file, changed);
  } catch (cause) {
    const message = `the services' client ids cannot be kept in ${file}: ${reasonOf(cause)}`;
    throw new SakuraError("FILE_FAILED", message, { context: { file }, cause });
  }
}

function readKept(file: string): Record<string, string> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return {};
    throw error;
  }
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SakuraError("INVALID_CONFIG", "it is there and is no list of client ids; move it away", { cause });
  }
}

/** Whole or not at all: a power cut must not leave half a file. */
function write(directory: string, file: string, ids: Readonly<Record<string, string>>): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const partial = `${file}.new`;
  writeFileSync(partial, `${JSON.stringify(ids, null, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(partial, file);
}
