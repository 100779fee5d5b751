import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toHexLower } from "../../protocol/hex.ts";
import { fromHex, toHex } from "../../protocol/index.ts";
import { bytes } from "../vectors/bytes.ts";
import { anyText } from "./arbitraries.ts";
import { onlyFailsWith, thrown } from "./thrown.ts";

describe("hexadecimal", () => {
  it("is written in the case and with the separator asked for", () => {
    expect(toHex(bytes("00 0F A1 FF"))).toBe("000FA1FF");
    expect(toHex(bytes("00 0F A1 FF"), " ")).toBe("00 0F A1 FF");
    expect(toHexLower(bytes("00 0F A1 FF"))).toBe("000fa1ff");
    expect(toHex(bytes(""))).toBe("");
  });

  it.each(["000fA1ff", "00 0F A1 FF", "00:0f:a1:ff", "00, 0F, A1, FF", "\t00 0FA1\r\nff "])(
    "is read from %j",
    (text) => {
      expect(fromHex(text)).toEqual(bytes("00 0F A1 FF"));
    },
  );

  it.each(["A", "A10", "0x10", "G0", "A1-A2", "\uff11\uff10", "A1\u0130"])("is refused: %j", (text) => {
    thrown("INVALID_ARGUMENT", () => fromHex(text));
  });

  it("gives any bytes back, and throws nothing but INVALID_ARGUMENT", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.constantFrom("", " ", ":", ", "), (sent, separator) => {
        expect(fromHex(toHex(sent, separator))).toEqual(sent);
        expect(fromHex(toHexLower(sent))).toEqual(sent);
      }),
    );
    fc.assert(
      fc.property(anyText, (text) => onlyFailsWith(["INVALID_ARGUMENT"], () => fromHex(text))),
      { numRuns: 500 },
    );
  });
});
