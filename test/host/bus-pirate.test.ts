/** The host's side of a Bus Pirate (module-protocol §6): bytes, recovery, and everything that goes wrong. */
import { describe, expect, it } from "vitest";
import { attachBusPirate } from "../../emulator/bus/bus-pirate.ts";
import { openPty } from "../../emulator/bus/pty.ts";
import { listenTcp } from "../../emulator/bus/tcp.ts";
import { VirtualClock } from "../../emulator/clock.ts";
import { openBusPirateI2c, openBusPirateSpi } from "../../host/adapter/bus-pirate.ts";
import { openSerialPort } from "../../host/adapter/serial-port.ts";
import { connectTcp } from "../../host/adapter/tcp.ts";
import type { I2cBus, SpiBus } from "../../host/bus.ts";
import { inTime, otherDevice, PluggedBusPirate } from "../support/bus-pirate.ts";
import { desk, hex } from "../support/desk.ts";
import { failsWith } from "../support/errors.ts";
import { bytes } from "../vectors/bytes.ts";

/** GET_SIGNAL_QUALITY and its answer: signal 5 (§2) */
const ASK = bytes("02 00 02");
const ANSWER = bytes("01 01 05 05");
const MODULE = 0x4f;
const LIMITS = { timeoutMs: 500 };
/** Status and length, then as the length says. */
const READING = {
  waitMs: 10,
  first: 2,
  more: (received: Uint8Array) => 3 + (received[1] ?? 0) - received.length,
  most: 258,
};
const ZEROS = "00 ".repeat(20).trim();

function openI2c(pirate: PluggedBusPirate, options: Parameters<typeof openBusPirateI2c>[1] = {}): Promise<I2cBus> {
  return inTime(pirate.clock, openBusPirateI2c(pirate.host, { clock: pirate.clock, ...options }));
}

function openSpi(pirate: PluggedBusPirate, options: Parameters<typeof openBusPirateSpi>[1] = {}): Promise<SpiBus> {
  return inTime(pirate.clock, openBusPirateSpi(pirate.host, { clock: pirate.clock, ...options }));
}

async function i2cReady(pirate = new PluggedBusPirate()) {
  const bus = await openI2c(pirate);
  pirate.heard();
  return { pirate, bus };
}

async function spiReady(pirate = new PluggedBusPirate()) {
  const bus = await openSpi(pirate);
  pirate.heard();
  return { pirate, bus };
}

/** A whole exchange, and that it worked. */
async function works(pirate: PluggedBusPirate, bus: I2cBus): Promise<void> {
  await inTime(pirate.clock, bus.write(MODULE, ASK, LIMITS));
  expect(await inTime(pirate.clock, bus.read(MODULE, 4, LIMITS))).toEqual(ANSWER);
}

describe("opening", () => {
  it("I2C: twenty 0x00s from the terminal, the mode, 100 kHz, power and pull-ups", async () => {
    const pirate = new PluggedBusPirate();
    const bus = await openI2c(pirate);
    expect(pirate.heard()).toBe(`${ZEROS} 02 62 4C`);
    expect(bus.name).toBe("the Bus Pirate at host's end");
  });

  it("SPI: mode 0 driven to 3.3 V, 250 kHz, power with chip select high", async () => {
    const pirate = new PluggedBusPirate();
    await openSpi(pirate);
    expect(pirate.heard()).toBe(`${ZEROS} 01 8A 62 49`);
  });

  it("takes what it is told", async () => {
    const plain = new PluggedBusPirate();
    await openI2c(plain, { power: false, pullUps: false, speed: 400 });
    expect(plain.heard()).toBe(`${ZEROS} 02 63 40`);
    const pulled = new PluggedBusPirate();
    await openSpi(pulled, { power: false, pullUps: true, speed: 30 });
    expect(pulled.heard()).toBe(`${ZEROS} 01 82 60 45`);
  });

  it("is given up by the signal, and closes the stream", async () => {
    const pirate = new PluggedBusPirate();
    const stop = new AbortController();
    const opening = openBusPirateI2c(pirate.host, { clock: pirate.clock, signal: stop.signal });
    const failure = failsWith("ABORTED", opening);
    await pirate.clock.advance(30);
    stop.abort();
    const { context } = await failure;
    expect(context).toMatchObject({ port: "host's end", step: "entering binary mode" });
    expect(pirate.clock.pending).toBe(0);
    let closed = false;
    pirate.host.onClose(() => {
      closed = true;
    });
    expect(closed).toBe(true);
  });
});

