/** Result codes and the states that the module reports, with what they mean (§1, §2). */
import { names } from "./codec.ts";

/** The first byte of every response (§1). */
export const statuses = names("status", {
  NONE: 0x01,
  PARITY: 0x02,
  MISSING: 0x03,
  INVALID_SYNTAX: 0x04,
  RUNTIME: 0x05,
  LOCKED: 0x06,
  BUSY: 0x07,
});

/** A response's status by name. `NONE` is success. */
export type Status = keyof typeof statuses.values;
/** A status that refuses: the command changed nothing. */
export type Refusal = Exclude<Status, "NONE">;

/** A status byte in a word, for logs: `NONE` would read as no answer. */
export function statusText(byte: number): string {
  return byte === statuses.values.NONE ? "OK" : statuses.nameOf(byte);
}

/** What each status says to a person who reads it. */
export const statusMeanings: { readonly [S in Status]: string } = {
  NONE: "success",
  PARITY: "the request arrived with a wrong parity",
  MISSING: "this firmware has no such command",
  INVALID_SYNTAX: "the request has a wrong length or field",
  RUNTIME: "cannot be done now: the queue is full or empty, or no download is running",
  LOCKED: "needs UNLOCK first",
  BUSY: "busy, ask again",
};

/** The low seven bits of GET_CONNECTION_STATUS: why the module was last offline. */
export const connectionErrors = names(
  "connection error",
  { none: 0, "out-of-service-area": 1, "connection-error": 2, "unexpected-disconnect": 3 },
  0x7f,
);
export type ConnectionError = ReturnType<typeof connectionErrors.nameOf>;

/** How a send goes, by TX_STAT. */
export const txStates = names("TX state", { done: 0, sending: 1, failed: 2 });
export type TxState = ReturnType<typeof txStates.nameOf>;

/** The first byte of GET_FILE_METADATA's payload. */
export const fileStatuses = names("file status", {
  ok: 0x00,
  error: 0x01,
  "invalid-request": 0x02,
  "not-found": 0x81,
  "server-error": 0x82,
  "invalid-data": 0x83,
});
export type FileStatus = ReturnType<typeof fileStatuses.nameOf>;

/** The first byte of GET_FILE_DOWNLOAD_STATUS's payload. */
export const downloadStatuses = names("download status", {
  none: 0x00,
  requesting: 0x01,
  receiving: 0x02,
  error: 0x81,
});
export type DownloadStatus = ReturnType<typeof downloadStatuses.nameOf>;

/** The low six bits of GET_UPDATE_FIRMWARE_STATUS: how the last update ended. */
export const updateResults = names(
  "update result",
  { ok: 0, "already-up-to-date": 1, "version-check-failed": 2, "download-failed": 3, "verification-failed": 4 },
  0x3f,
);
export type UpdateResult = ReturnType<typeof updateResults.nameOf>;

export const products = names("product", { "SCM-LTE-BETA": 1, "SCM-LTE-01": 2, "SCM-LTE-01 Rev.B": 3 }, 0xffff);
export type Product = ReturnType<typeof products.nameOf>;

export const powerSaveModes = names("power-save mode", { disabled: 0, "auto-sleep": 1, "rf-off": 2 });
export type PowerSaveMode = ReturnType<typeof powerSaveModes.nameOf>;
