/** The emulated module on the SPI of real AVR programs (module-protocol §5; ATmega328P datasheet §19). */
import { describe, expect, it } from "vitest";
import { failsWith } from "../../support/errors.ts";
import { runCase } from "../../support/firmware.ts";

const spi = { bus: "spi" } as const;

describe("a program that uses it rightly", () => {
  it("sends its value up and reads its answers", async () => {
    await using fw = await runCase("spi-send", spi);
    expect(await fw.nextMessage()).toMatchObject({
      type: "channels",
      payload: { channels: [{ channel: 1, type: "i", value: 25 }] },
    });
    // TX_SENDIMMED answered NONE; GET_SIGNAL_QUALITY answered 5.
    await fw.nextSerial("010001 01010505\n");
    expect(fw.notes).toEqual([]);
  });

  it("takes the time of eight bits a byte at the clock that is set", async () => {
    await using fw = await runCase("spi-send", spi);
    const { datetime } = await fw.nextMessage();
    // 13 bytes at 125 kHz are 832 µs, with 12 pauses of 20 µs 1072 µs; then the send's 100 ms.
    expect(datetime).toBe("2017-04-01T04:51:10.101Z");
  });
});

describe("a program that uses it wrongly", () => {
  it.each([
    ["spi-fast", "fast-clock", "SCK runs at 1 MHz; the module takes up to 350 kHz"],
    ["spi-mode2", "spi-mode", "the firmware uses SPI mode 2; the module speaks mode 0"],
  ])("%s is told so, and goes on", async (name, kind, says) => {
    await using fw = await runCase(name, { bus: "spi", cs: name === "spi-mode2" ? "D9" : "PB2" });
    expect(await fw.nextMessage()).toMatchObject({ payload: { channels: [{ value: 25 }] } });
    await fw.nextSerial("010001 01010505\n");
    expect(fw.notes).toEqual([{ kind, text: says, time: expect.any(Number) }]);
  });

  it("whose bits come the other way round is not understood", async () => {
    await using fw = await runCase("spi-lsb", spi);
    await fw.nextSerial("000000 ");
    expect(fw.messages).toEqual([]);
    expect(fw.notes.map(({ kind }) => kind)).toContain("spi-order");
  });

  it("whose chip select is another pin is not seen", async () => {
    await using fw = await runCase("spi-mode2", spi);
    const error = await failsWith("TIMEOUT", fw.nextMessage({ timeout: 0.5 }));
    expect(error.message).toContain(
      "it asked the module nothing; its SPI clocked 23 bytes, and chip select (D10) went",
    );
    // FF: nobody drives the line.
    expect(fw.serial).toBe("FFFFFF FFFFFFFF\n");
    expect(fw.notes.map(({ text }) => text)).toContain(
      "the firmware clocks SPI while chip select (D10) is not low: the module does not see it; is it another pin?",
    );
  });

  it("that raises chip select before its last byte is out has asked nothing", async () => {
    await using fw = await runCase("spi-early", spi);
    await failsWith("TIMEOUT", fw.nextMessage({ timeout: 0.1 }));
    expect(fw.notes.map(({ kind }) => kind)).toContain("cut-short");
  });

  it("is no program of a pin that does not exist", async () => {
    await failsWith("INVALID_ARGUMENT", runCase("spi-send", { bus: "spi", cs: "D14" }));
  });
});
