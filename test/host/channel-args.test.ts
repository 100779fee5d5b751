import { describe, expect, it } from "vitest";
import { parseChannelArgument } from "../../host/cli/channel-args.ts";
import { failsWith } from "../support/errors.ts";

describe("CH:TYPE=VALUE", () => {
  it.each([
    ["1:i=25", { channel: 1, type: "i", value: 25 }],
    ["0:i=-2147483648", { channel: 0, type: "i", value: -2147483648 }],
    ["127:I=4294967295", { channel: 127, type: "I", value: 4294967295 }],
    ["3:l=-9223372036854775808", { channel: 3, type: "l", value: -9223372036854775808n }],
    ["3:l=+9223372036854775807", { channel: 3, type: "l", value: 9223372036854775807n }],
    ["4:L=18446744073709551615", { channel: 4, type: "L", value: 18446744073709551615n }],
    ["2:f=23.5", { channel: 2, type: "f", value: 23.5 }],
    ["2:f=-1e-3", { channel: 2, type: "f", value: -0.001 }],
    ["2:d=.1", { channel: 2, type: "d", value: 0.1 }],
    ["2:d=1.7976931348623157e308", { channel: 2, type: "d", value: 1.7976931348623157e308 }],
    ["2:d=NaN", { channel: 2, type: "d", value: Number.NaN }],
    ["2:f=-inf", { channel: 2, type: "f", value: Number.NEGATIVE_INFINITY }],
    [
      "5:b=0f1e2d3c4b5c6b7a",
      { channel: 5, type: "b", value: Uint8Array.of(0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5c, 0x6b, 0x7a) },
    ],
    [
      "5:b=0x0F1E2D3C4B5C6B7A",
      { channel: 5, type: "b", value: Uint8Array.of(0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5c, 0x6b, 0x7a) },
    ],
  ])("%s", (text, entry) => {
    expect(parseChannelArgument(text)).toEqual(entry);
  });

  it.each([
    "",
    "1",
    "1:i",
    "1:i=",
    "1:i=2x",
    "1:i=2.5",
    "1:i=2147483648",
    "1:i=0x10",
    "1:I=-1",
    "128:i=1",
    "1000:i=1",
    "-1:i=1",
    "1:x=1",
    "1:toString=1",
    "1:l=9223372036854775808",
    "1:l=1e3",
    "1:L=-1",
    "1:f=1e39",
    "1:f=abc",
    "1:f=",
    "1:d=1e999",
    "1:d=1 2",
    "1:b=0f1e",
    "1:b=0f1e2d3c4b5c6b7",
    "1:b=0g1e2d3c4b5c6b7a",
    "1:i=25 2:i=26",
  ])("%j is refused with an example", async (text) => {
    const error = await failsWith("INVALID_ARGUMENT", (async () => parseChannelArgument(text))());
    expect(error.message).toContain("1:i=25 2:f=23.5");
  });
});
