import { describe, expect, it } from "vitest";
import { parsePortUri, portUriText } from "../../host/uri.ts";
import { failsWith } from "../support/errors.ts";

const parsing = async (text: string) => parsePortUri(text);

describe("a port URI", () => {
  it.each([
    ["uart:/dev/ttyUSB0", { kind: "uart", path: "/dev/ttyUSB0", baudRate: 115200 }],
    ["uart:/dev/ttyUSB0?baud=57600", { kind: "uart", path: "/dev/ttyUSB0", baudRate: 57600 }],
    [
      "uart:/dev/serial/by-id/usb-FTDI:1-if00",
      { kind: "uart", path: "/dev/serial/by-id/usb-FTDI:1-if00", baudRate: 115200 },
    ],
    ["uart:COM3", { kind: "uart", path: "COM3", baudRate: 115200 }],
    ["uart:pty-link", { kind: "uart", path: "pty-link", baudRate: 115200 }],
    ["tcp:127.0.0.1:7000", { kind: "tcp", host: "127.0.0.1", port: 7000 }],
    ["tcp:bench.local:65535", { kind: "tcp", host: "bench.local", port: 65535 }],
    ["tcp:[::1]:7000", { kind: "tcp", host: "::1", port: 7000 }],
  ])("%s", (text, uri) => {
    expect(parsePortUri(text)).toEqual(uri);
  });

  it.each(["uart:/dev/ttyUSB0", "uart:COM3?baud=9600", "tcp:127.0.0.1:7000", "tcp:[::1]:7000"])(
    "%s is written as it is read",
    (text) => {
      expect(portUriText(parsePortUri(text))).toBe(text);
    },
  );

  it("without a speed has the one that the caller wishes", () => {
    expect(parsePortUri("uart:COM3", { baudRate: 9600 })).toEqual({ kind: "uart", path: "COM3", baudRate: 9600 });
    expect(parsePortUri("uart:COM3?baud=300", { baudRate: 9600 })).toEqual({
      kind: "uart",
      path: "COM3",
      baudRate: 300,
    });
  });

  it.each([
    "",
    "uart:",
    "uart:?baud=9600",
    "uart:/dev/ttyUSB0?baud=",
    "uart:/dev/ttyUSB0?baud=fast",
    "uart:/dev/ttyUSB0?baud=0",
    "uart:/dev/ttyUSB0?baud=99999999",
    "uart:/dev/ttyUSB0?speed=9600",
    "tcp:",
    "tcp:127.0.0.1",
    "tcp:127.0.0.1:",
    "tcp:127.0.0.1:0",
    "tcp:127.0.0.1:65536",
    "tcp:127.0.0.1:7000x",
    "tcp::7000",
    "tcp:::1:7000",
    "http://127.0.0.1",
    "pty:/tmp/x",
  ])("%j is refused", async (text) => {
    await failsWith("INVALID_ARGUMENT", parsing(text));
  });

  it("that lacks its scheme is refused with the right one", async () => {
    expect((await failsWith("INVALID_ARGUMENT", parsing("/dev/ttyUSB0"))).message).toContain("uart:/dev/ttyUSB0?");
  });

  it.each([
    "buspirate+i2c:/dev/ttyUSB0",
    "buspirate+spi:/dev/ttyUSB0",
    "i2c:/dev/i2c-1",
    "spi:/dev/spidev0.0",
    "uart:usb:0403:6001",
  ])("%s is of a later version", async (text) => {
    expect((await failsWith("UNSUPPORTED", parsing(text))).message).toMatch(/uart:PATH and tcp:HOST:PORT/);
  });
});
