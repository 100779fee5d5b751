/** File downloads (§2, 0x40–0x44). */
import { crc32 } from "node:zlib";
import { type Behaviours, type ModuleContext, refuse } from "../behaviour.ts";
import { choices } from "../choices.ts";
import type { StoredFile } from "../files.ts";
import type { Download } from "../state.ts";

type FileCommands =
  | "START_FILE_DOWNLOAD"
  | "GET_FILE_METADATA"
  | "GET_FILE_DOWNLOAD_STATUS"
  | "CANCEL_FILE_DOWNLOAD"
  | "GET_FILE_DATA";

export const fileBehaviours: Pick<Behaviours, FileCommands> = {
  START_FILE_DOWNLOAD(module, id) {
    const { kind } = module.state.download;
    if (kind === "requesting" || kind === "receiving") return refuse(choices.downloadUnderWay);
    void request(module, id);
    return undefined;
  },
  GET_FILE_METADATA({ state: { download } }) {
    switch (download.kind) {
      case "none":
        return refuse(choices.noDownload);
      case "requesting":
        return refuse(choices.metadataNotThere);
      case "failed":
        return { status: download.status, size: 0, timestamp: 0n, crc32: 0 };
      case "receiving":
      case "finished":
        return {
          status: "ok",
          size: download.file.data.length,
          timestamp: BigInt(download.file.timestamp),
          crc32: download.crc32,
        };
    }
  },
  GET_FILE_DOWNLOAD_STATUS({ state: { download } }) {
    switch (download.kind) {
      case "none":
        return { status: "none", received: 0 };
      case "requesting":
        return { status: "requesting", received: 0 };
      case "receiving":
        return { status: "receiving", received: download.handedOut };
      case "finished":
        return { status: "none", received: download.file.data.length };
      case "failed":
        return { status: "error", received: 0 };
    }
  },
  CANCEL_FILE_DOWNLOAD({ state }) {
    if (state.download.kind === "none") return refuse(choices.noDownload);
    state.download = { kind: "none" };
    return undefined;
  },
  GET_FILE_DATA({ state }, maxBytes) {
    const { download } = state;
    switch (download.kind) {
      case "none":
      case "failed":
        return refuse(choices.noDownload);
      case "requesting":
      case "finished":
        return new Uint8Array(0);
      case "receiving": {
        const part = download.file.data.subarray(download.handedOut, download.handedOut + maxBytes);
        download.handedOut += part.length;
        if (download.handedOut === download.file.data.length) state.download = { ...download, kind: "finished" };
        return part;
      }
    }
  },
};

/** Asks the platform for the file; a CANCEL, a reset or another START in the meantime makes the answer nobody's. */
async function request(module: ModuleContext, id: number): Promise<void> {
  const { state, clock } = module;
  const requesting: Download = { kind: "requesting" };
  state.download = requesting;
  const loading = load(module, id);
  await new Promise<void>((resolve) => void clock.after(state.fileDelayMs, resolve));
  const download = await loading;
  if (state.download === requesting) state.download = download;
}

async function load({ state, isOnline, report }: ModuleContext, id: number): Promise<Download> {
  if (!isOnline()) return { kind: "failed", status: "error" };
  try {
    return found(await state.files.load(id));
  } catch (error) {
    report({ kind: "file-failed", id, error });
    return { kind: "failed", status: "server-error" };
  }
}

function found(file: StoredFile | undefined): Download {
  if (!file) return { kind: "failed", status: "not-found" };
  const crc = crc32(file.data);
  if (file.data.length === 0) return { kind: "finished", file, crc32: crc };
  return { kind: "receiving", file, crc32: crc, handedOut: 0 };
}