describe("opening one that was left", () => {
  const states: [string, string][] = [
    ["in bitbang mode", ZEROS],
    ["in I2C mode", `${ZEROS} 02`],
    ["in SPI mode", `${ZEROS} 01`],
    ["in SPI mode with chip select low", `${ZEROS} 01 02 11 02 00`],
    ["in the middle of an I2C transfer", `${ZEROS} 02 02 11 9E 02`],
    ["in the middle of an I2C bulk write", `${ZEROS} 02 02 1F 9E 02`],
    ["in the middle of an SPI bulk transfer", `${ZEROS} 01 02 1F 02`],
    ["behind 0x08", `${ZEROS} 02 08`],
    ["in the middle of 0x08's counts", `${ZEROS} 02 08 10 00`],
    ["with 0x08 waiting for 4096 bytes", `${ZEROS} 02 08 10 00 10 00`],
    ["with 0x08 waiting for the last one", `${ZEROS} 02 08 00 02 00 04 9E`],
    ["with SPI's 0x04 waiting for 4096 bytes", `${ZEROS} 01 04 10 00 10 00 02`],
    ["in the terminal with half a line typed", "6D 33"],
    ["in the terminal with some 0x00s sent", "00 00 00 00 00 00 00"],
  ];
  it.each(states)("%s", async (_where, words) => {
    const pirate = new PluggedBusPirate();
    pirate.spokenTo(words);
    await works(pirate, await openI2c(pirate));
  });

  it("in a menu of the terminal, where 0x00 counts for nothing: Enter, and # resets it", async () => {
    const pirate = new PluggedBusPirate();
    let menus = 3;
    const { host, say } = otherDevice((said) => {
      // Its mode menu, then two more: each takes Enter for its default, and beeps at anything else.
      if (menus > 0) return Buffer.from(said[0] === 0x0d && menus-- > 0 ? "\r\n(1)>" : "\x07");
      return undefined;
    });
    // From then on it is the emulated one.
    const relay = { ...host, write: (words: Uint8Array) => (menus > 0 ? host.write(words) : pirate.host.write(words)) };
    pirate.host.onBytes((answer) => say(Buffer.from(answer).toString("latin1")));
    const opening = openBusPirateI2c(
      { ...relay, onBytes: (on) => host.onBytes(on), onClose: (on) => host.onClose(on), close: () => host.close() },
      { clock: pirate.clock },
    );
    await inTime(pirate.clock, opening);
    expect(pirate.heard()).toMatch(/0D 23 0D 00/);
  });

  it("behind an FTDI chip, which keeps each answer for 16 ms", async () => {
    const pirate = new PluggedBusPirate();
    pirate.tamper = (answer) => {
      pirate.clock.after(16, () => pirate.say(hex(answer)));
      return undefined;
    };
    await works(pirate, await openI2c(pirate));
  });

  it("with answers of an earlier program still to come", async () => {
    const pirate = new PluggedBusPirate();
    pirate.spokenTo(`${ZEROS} 02`);
    for (let ms = 5; ms < 100; ms += 5) pirate.clock.after(ms, () => pirate.say("01 42 42 49 4F 31 01 05"));
    await works(pirate, await openI2c(pirate));
  });
});

