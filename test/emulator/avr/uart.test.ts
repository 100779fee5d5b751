/** The emulated module on the USART of real AVR programs, and that USART as a serial line of its own (datasheet §20). */
import { describe, expect, it } from "vitest";
import { failsWith } from "../../support/errors.ts";
import { runCase } from "../../support/firmware.ts";

describe("the module on the USART", () => {
  it("is asked in AT lines and answers; what it said goes up", async () => {
    await using fw = await runCase("uart-send", { bus: "uart" });
    expect(await fw.nextMessage()).toMatchObject({
      payload: { channels: [{ channel: 2, type: "i", value: 5 }] },
    });
    expect(fw.notes).toEqual([]);
    expect(fw.serial).toBe("");
  });

  it("takes the line's time: 14 and 16 bytes, and as many more with each OK", async () => {
    await using fw = await runCase("uart-send", { bus: "uart" });
    // 14 bytes of question at 117647 baud, 16 and 4 of answer at 115200, 34 of the next question; then the send's 100 ms.
    expect((await fw.nextMessage()).datetime).toBe("2017-04-01T04:51:10.105Z");
  });

  it("understands nothing at another speed, and says so once", async () => {
    await using fw = await runCase("uart-baud", { bus: "uart" });
    const error = await failsWith("TIMEOUT", fw.nextMessage({ timeout: 1 }));
    expect(error.message).toMatch(/it asked the module nothing; its USART sent 14 bytes, and the module answered/);
    expect(fw.notes[0]?.text).toBe(
      "the firmware's USART runs at 57143 baud, the module at 115200: only garbage passes",
    );
  });
});

describe("the USART as a serial line", () => {
  it("lets what is written through, though UCSR0A is set last", async () => {
    await using fw = await runCase("blink");
    await fw.nextSerial("on\n");
    // Two bytes and the newline at 117647 baud.
    expect(fw.time).toBeLessThan(0.001);
  });

  it("brings bytes in while the program writes UCSR0B all the time", async () => {
    await using fw = await runCase("echo");
    fw.sendSerial("hello\n");
    await fw.nextSerial("got hello\n");
    fw.sendSerial("world\n");
    await fw.nextSerial("got world\n");
    expect(fw.notes).toEqual([]);
  });

  it("keeps three bytes for a program that is busy, and loses the rest", async () => {
    await using fw = await runCase("echo");
    // The second line comes while the first is still being answered.
    fw.sendSerial("a\nbcdefghijk\nl\n");
    await fw.nextSerial("got a\n");
    await fw.nextSerial("got bcd");
  });

  it("loses what is written before there is room", async () => {
    await using fw = await runCase("serial-careless");
    await fw.nextSerial("\n");
    // One in the shift register, one in UDR0.
    expect(fw.serial).toBe("ab\n");
    expect(fw.notes.map(({ kind }) => kind)).toEqual(["serial-lost"]);
  });
});
