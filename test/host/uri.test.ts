import { describe, expect, it } from "vitest";
import { parsePortUri, portUriText } from "../../host/uri.ts";
import { failsWith } from "../support/errors.ts";

const usb = (vendorId: string, productId: string, serialNumber?: string) =>
  ({ kind: "usb", vendorId, productId, serialNumber }) as const;
const parsing = async (text: string) => parsePortUri(text);

describe("a port URI", () => {
  it.each([
    ["uart:/dev/ttyUSB0", { kind: "uart", place: { kind: "path", path: "/dev/ttyUSB0" }, baudRate: 115200 }],
    ["uart:/dev/ttyUSB0?baud=57600", { kind: "uart", place: { kind: "path", path: "/dev/ttyUSB0" }, baudRate: 57600 }],
    [
      "uart:/dev/serial/by-id/usb-FTDI:1-if00",
      { kind: "uart", place: { kind: "path", path: "/dev/serial/by-id/usb-FTDI:1-if00" }, baudRate: 115200 },
    ],
    ["uart:COM3", { kind: "uart", place: { kind: "path", path: "COM3" }, baudRate: 115200 }],
    ["uart:pty-link", { kind: "uart", place: { kind: "path", path: "pty-link" }, baudRate: 115200 }],
    ["uart:usb:0403:6001", { kind: "uart", place: usb("0403", "6001"), baudRate: 115200 }],
    ["uart:usb:1A86:7523?baud=9600", { kind: "uart", place: usb("1a86", "7523"), baudRate: 9600 }],
    ["uart:usb:0403:6001:A50285BI", { kind: "uart", place: usb("0403", "6001", "A50285BI"), baudRate: 115200 }],
    ["uart:usb:0403:6001:a:b c/#&=", { kind: "uart", place: usb("0403", "6001", "a:b c/#&="), baudRate: 115200 }],
    [
      "buspirate+spi:usb:0403:6001:A5?baud=9600&power=off",
      {
        kind: "buspirate",
        bus: "spi",
        line: { kind: "uart", place: usb("0403", "6001", "A5"), baudRate: 9600 },
        waitMs: undefined,
        power: false,
        pullUps: true,
      },
    ],
    ["tcp:127.0.0.1:7000", { kind: "tcp", host: "127.0.0.1", port: 7000 }],
    ["tcp:bench.local:65535", { kind: "tcp", host: "bench.local", port: 65535 }],
    ["tcp:[::1]:7000", { kind: "tcp", host: "::1", port: 7000 }],
    [
      "buspirate+i2c:/dev/ttyUSB0",
      {
        kind: "buspirate",
        bus: "i2c",
        line: { kind: "uart", place: { kind: "path", path: "/dev/ttyUSB0" }, baudRate: 115200 },
        waitMs: undefined,
        power: true,
        pullUps: true,
      },
    ],
    [
      "buspirate+i2c:tcp:127.0.0.1:7000?wait=0&power=off&pullups=off",
      {
        kind: "buspirate",
        bus: "i2c",
        line: { kind: "tcp", host: "127.0.0.1", port: 7000 },
        waitMs: 0,
        power: false,
        pullUps: false,
      },
    ],
    [
      "buspirate+spi:COM7?baud=9600",
      {
        kind: "buspirate",
        bus: "spi",
        line: { kind: "uart", place: { kind: "path", path: "COM7" }, baudRate: 9600 },
        waitMs: undefined,
        power: true,
        pullUps: true,
      },
    ],
    ["i2c:/dev/i2c-1", { kind: "i2c", path: "/dev/i2c-1", bus: 1, waitMs: undefined }],
    ["i2c:/dev/i2c-22?wait=100", { kind: "i2c", path: "/dev/i2c-22", bus: 22, waitMs: 100 }],
    [
      "spi:/dev/spidev0.1",
      { kind: "spi", path: "/dev/spidev0.1", bus: 0, device: 1, waitMs: undefined, speed: 250000 },
    ],
    [
      "spi:/dev/spidev10.0?speed=100000&wait=65",
      { kind: "spi", path: "/dev/spidev10.0", bus: 10, device: 0, waitMs: 65, speed: 100000 },
    ],
  ])("%s", (text, uri) => {
    expect(parsePortUri(text)).toEqual(uri);
  });

  it.each([
    "uart:/dev/ttyUSB0",
    "uart:COM3?baud=9600",
    "uart:usb:0403:6001",
    "uart:usb:0403:6001:a:b c?baud=9600",
    "buspirate+i2c:usb:0403:6001:A5?wait=5",
    "buspirate+spi:usb:1a86:7523",
    "tcp:127.0.0.1:7000",
    "tcp:[::1]:7000",
    "buspirate+i2c:/dev/ttyUSB0",
    "buspirate+i2c:tcp:[::1]:7000?wait=0&power=off&pullups=off",
    "buspirate+spi:/dev/ttyUSB0?baud=9600&wait=20&power=off",
    "i2c:/dev/i2c-1?wait=5",
    "spi:/dev/spidev0.0",
    "spi:/dev/spidev1.2?wait=5&speed=100000",
  ])("%s is written as it is read", (text) => {
    expect(portUriText(parsePortUri(text))).toBe(text);
  });

  it("without a speed has the one that the caller wishes", () => {
    expect(parsePortUri("uart:COM3", { baudRate: 9600 })).toEqual({
      kind: "uart",
      place: { kind: "path", path: "COM3" },
      baudRate: 9600,
    });
    expect(parsePortUri("uart:COM3?baud=300", { baudRate: 9600 })).toEqual({
      kind: "uart",
      place: { kind: "path", path: "COM3" },
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
    "buspirate:/dev/ttyUSB0",
    "buspirate+uart:/dev/ttyUSB0",
    "buspirate+i2c:",
    "buspirate+i2c:tcp:127.0.0.1",
    "buspirate+i2c:tcp:127.0.0.1:7000?baud=9600",
    "buspirate+i2c:/dev/ttyUSB0?power=maybe",
    "buspirate+i2c:/dev/ttyUSB0?wait=-1",
    "buspirate+i2c:/dev/ttyUSB0?wait=10001",
    "buspirate+i2c:/dev/ttyUSB0?wait=1&wait=2",
    "buspirate+spi:/dev/ttyUSB0?pullups=on",
    "i2c:1",
    "i2c:/dev/i2c-",
    "i2c:/dev/i2c-1?speed=100000",
    "spi:/dev/spidev0",
    "spi:/dev/spidev0.0?speed=999",
    "spi:/dev/spidev0.0?speed=350001",
    "spi:/dev/spidev0.0?wait=66",
  ])("%j is refused", async (text) => {
    await failsWith("INVALID_ARGUMENT", parsing(text));
  });

  it.each(["uart:/dev/ttyUSB0", "i2c:/dev/i2c-1", "spi:/dev/spidev0.0"])(
    "%s without its scheme says so",
    async (uri) => {
      const bare = uri.slice(uri.indexOf("/"));
      expect((await failsWith("INVALID_ARGUMENT", parsing(bare))).message).toContain(`did you mean ${uri}?`);
    },
  );

  it.each([
    ["uart:usb:", 'a USB vendor id is 4 hexadecimal digits, such as 0403, not ""'],
    ["uart:usb:403:6001", 'a USB vendor id is 4 hexadecimal digits, such as 0403, not "403"'],
    ["uart:usb:0403", "the USB product id is missing"],
    ["uart:usb:0403?baud=9600", "the USB product id is missing"],
    ["buspirate+i2c:usb:0403:60g1", 'a USB product id is 4 hexadecimal digits, such as 6001, not "60g1"'],
    ["uart:usb:0403:60015", 'a USB product id is 4 hexadecimal digits, such as 6001, not "60015"'],
    ["uart:usb:0403:6001:", "the serial number is missing behind the last colon"],
    ["uart:usb:0403:6001:A5?speed=1", "behind the ? of this port comes baud=…"],
    ["usb:0403:6001", "did you mean uart:usb:0403:6001?"],
  ])("%s is refused, and it is said why", async (text, why) => {
    expect((await failsWith("INVALID_ARGUMENT", parsing(text))).message).toContain(why);
  });

  it("has its ids in lower case, and its serial number as it is", () => {
    expect(portUriText(parsePortUri("uart:usb:1A86:7523:ABcd"))).toBe("uart:usb:1a86:7523:ABcd");
  });
});
