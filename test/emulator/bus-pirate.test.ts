/** The emulated Bus Pirate (module-protocol §6), byte for byte, with a module behind it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attachBusPirate, type BusPirateEvent, type BusPirateOptions } from "../../emulator/bus/bus-pirate.ts";
import { openPty } from "../../emulator/bus/pty.ts";
import type { EmulatedModuleOptions } from "../../emulator/state.ts";
import { desk, hex } from "../support/desk.ts";
import { FakeLine } from "../support/fake-line.ts";
import { PlainDriver } from "../support/plain-driver.ts";
import { bytes } from "../vectors/bytes.ts";

const latin = (text: string): string => Buffer.from(bytes(text)).toString("latin1");
const ZEROS = "00 ".repeat(20).trim();
/** `BBIO1`, `I2C1`, `SPI1` */
const BBIO1 = "42 42 49 4F 31";
const I2C1 = "49 32 43 31";
const SPI1 = "53 50 49 31";
/** GET_SIGNAL_QUALITY and its answer: signal 5 (§2) */
const ASK = "02 00 02";
const ANSWER = "01 01 05 05";
/** The module's address, 0x4F (§4), with W and with R */
const WRITE = "9E";
const READ = "9F";

function plugged(options: Omit<EmulatedModuleOptions, "clock"> & BusPirateOptions = {}) {
  const at = desk(options);
  const line = new FakeLine();
  const events: BusPirateEvent[] = [];
  const detach = attachBusPirate(at.module, line.duplex, { ...options, onEvent: (event) => events.push(event) });
  /** What it answers, both in hex. */
  const say = (request: string): string => {
    line.send(latin(request));
    return hex(Buffer.from(line.read(), "latin1"));
  };
  return { ...at, line, events, detach, say };
}

function inI2c(options?: Parameters<typeof plugged>[0]) {
  const at = plugged(options);
  expect(at.say(`${ZEROS} 02`)).toBe(`${BBIO1} ${I2C1}`);
  return at;
}

function inSpi(options?: Parameters<typeof plugged>[0]) {
  const at = plugged(options);
  expect(at.say(`${ZEROS} 01`)).toBe(`${BBIO1} ${SPI1}`);
  return at;
}