describe("I2C", () => {
  it("writes with one command, its address first, and reads with one", async () => {
    const { pirate, bus } = await i2cReady();
    await inTime(pirate.clock, bus.write(MODULE, ASK, LIMITS));
    expect(pirate.heard()).toBe("08 00 04 00 00 9E 02 00 02");
    expect(await inTime(pirate.clock, bus.read(MODULE, 4, LIMITS))).toEqual(ANSWER);
    expect(pirate.heard()).toBe("08 00 01 00 04 9F");
    expect(pirate.events).toEqual([]);
  });

  it("carries the longest frame both ways", async () => {
    const { pirate, bus } = await i2cReady();
    const echo = Uint8Array.of(0x0f, 255, ...new Uint8Array(255).fill(0x5a), 0xaa);
    await inTime(pirate.clock, bus.write(MODULE, echo, LIMITS));
    const answer = await inTime(pirate.clock, bus.read(MODULE, 258, LIMITS));
    expect(answer).toEqual(Uint8Array.of(0x01, 255, ...new Uint8Array(255).fill(0x5a), 0xa4));
  });

  it("says which address did not acknowledge, ends the transfer with STOP, and goes on", async () => {
    const { pirate, bus } = await i2cReady();
    const write = await failsWith("NO_ANSWER", inTime(pirate.clock, bus.write(0x20, ASK, LIMITS)));
    expect(pirate.heard()).toBe("08 00 04 00 00 40 02 00 02 03");
    expect(write.context).toEqual({
      port: "host's end",
      step: "writing 3 bytes to 0x20",
      address: 0x20,
      reached: false,
    });
    expect(write.message).toBe(
      "the Bus Pirate at host's end, writing 3 bytes to 0x20: nothing acknowledged at 0x20; check wiring, power and pull-ups",
    );
    const read = await failsWith("NO_ANSWER", inTime(pirate.clock, bus.read(0x20, 1, LIMITS)));
    expect(read.context).toMatchObject({ step: "reading 1 byte from 0x20", reached: false });
    pirate.heard();
    await works(pirate, bus);
    // No way in again: it was in step.
    expect(pirate.heard()).toBe("08 00 04 00 00 9E 02 00 02 08 00 01 00 04 9F");
  });

  it("takes one call at a time, and addresses of 7 bits", async () => {
    const { pirate, bus } = await i2cReady();
    const first = bus.write(MODULE, ASK, LIMITS);
    await failsWith("INVALID_ARGUMENT", bus.read(MODULE, 4, LIMITS));
    await inTime(pirate.clock, first);
    await failsWith("INVALID_ARGUMENT", bus.write(0x9e, ASK, LIMITS));
    await failsWith("INVALID_ARGUMENT", bus.write(MODULE, new Uint8Array(4096), LIMITS));
    await failsWith("INVALID_ARGUMENT", bus.read(128, 1, LIMITS));
    for (const length of [0, 1.5, 4097]) await failsWith("INVALID_ARGUMENT", bus.read(MODULE, length, LIMITS));
    await works(pirate, bus);
  });
});

describe("SPI", () => {
  it("selects with the first bytes, waits, reads as it is told, deselects", async () => {
    const { pirate, bus } = await spiReady();
    const start = pirate.clock.now();
    const exchange = bus.exchange(ASK, READING, LIMITS);
    await pirate.clock.advance(9.9);
    expect(pirate.heard()).toBe("02 12 02 00 02");
    expect(await inTime(pirate.clock, exchange)).toEqual(ANSWER);
    expect(pirate.clock.now() - start).toBeLessThan(11);
    expect(pirate.heard()).toBe("11 00 00 11 00 00 03");
    expect(pirate.events).toEqual([]);
  });

  it("sends and reads long frames sixteen bytes at a time, each with its answer awaited", async () => {
    const { pirate, bus } = await spiReady();
    const frames: number[] = [];
    pirate.module.onFrame((frame) => frames.push(frame.length));
    const echo = Uint8Array.of(0x0f, 255, ...new Uint8Array(255).fill(0x5a), 0xaa);
    const answer = await inTime(pirate.clock, bus.exchange(echo, READING, LIMITS));
    expect(answer).toEqual(Uint8Array.of(0x01, 255, ...new Uint8Array(255).fill(0x5a), 0xa4));
    expect(frames).toEqual([258]);
    const said = pirate.heard();
    expect(said.startsWith("02 1F 0F FF 5A")).toBe(true);
    expect(said.endsWith("1F 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 03")).toBe(true);
  });

  it("sends four bytes at a time where SPI is slower than the serial line", async () => {
    const pirate = new PluggedBusPirate();
    const bus = await openSpi(pirate, { speed: 30 });
    pirate.heard();
    // ECHO_BACK of one byte, and a surplus byte behind it
    const reading = { waitMs: 0, first: 4, more: () => 0, most: 4 };
    const answer = await inTime(pirate.clock, bus.exchange(bytes("0F 03 01 02 03 0C"), reading, LIMITS));
    expect(answer).toEqual(bytes("01 03 01 02"));
    expect(pirate.heard()).toBe("02 13 0F 03 01 02 11 03 0C 13 00 00 00 00 03");
  });

  it("reads on for as long as more is wanted", async () => {
    const { pirate, bus } = await spiReady();
    const reading = { waitMs: 0, first: 2, more: (received: Uint8Array) => (received.length < 7 ? 3 : 0), most: 5 };
    expect(await inTime(pirate.clock, bus.exchange(ASK, reading, LIMITS))).toEqual(bytes("01 01 05 05 00 00 00 00"));
  });

  it("raises chip select also when reading fails on the caller's side, and when the wait is given up", async () => {
    const { pirate, bus } = await spiReady();
    const more = (): number => {
      throw new RangeError("the caller's own");
    };
    await expect(inTime(pirate.clock, bus.exchange(ASK, { ...READING, more }, LIMITS))).rejects.toThrow(RangeError);
    expect(pirate.heard()).toBe("02 12 02 00 02 11 00 00 03");
    const stop = new AbortController();
    const given = failsWith("ABORTED", bus.exchange(ASK, READING, { ...LIMITS, signal: stop.signal }));
    await pirate.clock.advance(5);
    stop.abort();
    await given;
    expect(pirate.heard()).toBe("02 12 02 00 02 03");
    expect(await inTime(pirate.clock, bus.exchange(ASK, READING, LIMITS))).toEqual(ANSWER);
    expect(pirate.heard().startsWith("02 12")).toBe(true);
  });

  it("raises chip select also after half an answer", async () => {
    const { pirate, bus } = await spiReady();
    pirate.tamper = (answer) => answer.subarray(0, 2);
    const { context } = await failsWith("NO_ANSWER", inTime(pirate.clock, bus.exchange(ASK, READING, LIMITS)));
    expect(context).toMatchObject({ port: "host's end", step: "exchanging 3 bytes", received: 2 });
    expect(pirate.heard()).toBe("02 12 02 00 02 03");
  });
});

