/** What the module refuses, and the bytes of each refusal, as literals. */
import type { Refusal } from "../../protocol/index.ts";

/** module-protocol §1, the table of statuses; §7: a refusal is `status 00 parity`, so that its parity is its status. */
export const refusalVectors: { readonly [S in Refusal]: string } = {
  PARITY: "02 00 02",
  MISSING: "03 00 03",
  INVALID_SYNTAX: "04 00 04",
  RUNTIME: "05 00 05",
  LOCKED: "06 00 06",
  BUSY: "07 00 07",
};

export interface RefusedRequest {
  readonly source: string;
  readonly request: string;
  readonly status: Refusal;
}

/** Refused before lock and state are looked at. */
export const refusedRequests: readonly RefusedRequest[] = [
  // A frame of the wrong size.
  { source: "module-protocol §7, size: nothing at all", request: "", status: "INVALID_SYNTAX" },
  { source: "module-protocol §7, size: one byte", request: "01", status: "INVALID_SYNTAX" },
  { source: "module-protocol §7, size: two bytes", request: "01 00", status: "INVALID_SYNTAX" },
  { source: "module-protocol §7, size: one byte short of `len`", request: "0F 02 41 4C", status: "INVALID_SYNTAX" },
  { source: "module-protocol §7, size: one byte past `len`", request: "0F 01 41 4F 00", status: "INVALID_SYNTAX" },
  // The order of the checks: each request has the faults of two.
  { source: "module-protocol §7, size before parity", request: "01 01 55", status: "INVALID_SYNTAX" },
  { source: "module-protocol §7, size before the code", request: "FF 01 FE", status: "INVALID_SYNTAX" },
  { source: "module-protocol §7, parity before the code", request: "FF 00 FE", status: "PARITY" },
  { source: "module-protocol §7, parity before the payload", request: "40 02 00 00 43", status: "PARITY" },
  { source: "module-protocol §7, the code before the payload", request: "99 02 01 02 98", status: "MISSING" },
  // Parity alone.
  { source: "module-protocol §1, parity: one bit", request: "A1 00 A0", status: "PARITY" },
  { source: "module-protocol §1, parity: another bit", request: "A1 00 21", status: "PARITY" },
  // Codes between and beyond the table's.
  { source: "module-protocol §2, no such code", request: "00 00 00", status: "MISSING" },
  { source: "module-protocol §2, no such code", request: "04 00 04", status: "MISSING" },
  { source: "module-protocol §2, no such code", request: "FF 00 FF", status: "MISSING" },
  // Payload lengths.
  { source: "module-protocol §2, 0x01 takes nothing", request: "01 01 00 00", status: "INVALID_SYNTAX" },
  { source: "module-protocol §2, 0x10 takes a pin", request: "10 00 10", status: "INVALID_SYNTAX" },
  { source: "module-protocol §2, 0x22 takes nothing", request: "22 01 00 23", status: "INVALID_SYNTAX" },
  {
    source: "module-protocol §7, TX_ENQUEUE of 9 bytes",
    request: "20 09 01 69 01 00 00 00 00 00 00 40",
    status: "INVALID_SYNTAX",
  },
  {
    source: "module-protocol §7, TX_ENQUEUE of 11 bytes",
    request: "20 0B 01 69 01 00 00 00 00 00 00 00 00 42",
    status: "INVALID_SYNTAX",
  },
  { source: "module-protocol §2, TX_SENDIMMED of nothing", request: "21 00 21", status: "INVALID_SYNTAX" },
  {
    source: "module-protocol §2, TX_SENDIMMED of an offset alone",
    request: "21 08 FF FF FF FF FF FF FF FF 29",
    status: "INVALID_SYNTAX",
  },
  {
    source: "module-protocol §2, TX_SENDIMMED of an entry and 7 bytes",
    request: "21 11 01 69 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 59",
    status: "INVALID_SYNTAX",
  },
  {
    source: "module-protocol §2, TX_SENDIMMED of 17 entries",
    request: `21 AA ${"00 69 01 00 00 00 00 00 00 00 ".repeat(17)}E3`,
    status: "INVALID_SYNTAX",
  },
  { source: "module-protocol §2, START_FILE_DOWNLOAD takes a u16", request: "40 01 01 40", status: "INVALID_SYNTAX" },
  { source: "module-protocol §2, GET_FILE_DATA takes a u8", request: "44 00 44", status: "INVALID_SYNTAX" },
  { source: "module-protocol §2, GET_FILE_DATA takes one u8", request: "44 02 01 02 45", status: "INVALID_SYNTAX" },
  { source: "module-protocol §2, SET_POWER_SAVE_MODE takes a u8", request: "B0 00 B0", status: "INVALID_SYNTAX" },
  { source: "module-protocol §2, an UNLOCK key cut short", request: "A8 03 53 6B 72 E1", status: "INVALID_SYNTAX" },
  {
    source: "module-protocol §2, an UNLOCK key too long",
    request: "A8 05 53 6B 72 61 00 86",
    status: "INVALID_SYNTAX",
  },
  // Fields.
  { source: "module-protocol §7, a wrong UNLOCK key", request: "A8 04 53 6B 72 62 84", status: "INVALID_SYNTAX" },
  {
    source: "module-protocol §7, a channel over 127",
    request: "20 0A 80 69 01 00 00 00 00 00 00 00 C2",
    status: "INVALID_SYNTAX",
  },
  {
    source: "module-protocol §7, an unknown type",
    request: "20 0A 01 78 01 00 00 00 00 00 00 00 52",
    status: "INVALID_SYNTAX",
  },
  {
    source: "module-protocol §2, TX_SENDIMMED with a bad second entry",
    request: "21 14 01 69 01 00 00 00 00 00 00 00 C8 69 01 00 00 00 00 00 00 00 FC",
    status: "INVALID_SYNTAX",
  },
  { source: "module-protocol §2, file id 0", request: "40 02 00 00 42", status: "INVALID_SYNTAX" },
  { source: "module-protocol §2, file id 6", request: "40 02 06 00 44", status: "INVALID_SYNTAX" },
  { source: "module-protocol §2, file id 257: both bytes count", request: "40 02 01 01 42", status: "INVALID_SYNTAX" },
  { source: "module-protocol §2, max bytes 0", request: "44 01 00 45", status: "INVALID_SYNTAX" },
];
