import { describe, expect, it } from "vitest";
import { parseDeviceEndpoint } from "../../host/config/device-endpoint.ts";
import { failsWith } from "../support/errors.ts";

const path = (text: string) => ({ kind: "path", path: text }) as const;

describe("a device's endpoint", () => {
  it.each([
    ["/dev/ttyUSB0", { kind: "serial", place: path("/dev/ttyUSB0") }],
    ["/dev/ttyUSB0:57600", { kind: "serial", place: path("/dev/ttyUSB0"), baudRate: 57600 }],
    ["COM3", { kind: "serial", place: path("COM3") }],
    [
      "usb:1A86:7523?baud=57600",
      { kind: "serial", place: { kind: "usb", vendorId: "1a86", productId: "7523" }, baudRate: 57600 },
    ],
    [
      "usb:0403:6001:A5:57600",
      { kind: "serial", place: { kind: "usb", vendorId: "0403", productId: "6001", serialNumber: "A5:57600" } },
    ],
  ])("%s", (text, endpoint) => {
    expect(parseDeviceEndpoint(text)).toEqual(endpoint);
  });

  it.each([
    ["usb:0403", "the USB product id is missing"],
    ["usb:0403:6001?wait=5", "behind the ? of this port comes baud=…"],
    ["usb:0403:6001?baud=fast", "a baud rate is a whole number"],
    ["uart:/dev/ttyUSB0", "did you mean /dev/ttyUSB0?"],
    ["uart:usb:0403:6001", "did you mean usb:0403:6001?"],
    ["ttyUSB0", "an endpoint is pty, pty:/path/of/link, /dev/ttyUSB0"],
  ])("%s is refused, and it is said why", async (text, why) => {
    const parsing = async () => parseDeviceEndpoint(text);
    expect((await failsWith("INVALID_ARGUMENT", parsing())).message).toContain(why);
  });
});
