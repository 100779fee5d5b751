import { describe, expect, it } from "vitest";
import { reasonOf } from "../../protocol/errors.ts";
import {
  channelTypes,
  connectionErrors,
  downloadStatuses,
  fileStatuses,
  isChannelType,
  isSakuraError,
  powerSaveModes,
  products,
  SakuraError,
  statuses,
  statusMeanings,
  txStates,
  updateResults,
} from "../../protocol/index.ts";
import { thrown } from "./thrown.ts";

describe("the names of the module's states", () => {
  it.each([
    [
      "§1, statuses",
      statuses.values,
      { NONE: 1, PARITY: 2, MISSING: 3, INVALID_SYNTAX: 4, RUNTIME: 5, LOCKED: 6, BUSY: 7 },
    ],
    [
      "§2, 0x01",
      connectionErrors.values,
      { none: 0, "out-of-service-area": 1, "connection-error": 2, "unexpected-disconnect": 3 },
    ],
    ["§2, 0x25", txStates.values, { done: 0, sending: 1, failed: 2 }],
    [
      "§2, file metadata status",
      fileStatuses.values,
      { ok: 0, error: 1, "invalid-request": 2, "not-found": 0x81, "server-error": 0x82, "invalid-data": 0x83 },
    ],
    ["§2, download status", downloadStatuses.values, { none: 0, requesting: 1, receiving: 2, error: 0x81 }],
    [
      "§2, 0xAA",
      updateResults.values,
      { ok: 0, "already-up-to-date": 1, "version-check-failed": 2, "download-failed": 3, "verification-failed": 4 },
    ],
    ["§2, 0xA0", products.values, { "SCM-LTE-BETA": 1, "SCM-LTE-01": 2, "SCM-LTE-01 Rev.B": 3 }],
    ["§2, 0xB0", powerSaveModes.values, { disabled: 0, "auto-sleep": 1, "rf-off": 2 }],
  ])("are those of module-protocol %s", (_, values, expected) => {
    expect(values).toEqual(expected);
  });

  it("go both ways, also for a number that has no name", () => {
    expect(txStates.nameOf(2)).toBe("failed");
    expect(txStates.valueOf("failed")).toBe(2);
    expect(txStates.nameOf(200)).toBe("unknown-200");
    expect(txStates.valueOf("unknown-200")).toBe(200);
    expect(products.nameOf(65_535)).toBe("unknown-65535");
    expect(products.valueOf("unknown-65535")).toBe(65_535);
  });

  it("refuse a number past their range, and a name that is none", () => {
    thrown("INVALID_ARGUMENT", () => txStates.valueOf("unknown-256"));
    thrown("INVALID_ARGUMENT", () => products.valueOf("unknown-65536"));
    thrown("INVALID_ARGUMENT", () => connectionErrors.valueOf("unknown-128"));
    thrown("INVALID_ARGUMENT", () => updateResults.valueOf("unknown-64"));
    thrown("INVALID_ARGUMENT", () => txStates.valueOf("unknown--1"));
    thrown("INVALID_ARGUMENT", () => txStates.valueOf("unknown-1.5"));
    // @ts-expect-error no such name
    thrown("INVALID_ARGUMENT", () => txStates.valueOf("toString"));
  });

  it("have a meaning for each status", () => {
    expect(Object.keys(statusMeanings)).toEqual(Object.keys(statuses.values));
  });
});

describe("channel types (§2)", () => {
  it("are the vendor's seven, in its order", () => {
    expect(channelTypes).toEqual({
      i: "int32_t",
      I: "uint32_t",
      l: "int64_t",
      L: "uint64_t",
      f: "float",
      d: "double",
      b: "byte[8]",
    });
    expect(isChannelType("b")).toBe(true);
    for (const type of ["", "B", "x", "ii", "toString", "__proto__"]) expect(isChannelType(type)).toBe(false);
  });
});

describe("SakuraError", () => {
  it("has a code, a context and a cause, and is told apart by its code", () => {
    const cause = new Error("EIO");
    const error = new SakuraError("PORT_LOST", "it went away", { context: { port: "/dev/x" }, cause });
    expect(error).toMatchObject({ name: "SakuraError", code: "PORT_LOST", context: { port: "/dev/x" }, cause });
    expect(isSakuraError(error)).toBe(true);
    expect(isSakuraError(error, "PORT_LOST")).toBe(true);
    expect(isSakuraError(error, "TIMEOUT")).toBe(false);
    expect(isSakuraError(cause)).toBe(false);
    expect(new SakuraError("TIMEOUT", "late")).toMatchObject({ context: {} });
    expect("cause" in new SakuraError("TIMEOUT", "late")).toBe(false);
    expect([reasonOf(error), reasonOf("text"), reasonOf(undefined)]).toEqual(["it went away", "text", "undefined"]);
  });
});