describe("a port with something else on it", () => {
  const opening = (host: Parameters<typeof openBusPirateI2c>[0], clock: VirtualClock) =>
    inTime(clock, openBusPirateI2c(host, { clock }));

  it("that is silent: NO_ANSWER", async () => {
    const clock = new VirtualClock();
    const error = await failsWith("NO_ANSWER", opening(otherDevice(() => undefined).host, clock));
    expect(error.context).toEqual({ port: "host's end", step: "entering binary mode", received: 0 });
    expect(error.message).toContain("the Bus Pirate at host's end, entering binary mode: it did not answer");
    expect(clock.pending).toBe(0);
  });

  it("that prints text: PORT_FAILED, and it is not flooded", async () => {
    const clock = new VirtualClock();
    let said = 0;
    const { host, say } = otherDevice((words) => {
      said += words.length;
      return undefined;
    });
    const print = (): void => {
      say("login: ");
      clock.after(7, print);
    };
    print();
    const error = await failsWith("PORT_FAILED", opening(host, clock));
    expect(error.context).toMatchObject({ port: "host's end", step: "entering binary mode" });
    expect(error.message).toContain("answers, but not as a Bus Pirate does");
    expect(said).toBeLessThan(100);
  });

  it("that echoes: PORT_FAILED", async () => {
    const error = await failsWith("PORT_FAILED", opening(otherDevice((said) => said).host, new VirtualClock()));
    expect(error.context).toMatchObject({ port: "host's end", step: "entering binary mode" });
  });

  it("that says BBIO1 and never stops: PORT_FAILED", async () => {
    const clock = new VirtualClock();
    const { host, say } = otherDevice(() => undefined);
    const print = (): void => {
      say("BBIO1");
      clock.after(10, print);
    };
    print();
    const error = await failsWith("PORT_FAILED", opening(host, clock));
    expect(error.message).toContain("does not stop sending");
  });

  it("is given up in the time given, and the stream closed", async () => {
    const clock = new VirtualClock();
    const { host } = otherDevice(() => undefined);
    const start = clock.now();
    await failsWith("NO_ANSWER", inTime(clock, openBusPirateI2c(host, { clock, timeoutMs: 300 })));
    // What was fed is waited for once more.
    expect(clock.now() - start).toBeLessThan(2000);
    expect(clock.pending).toBe(0);
  });
});