describe("the modes", () => {
  it("answer BBIO1 to the twentieth 0x00 and to each further one", () => {
    const { say } = plugged();
    for (let zero = 1; zero < 20; zero++) expect(say("00")).toBe("");
    expect(say("00")).toBe(BBIO1);
    expect(say("00")).toBe(BBIO1);
    expect(say("00 00")).toBe(`${BBIO1} ${BBIO1}`);
  });

  it("are entered with 0x02 and 0x01, tell their name, and lead back with 0x00", () => {
    const { say } = inI2c();
    expect(say("01")).toBe(I2C1);
    expect(say("00")).toBe(BBIO1);
    expect(say("01")).toBe(SPI1);
    expect(say("01")).toBe(SPI1);
    expect(say("00 02")).toBe(`${BBIO1} ${I2C1}`);
  });

  it("are left with 0x0F: 0x01, then text for people; and twenty 0x00s lead back", () => {
    const { say, line } = inI2c();
    expect(say("00")).toBe(BBIO1);
    line.send("\x0f");
    expect(line.read()).toMatch(/^\x01\r\nBus Pirate v3 .*\r\nFirmware v5\.10\r\nHiZ>$/s);
    expect(say("00 00")).toBe("");
    expect(say(`${ZEROS} 00`).slice(0, 14)).toBe(BBIO1);
  });

  it("include the user terminal, which echoes, prompts, and resets at #", () => {
    const { line } = plugged();
    line.send("m\r");
    expect(line.read()).toBe("m\r\nHiZ>");
    line.send("#\r");
    expect(line.read()).toMatch(/^#\r\nRESET\r\n\r\nBus Pirate v3/);
  });

  it("include the terminal's speed menu, which programs go through with LF alone", () => {
    const { line } = plugged();
    line.send("b\n");
    expect(line.read()).toMatch(/^b\r\n.*\(9\)>$/s);
    line.send("10\n");
    expect(line.read()).toMatch(/^10\r\n.*\(34\)>$/s);
    line.send("1\n");
    expect(line.read()).toMatch(/^1\r\nAdjust your terminal/);
    line.send("x ");
    expect(line.read()).toBe("\r\nHiZ>");
  });

  it("answer pins by what they were set to, and 0x00 to what is no command, which is told", () => {
    const { say, events } = plugged();
    expect(say(`${ZEROS} D5 4A 10`)).toBe(`${BBIO1} 55 0A 00`);
    expect(say("02 05 0F 64 9E")).toBe(`${I2C1} 00 00 00 00`);
    expect(say("00 01 06 7F 90")).toBe(`${BBIO1} ${SPI1} 00 00 00`);
    expect(events.map((event) => event.kind === "unknown-command" && [event.mode, event.byte])).toEqual([
      ["bitbang", 0x10],
      ["i2c", 0x05],
      ["i2c", 0x0f],
      ["i2c", 0x64],
      ["i2c", 0x9e],
      ["spi", 0x06],
      ["spi", 0x7f],
      ["spi", 0x90],
    ]);
  });

  it("take power, pull-ups, speed and polarity with 0x01", () => {
    expect(inI2c().say("4C 60 61 62 63 40")).toBe("01 01 01 01 01 01");
    expect(inSpi().say("49 60 63 67 8A 41")).toBe("01 01 01 01 01 01");
  });
});

describe("I2C, command by command", () => {
  it("writes a frame and reads its answer, each byte answered, without any power or pull-ups before", () => {
    const { say, events } = inI2c();
    // START; four bytes, each acknowledged; STOP
    expect(say(`02 13 ${WRITE} ${ASK} 03`)).toBe("01 01 00 00 00 00 01");
    // START; the address; four times a byte and an ACK, the last not acknowledged; STOP
    expect(say(`02 10 ${READ} 04 06 04 06 04 06 04 07 03`)).toBe("01 01 00 01 01 01 01 05 01 05 01 01");
    expect(events).toEqual([]);
  });

  it("answers the bulk command at once, and each byte as it comes", () => {
    const { say } = inI2c();
    expect(say("02")).toBe("01");
    expect(say("13")).toBe("01");
    for (const byte of [WRITE, "02", "00", "02"]) expect(say(byte)).toBe("00");
    expect(say("03")).toBe("01");
  });

  it("does not acknowledge another address, nor what is written to it, nor anything without a START", () => {
    const { say, module } = inI2c();
    const frames: unknown[] = [];
    module.onFrame((frame) => frames.push(frame));
    expect(say(`02 13 A0 ${ASK} 03`)).toBe("01 01 01 01 01 01 01");
    // 0x3F and 0x4F differ in one bit
    expect(say("02 10 7E 03")).toBe("01 01 01 01");
    expect(say(`13 ${WRITE} ${ASK}`)).toBe("01 01 01 01 01");
    expect(say("04")).toBe("FF");
    expect(frames).toEqual([]);
  });

  it("reads FF from a bus that nobody drives: unaddressed, addressed for writing, after a NACK", () => {
    const { say } = inI2c();
    say(`02 13 ${WRITE} ${ASK}`);
    expect(say("04 03 04")).toBe("FF 01 FF");
    expect(say(`02 10 ${READ} 04 07 04 03`)).toBe("01 01 00 01 01 FF 01");
  });

  it("runs the command at its parity byte, whenever STOP comes; a repeated START ends the write too", () => {
    const { say, module } = inI2c();
    let frames = 0;
    module.onFrame(() => frames++);
    say(`02 13 ${WRITE} ${ASK}`);
    expect(frames).toBe(1);
    // 04 06 …: the answer, then the surplus
    expect(say(`02 10 ${READ} 04 06 04 06 04 06 04 06 04 07 03`)).toBe("01 01 00 01 01 01 01 05 01 05 01 00 01 01");
  });

  it("does not acknowledge for a module that is silent", async () => {
    const { say, module, clock } = inI2c({ update: { silent: true } });
    module.handle(bytes("A8 04 53 6B 72 61 87"));
    module.handle(bytes("A9 00 A9"));
    expect(say(`02 10 ${WRITE} 03`)).toBe("01 01 01 01");
    await clock.advance(5000);
    expect(say(`02 10 ${WRITE} 03`)).toBe("01 01 00 01");
  });

  it("lets the module go when the mode is left in the middle", () => {
    const { say, events } = inI2c();
    say(`02 12 ${WRITE} 02 00`);
    expect(events).toEqual([]);
    expect(say("00")).toBe(BBIO1);
    expect(events).toEqual([{ kind: "no-frame", bytes: 2 }]);
  });
});

describe("I2C, 0x08", () => {
  it("writes in one go", () => {
    const { say } = inI2c();
    expect(say(`08 00 04 00 00 ${WRITE} ${ASK}`)).toBe("01");
    expect(say(`08 00 01 00 04 ${READ}`)).toBe(`01 ${ANSWER}`);
    expect(say(`08 00 01 00 06 ${READ}`)).toBe(`01 ${ANSWER} 00 00`);
  });

  it("answers 0x00 alone when a byte was not acknowledged, and STOP is the program's to send", () => {
    const { say } = inI2c();
    expect(say("08 00 02 00 04 A0 00")).toBe("00");
    expect(say("03")).toBe("01");
    expect(say(`08 00 01 00 04 ${READ}`)).toBe("01 00 00 00 00");
  });

  it("refuses more than 4096 bytes either way at once, and takes what follows for commands", () => {
    const { say, events } = inI2c();
    expect(say("08 10 01 00 00 01")).toBe(`00 ${I2C1}`);
    expect(say("08 00 01 10 01 01")).toBe(`00 ${I2C1}`);
    expect(events).toEqual([
      { kind: "too-long", writeCount: 4097, readCount: 0 },
      { kind: "too-long", writeCount: 1, readCount: 4097 },
    ]);
    const most = say(`08 00 01 10 00 ${READ}`);
    expect(most.length).toBe(3 * 4097 - 1);
    expect(most.startsWith("01 00 00")).toBe(true);
  });

  it("with no bytes at all is a START and a STOP", () => {
    expect(inI2c().say("08 00 00 00 00")).toBe("01");
  });

  it("tells what the module saw: surplus, no frame, an answer asked for too early", async () => {
    const { say, events, clock } = inI2c({ readyAfterMs: 10 });
    say(`08 00 06 00 00 ${WRITE} ${ASK} FF FF`);
    expect(say(`08 00 01 00 04 ${READ}`)).toBe("01 00 00 00 00");
    await clock.advance(10);
    expect(say(`08 00 01 00 04 ${READ}`)).toBe(`01 ${ANSWER}`);
    say(`08 00 03 00 00 ${WRITE} A1 01`);
    expect(events).toEqual([{ kind: "surplus", bytes: 2 }, { kind: "too-early" }, { kind: "no-frame", bytes: 2 }]);
  });
});

describe("SPI", () => {
  it("exchanges byte for byte while chip select is low", () => {
    const { say, events } = inSpi();
    expect(say(`02 12 ${ASK}`)).toBe("01 01 00 00 00");
    expect(say("13 00 00 00 00")).toBe(`01 ${ANSWER}`);
    expect(say("10 00 03")).toBe("01 00 01");
    expect(events).toEqual([]);
  });

  it("answers the bulk command at once, and each byte as it comes", () => {
    const { say } = inSpi();
    expect(say("02")).toBe("01");
    expect(say("12")).toBe("01");
    for (const byte of ["02", "00", "02"]) expect(say(byte)).toBe("00");
    expect(say("10")).toBe("01");
    expect(say("00")).toBe("01");
  });

  it("does nothing while chip select is high, and says so", () => {
    const { say, events } = inSpi();
    expect(say(`12 ${ASK}`)).toBe("01 FF FF FF");
    expect(events).toEqual([{ kind: "not-selected" }]);
  });

  it("write-then-read: 0x04 moves chip select, 0x05 leaves it alone", () => {
    const { say, events } = inSpi();
    expect(say(`04 00 03 00 04 ${ASK}`)).toBe(`01 ${ANSWER}`);
    expect(say(`05 00 03 00 02 ${ASK}`)).toBe("01 FF FF");
    expect(say(`02 05 00 03 00 02 ${ASK} 05 00 00 00 02 03`)).toBe("01 01 01 01 01 05 05 01");
    expect(say("04 10 01 00 00 01")).toBe(`00 ${SPI1}`);
    expect(events).toEqual([{ kind: "not-selected" }, { kind: "too-long", writeCount: 4097, readCount: 0 }]);
  });

  it("has one chip select, whichever command moves it, and lets go of it with the mode", () => {
    const { say, events } = inSpi();
    // Power and chip select low; a frame; power and chip select high
    expect(say(`48 12 ${ASK} 13 00 00 00 00 49`)).toBe(`01 01 00 00 00 01 ${ANSWER} 01`);
    say("02 11 02 00");
    expect(say("00")).toBe(BBIO1);
    expect(events).toEqual([{ kind: "cut-short", bytes: 2 }]);
  });

  it("answers 0x00s before the module is ready", async () => {
    const { say, clock } = inSpi({ readyAfterMs: 10 });
    expect(say(`02 12 ${ASK} 11 00 00`)).toBe("01 01 00 00 00 01 00 00");
    await clock.advance(10);
    expect(say("13 00 00 00 00")).toBe(`01 ${ANSWER}`);
  });
});

describe("the module's faults", () => {
  it("act on the bus, never on the adapter's own line", () => {
    const { say, module } = inI2c();
    module.setFaults({ flip: 0, drop: 1, busy: 0, delay: 0, seed: 1 });
    expect(say("01")).toBe(I2C1);
    // The address is acknowledged; the byte that the module misses is not.
    expect(say(`02 11 ${WRITE} 02 03`)).toBe("01 01 00 01 01");
  });
});

describe("attaching and detaching", () => {
  it("listens no more once detached, and leaves the stream open", () => {
    const { say, detach, line } = inI2c();
    detach();
    detach();
    expect(say("01")).toBe("");
    expect(line.listeners).toBe(0);
    expect(line.ended).toBe(false);
  });

  it("lets go of a stream that ended", () => {
    const { line } = plugged();
    line.lose();
    expect(line.listeners).toBe(0);
  });
});

describe("whatever bytes come, split anywhere", () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.constantFrom(
      bytes(ZEROS),
      bytes("00 02"),
      bytes("00 01"),
      bytes(`02 13 ${WRITE} ${ASK} 03`),
      bytes(`08 00 04 00 00 ${WRITE} ${ASK}`),
      bytes(`08 00 01 00 08 ${READ}`),
      bytes(`04 00 03 00 04 ${ASK}`),
      bytes("1F"),
    ),
  );

  it("it answers the same, and works again after the way in", () => {
    let longest = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 15 }), (pieces) => {
        const whole = hex(Uint8Array.from([...bytes(ZEROS), ...pieces.flatMap((one) => [...one])]));
        const at = plugged();
        const answer = at.say(whole);
        const bytewise = plugged();
        expect(
          whole
            .split(" ")
            .map((byte) => bytewise.say(byte))
            .filter(Boolean)
            .join(" "),
        ).toBe(answer);
        longest = Math.max(longest, answer.length);
        at.line.send("\0".repeat(4 + 4096 + 20));
        at.line.read();
        expect(at.say(`02 08 00 04 00 00 ${WRITE} ${ASK} 08 00 01 00 04 ${READ}`)).toBe(`${I2C1} 01 01 ${ANSWER}`);
      }),
      { seed: 20091014, numRuns: 200 },
    );
    expect(longest).toBeGreaterThan(100);
  });
});

describe.skipIf(process.platform === "win32")("on a pseudo-terminal", () => {
  it("is a Bus Pirate for a program that knows nothing of this project", async () => {
    const { module } = desk();
    const pty = await openPty();
    const detach = attachBusPirate(module, pty.duplex);
    const driver = await PlainDriver.open(pty.path);
    try {
      await driver.write("\0".repeat(20));
      expect(await driver.read(5)).toBe("BBIO1");
      await driver.write("\x02");
      expect(await driver.read(4)).toBe("I2C1");
      await driver.write(latin(`08 00 04 00 00 ${WRITE} ${ASK}`));
      expect(await driver.read(1)).toBe("\x01");
      await driver.write(latin(`08 00 01 00 04 ${READ}`));
      expect(await driver.read(5)).toBe(latin(`01 ${ANSWER}`));
    } finally {
      await driver.close();
      detach();
      await pty.close();
    }
  });
});
