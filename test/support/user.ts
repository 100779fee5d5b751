/** Permissions are for ordinary users: a test that is run as root sees none unless it steps down. */

const NOBODY = 65534;

/** Runs the work without root's rights, for files and devices; for an ordinary user it just runs it. */
export async function asOrdinaryUser<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(NOBODY);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}