describe("a Bus Pirate that fails while it is set up", () => {
  it.each([
    ["choosing I2C", /^I2C1/],
    ["setting the speed", /^\x01$/],
  ])("names the step: silent when %s", async (step, answer) => {
    const pirate = new PluggedBusPirate();
    pirate.tamper = (said) => (answer.test(Buffer.from(said).toString("latin1")) ? undefined : said);
    const error = await failsWith("NO_ANSWER", openI2c(pirate));
    expect(error.context).toEqual({ port: "host's end", step, received: 0 });
  });

  it("names the step: refuses power", async () => {
    const pirate = new PluggedBusPirate();
    let oks = 0;
    pirate.tamper = (said) => (said.length === 1 && ++oks === 2 ? bytes("00") : said);
    const error = await failsWith("PORT_FAILED", openI2c(pirate));
    expect(error.context).toMatchObject({ port: "host's end", step: "setting power and pull-ups" });
    expect(error.message).toContain("it answered 00");
  });

  it("is set up although late answers to the way in still come", async () => {
    const pirate = new PluggedBusPirate();
    // BBIO1, as each 0x00 that was one too many is answered by.
    pirate.tamper = (said) => (said.length === 4 ? bytes("42 42 49 4F 31 42 42 49 4F 31 49 32 43 31") : said);
    const bus = await openI2c(pirate);
    pirate.tamper = (said) => said;
    await works(pirate, bus);
  });

  it("names the step: another mode's name", async () => {
    const pirate = new PluggedBusPirate();
    pirate.tamper = (said) => (said.length === 4 ? bytes("53 50 49 31") : said);
    const error = await failsWith("PORT_FAILED", openI2c(pirate));
    expect(error.context).toMatchObject({ port: "host's end", step: "choosing I2C" });
  });

  it("names the step: unplugged", async () => {
    const pirate = new PluggedBusPirate();
    const opening = openBusPirateI2c(pirate.host, { clock: pirate.clock });
    const lost = failsWith("PORT_LOST", opening);
    await pirate.clock.advance(100);
    pirate.lose();
    const error = await lost;
    expect(error.context).toMatchObject({ port: "host's end", step: "entering binary mode" });
    expect(pirate.clock.pending).toBe(0);
  });
});

