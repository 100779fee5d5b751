/** A steady name for a pseudo-terminal: a symbolic link that never takes the place of anything else. */
import { randomBytes } from "node:crypto";
import { lstatSync, readlinkSync, renameSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { errnoOf, reasonOf, SakuraError } from "../../protocol/errors.ts";

/**
 * Makes `link` point at the device. Another symbolic link of that name is replaced in one step, so that whoever
 * looks sees the old one or the new one.
 *
 * @throws SakuraError INVALID_ARGUMENT when anything but a symbolic link is there, or when its directory is not;
 *   PORT_DENIED when the directory may not be written; PORT_FAILED otherwise
 */
export function placeLink(link: string, device: string): void {
  try {
    symlinkSync(device, link);
    return;
  } catch (cause) {
    if (errnoOf(cause) !== "EEXIST") throw linkFailed(link, cause);
  }
  const there = lstatSync(link, { throwIfNoEntry: false });
  if (there && !there.isSymbolicLink()) {
    throw new SakuraError(
      "INVALID_ARGUMENT",
      `${link} exists and is not a symbolic link, so it is left alone: name another path or remove it`,
      { context: { link } },
    );
  }
  const prepared = `${link}.${randomBytes(6).toString("hex")}`;
  try {
    symlinkSync(device, prepared);
    renameSync(prepared, link);
  } catch (cause) {
    rmSync(prepared, { force: true });
    throw linkFailed(link, cause);
  }
}

/** Removes the link if it still points at the device: a link that another program has put there stays. */
export function removeLink(link: string, device: string): void {
  try {
    if (readlinkSync(link) === device) unlinkSync(link);
  } catch (error) {
    // Gone already, or replaced by something that is no link: either way it is not ours any more.
    const code = errnoOf(error);
    if (code !== "ENOENT" && code !== "EINVAL" && code !== "ENOTDIR") throw linkFailed(link, error);
  }
}

function linkFailed(link: string, cause: unknown): SakuraError {
  const context = { link };
  switch (errnoOf(cause)) {
    case "ENOENT":
    case "ENOTDIR":
      return new SakuraError("INVALID_ARGUMENT", `no link at ${link}: its directory is not there, create it first`, {
        context,
        cause,
      });
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new SakuraError("PORT_DENIED", `no link at ${link}: its directory may not be written by this user`, {
        context,
        cause,
      });
    default:
      return new SakuraError("PORT_FAILED", `no link at ${link}: ${reasonOf(cause)}`, { context, cause });
  }
}
