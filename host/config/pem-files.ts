/**
 * PEM text that came through an API, put into files beside the configuration. Not into the configuration itself: that one
 * is shown, copied and mailed when somebody asks for help, and a key must not be in it.
 */
import { createHash } from "node:crypto";
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import type { ServiceChanges } from "./edit.ts";
import { makePrivateFile } from "./write-file.ts";

const FIELDS = { rootca_cert: "root", cert: "cert", private_key: "key" } as const;

export interface StoredPems {
  /** The fields, with paths in place of PEM text. */
  readonly fields: ServiceChanges;
  /** Takes the new files away again. */
  undo(): Promise<void>;
}

/**
 * Each text becomes `certs/SERVICE-cert-HASH.pem`, mode 0600: another content is another file, so what the running
 * configuration names is never touched.
 * @param directory the configuration's
 * @throws SakuraError FILE_FAILED
 */
export async function storePems(fields: ServiceChanges, service: string, directory: string): Promise<StoredPems> {
  const made: string[] = [];
  const undo = async (): Promise<void> => {
    await Promise.all(made.map((file) => unlink(file).catch(() => undefined)));
  };
  const paths: { -readonly [K in keyof typeof FIELDS]?: string } = {};
  try {
    for (const field of ["rootca_cert", "cert", "private_key"] as const) {
      const text = fields[field];
      if (text === undefined || !text.includes("-----BEGIN")) continue;
      const hash = createHash("sha256").update(text).digest("hex").slice(0, 12);
      const path = `certs/${fileName(service)}-${FIELDS[field]}-${hash}.pem`;
      const file = join(directory, path);
      if (await makePrivateFile(file, `${text.trimEnd()}\n`)) made.push(file);
      paths[field] = path;
    }
  } catch (error) {
    await undo();
    throw error;
  }
  return { fields: { ...fields, ...paths }, undo };
}

/** What of a service's name every file system takes. */
function fileName(service: string): string {
  // Not with a hyphen in front, which programs take for an option.
  const plain = service.replaceAll(/[^A-Za-z0-9_-]+/g, "-").replace(/^-+/, "");
  return plain.slice(0, 40) || "service";
}