describe("after an answer that came", () => {
  const step = "writing 3 bytes to 0x4F";

  it("not at all, the next call gets back in step first", async () => {
    const { pirate, bus } = await i2cReady();
    pirate.tamper = () => undefined;
    const error = await failsWith("NO_ANSWER", inTime(pirate.clock, bus.write(MODULE, ASK, LIMITS)));
    expect(error.context).toEqual({ port: "host's end", step, received: 0 });
    pirate.tamper = (answer) => answer;
    pirate.heard();
    await works(pirate, bus);
    expect(pirate.heard()).toBe("00 02 62 4C 08 00 04 00 00 9E 02 00 02 08 00 01 00 04 9F");
  });

  it("too late, the next call does not take it for its own", async () => {
    const { pirate, bus } = await i2cReady();
    pirate.tamper = () => undefined;
    await failsWith("NO_ANSWER", inTime(pirate.clock, bus.read(MODULE, 4, LIMITS)));
    pirate.tamper = (answer) => answer;
    pirate.say("01 07 07 07 07");
    await works(pirate, bus);
  });

  it("too late, while the next call gets back in step", async () => {
    const { pirate, bus } = await i2cReady();
    pirate.tamper = () => undefined;
    await failsWith("NO_ANSWER", inTime(pirate.clock, bus.read(MODULE, 4, LIMITS)));
    pirate.tamper = (answer) => answer;
    pirate.clock.after(20, () => pirate.say("01 07 07 07 07"));
    await works(pirate, bus);
  });

  it("by half, the call says so and the next one works", async () => {
    const { pirate, bus } = await i2cReady();
    await works(pirate, bus);
    pirate.tamper = (answer) => answer.subarray(0, 3);
    const error = await failsWith("NO_ANSWER", inTime(pirate.clock, bus.read(MODULE, 4, LIMITS)));
    expect(error.context).toEqual({ port: "host's end", step: "reading 4 bytes from 0x4F", received: 3 });
    expect(error.message).toContain("sent only 3 of 5 bytes in time");
    pirate.tamper = (answer) => answer;
    await works(pirate, bus);
  });

  it("with too much, or wrong, it is PORT_FAILED, and the next one works", async () => {
    const { pirate, bus } = await i2cReady();
    pirate.tamper = (answer) => Uint8Array.of(...answer, 0x01);
    const more = await failsWith("PORT_FAILED", inTime(pirate.clock, bus.write(MODULE, ASK, LIMITS)));
    expect(more.context).toEqual({ port: "host's end", step, received: 2 });
    pirate.tamper = (answer) => answer;
    await works(pirate, bus);
    pirate.tamper = () => bytes("3F");
    const wrong = await failsWith("PORT_FAILED", inTime(pirate.clock, bus.write(MODULE, ASK, LIMITS)));
    expect(wrong.message).toContain("it answered 3F");
    pirate.tamper = (answer) => answer;
    await works(pirate, bus);
  });

  it("with too much in a second piece, the next call gets back in step", async () => {
    const { pirate, bus } = await i2cReady();
    pirate.tamper = (answer) => {
      pirate.tamper = (later) => later;
      pirate.clock.after(1, () => pirate.say("01"));
      return answer;
    };
    await inTime(pirate.clock, bus.write(MODULE, ASK, LIMITS));
    await pirate.clock.advance(2);
    pirate.heard();
    await works(pirate, bus);
    expect(pirate.heard()).toBe("00 02 62 4C 08 00 04 00 00 9E 02 00 02 08 00 01 00 04 9F");
  });

  it("unasked between two calls, the next one gets in step first: it was reset", async () => {
    const { pirate, bus } = await i2cReady();
    // It was left and is back in its terminal.
    pirate.spokenTo("00 0F");
    pirate.say("0D 0A 48 69 5A 3E");
    await pirate.clock.advance(1);
    pirate.heard();
    await works(pirate, bus);
    expect(pirate.heard().startsWith(`${ZEROS} 02 62 4C 08`)).toBe(true);
  });

  it("when the call was given up", async () => {
    const { pirate, bus } = await i2cReady();
    const stop = new AbortController();
    const given = failsWith("ABORTED", bus.write(MODULE, ASK, { ...LIMITS, signal: stop.signal }));
    stop.abort();
    expect((await given).context).toEqual({ port: "host's end", step });
    await failsWith("ABORTED", bus.write(MODULE, ASK, { ...LIMITS, signal: stop.signal }));
    await works(pirate, bus);
  });

  it("for SPI as well: the next exchange begins with the way in", async () => {
    const { pirate, bus } = await spiReady();
    pirate.tamper = (answer) => answer.subarray(1);
    await failsWith("NO_ANSWER", inTime(pirate.clock, bus.exchange(ASK, READING, LIMITS)));
    pirate.tamper = (answer) => answer;
    pirate.heard();
    expect(await inTime(pirate.clock, bus.exchange(ASK, READING, LIMITS))).toEqual(ANSWER);
    expect(pirate.heard().startsWith("00 01 8A 62 49 02 12 02 00 02")).toBe(true);
  });

  it("not any more: it stays an error, bounded in time", async () => {
    const { pirate, bus } = await i2cReady();
    pirate.tamper = () => undefined;
    await failsWith("NO_ANSWER", inTime(pirate.clock, bus.write(MODULE, ASK, LIMITS)));
    const error = await failsWith("PORT_FAILED", inTime(pirate.clock, bus.write(MODULE, ASK, LIMITS)));
    expect(error.context).toMatchObject({ step: "entering binary mode" });
    expect(pirate.clock.pending).toBe(0);
  });
});

describe("unplugged", () => {
  it("in the middle of a transfer: PORT_LOST with the step, onClose, and every later call", async () => {
    const { pirate, bus } = await i2cReady();
    const reasons: unknown[] = [];
    bus.onClose((reason) => reasons.push(reason?.code));
    pirate.tamper = (answer) => {
      pirate.lose();
      return answer;
    };
    const error = await failsWith("PORT_LOST", bus.write(MODULE, ASK, LIMITS));
    expect(error.context).toEqual({ port: "host's end", step: "writing 3 bytes to 0x4F" });
    expect(error.message).toBe("the Bus Pirate at host's end, writing 3 bytes to 0x4F: the cable was pulled");
    expect(reasons).toEqual(["PORT_LOST"]);
    await failsWith("PORT_LOST", bus.read(MODULE, 4, LIMITS));
    await bus.close();
    expect(pirate.clock.pending).toBe(0);
  });

  it("during SPI's wait", async () => {
    const { pirate, bus } = await spiReady();
    const lost = failsWith("PORT_LOST", bus.exchange(ASK, READING, LIMITS));
    await pirate.clock.advance(5);
    pirate.lose();
    await pirate.clock.advance(10);
    expect((await lost).context).toMatchObject({ port: "host's end", step: "exchanging 3 bytes" });
  });
});

