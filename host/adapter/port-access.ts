/** Whether this user may open a serial port, and what to do where not. The port is not opened for it. */
import { constants } from "node:fs";
import { access, readFile, stat } from "node:fs/promises";
import { errnoOf, reasonOf } from "../../protocol/errors.ts";
import { findPortHolder, type PortHolder } from "./port-holder.ts";

export interface PortAccess {
  readonly exists: boolean;
  /** Whether this user may read and write it; the lock of a holder is not looked at. */
  readonly allowed: boolean;
  /** Where not allowed: the group that may, whenever joining it would help. */
  readonly group: string | undefined;
  /** Where it does not exist or is not allowed: why, and what to do, in words. */
  readonly problem: string | undefined;
  /** Who has it open, as far as this user may look. */
  readonly holder: PortHolder | undefined;
}

/**
 * Linux and macOS. On Windows a name such as `COM3` is no file: it exists and is allowed, as far as this can tell.
 *
 * @param path `/dev/ttyUSB0`, or a link to it
 */
export async function portAccess(path: string): Promise<PortAccess> {
  if (process.platform === "win32") {
    return { exists: true, allowed: true, group: undefined, problem: undefined, holder: undefined };
  }
  const denied = await access(path, constants.R_OK | constants.W_OK).then(
    () => undefined,
    (error: unknown) => error,
  );
  const code = errnoOf(denied);
  if (code === "ENOENT" || code === "ENOTDIR") {
    const problem = `there is no ${path}: check the name and the cable`;
    return { exists: false, allowed: false, group: undefined, problem, holder: undefined };
  }
  const holder = await findPortHolder(path);
  if (denied === undefined) return { exists: true, allowed: true, group: undefined, problem: undefined, holder };
  const known = code === "EACCES" || code === "EPERM";
  const problem = known ? await explainDenial(path, code) : `${path} cannot be opened: ${reasonOf(denied)}`;
  return { exists: true, allowed: false, group: await owningGroup(path), problem, holder };
}

/** In words: what keeps this user from opening the port, and what to do about it. */
export async function explainDenial(path: string, code: "EACCES" | "EPERM"): Promise<string> {
  if (code === "EPERM") {
    return `the system does not let this program use ${path}: if it runs in a container, hand it over with --device`;
  }
  const group = await owningGroup(path);
  if (group === undefined) return `no permission to open ${path}: its owner (see \`ls -l ${path}\`) has to allow it`;
  return `no permission to open ${path}: it belongs to the group ${group}; run \`${joinGroup(group)}\` and log in again`;
}

function joinGroup(group: string): string {
  return process.platform === "linux"
    ? `sudo usermod -a -G ${group} $USER`
    : `sudo dseditgroup -o edit -a $USER ${group}`;
}

/** The group that may read and write the device, by name where it has one; none when joining it would not help. */
async function owningGroup(path: string): Promise<string | undefined> {
  const facts = await stat(path).catch(() => undefined);
  if (!facts) return undefined;
  return groupThatMayOpen(facts, await readFile("/etc/group", "utf8").catch(() => ""));
}

/** @param groups the text of `/etc/group` */
export function groupThatMayOpen(
  facts: { readonly mode: number; readonly gid: number },
  groups: string,
): string | undefined {
  // Nobody should be told to join the administrators' group for a serial port.
  if ((facts.mode & 0o060) !== 0o060 || facts.gid === 0) return undefined;
  for (const line of groups.split("\n")) {
    const [name, , gid] = line.split(":");
    if (gid === String(facts.gid)) return name;
  }
  return String(facts.gid);
}