describe("close", () => {
  it("switches off, leaves the mode and binary mode, and ends the stream without a reason", async () => {
    const { pirate, bus } = await i2cReady();
    const reasons: unknown[] = [];
    bus.onClose((reason) => reasons.push(reason));
    await inTime(pirate.clock, Promise.all([bus.close(), bus.close()]));
    expect(pirate.heard()).toBe("40 00 0F");
    expect(reasons).toEqual([undefined]);
    expect(pirate.clock.pending).toBe(0);
    await failsWith("CLOSED", bus.read(MODULE, 4, LIMITS));
    await bus.close();
  });

  it("leaves alone what it did not switch on", async () => {
    const pirate = new PluggedBusPirate();
    const bus = await openI2c(pirate, { power: false, pullUps: false });
    pirate.heard();
    await inTime(pirate.clock, bus.close());
    expect(pirate.heard()).toBe("00 0F");
  });

  it("rejects the call that is under way with CLOSED, and still leaves", async () => {
    const { pirate, bus } = await i2cReady();
    const closed = failsWith("CLOSED", bus.write(MODULE, ASK, LIMITS));
    await inTime(pirate.clock, bus.close());
    expect((await closed).context).toMatchObject({ port: "host's end", step: "writing 3 bytes to 0x4F" });
    expect(pirate.heard()).toBe("08 00 04 00 00 9E 02 00 02 00 0F");
  });

  it("raises chip select before it leaves an exchange that waits", async () => {
    const { pirate, bus } = await spiReady();
    const closed = failsWith("CLOSED", bus.exchange(ASK, READING, LIMITS));
    await pirate.clock.advance(5);
    await inTime(pirate.clock, bus.close());
    await closed;
    expect(pirate.heard()).toBe("02 12 02 00 02 03 40 00 0F");
  });

  it("does not wait long for one that answers nothing", async () => {
    const { pirate, bus } = await i2cReady();
    pirate.tamper = () => undefined;
    const start = pirate.clock.now();
    await inTime(pirate.clock, bus.close());
    expect(pirate.clock.now() - start).toBeLessThan(1000);
    expect(pirate.clock.pending).toBe(0);
  });
});

describe("over real streams", () => {
  it.skipIf(process.platform === "win32")("I2C and SPI on a pseudo-terminal, opened again and again", async () => {
    const { module } = desk();
    const pty = await openPty();
    const detach = attachBusPirate(module, pty.duplex);
    try {
      for (let round = 0; round < 2; round++) {
        const i2c = await openBusPirateI2c(await openSerialPort({ path: pty.path }));
        await i2c.write(MODULE, ASK, LIMITS);
        expect(await i2c.read(MODULE, 4, LIMITS)).toEqual(ANSWER);
        await i2c.close();
        const spi = await openBusPirateSpi(await openSerialPort({ path: pty.path }));
        expect(await spi.exchange(ASK, READING, LIMITS)).toEqual(ANSWER);
        await spi.close();
      }
    } finally {
      detach();
      await pty.close();
    }
  });

  it.skipIf(process.platform === "win32")("a pseudo-terminal that vanishes in the middle of a transfer", async () => {
    const { module } = desk();
    const pty = await openPty();
    attachBusPirate(module, pty.duplex);
    const bus = await openBusPirateI2c(await openSerialPort({ path: pty.path }));
    await bus.write(MODULE, ASK, LIMITS);
    // Nobody answers any more; then it is gone.
    const lost = failsWith(
      "PORT_LOST",
      bus.read(0x20, 4, { timeoutMs: 20_000 }).finally(() => undefined),
    );
    const gone = pty.close();
    const error = await lost;
    expect(error.context).toMatchObject({ port: pty.path, step: "reading 4 bytes from 0x20" });
    await gone;
    await bus.close();
  });

  it("TCP", async () => {
    const { module } = desk();
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 });
    listener.onConnection((duplex) => void attachBusPirate(module, duplex));
    const port = Number(listener.uri.split(":").at(-1));
    const bus = await openBusPirateI2c(await connectTcp({ host: "127.0.0.1", port }));
    await bus.write(MODULE, ASK, LIMITS);
    expect(await bus.read(MODULE, 4, LIMITS)).toEqual(ANSWER);
    await bus.close();
    await listener.close();
  });
});
