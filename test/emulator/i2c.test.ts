/** The module on I2C (§4): what unmodified drivers do to it, one by one, moved byte by byte as a wire moves it. */
import { beforeEach, describe, expect, it } from "vitest";
import { attachI2c, type I2cEvent, type I2cTarget } from "../../emulator/bus/i2c.ts";
import { parseFaults } from "../../emulator/faults.ts";
import { type Desk, desk, hex, valuesOf } from "../support/desk.ts";
import { bytes } from "../vectors/bytes.ts";

/** GET_UNIQUE_ID and what it answers; the id is the one of the vendor's documents. */
const ID_REQUEST = "A1 00 A1";
const ID_ANSWER = "01 0A 31 36 42 30 31 30 30 32 36 30 7B";
/** RX_PEEK of an empty queue is refused (§1, §7). */
const PEEK_REQUEST = "31 00 31";
const REFUSED = "05 00 05";
/** TX_ENQUEUE of the int32 25 on channel 1. */
const ENQUEUE_REQUEST = "20 0A 01 69 19 00 00 00 00 00 00 00 5B";

let at: Desk;
let bus: I2cTarget;
let events: I2cEvent[];

beforeEach(() => {
  at = desk({ uniqueId: "16B0100260" });
  events = [];
  bus = attachI2c(at.module, { onEvent: (event) => events.push(event) });
});

/** START, address and W, the bytes; gives whether each was acknowledged. */
function write(text: string, { stop = true } = {}): boolean[] {
  const acks = [bus.start("write"), ...[...bytes(text)].map((byte) => bus.write(byte))];
  if (stop) bus.stop();
  return acks;
}

/** START (or a repeated one), address and R, so many bytes, STOP. */
function read(length: number, { stop = true } = {}): string {
  expect(bus.start("read")).toBe(true);
  const data = hex(Uint8Array.from({ length }, () => bus.read()));
  if (stop) bus.stop();
  return data;
}

describe("the module on I2C", () => {
  it("is at 0x4F", () => {
    expect(bus.address).toBe(0x4f);
  });

  it("acknowledges a request, and a read gives its answer", () => {
    expect(write(ID_REQUEST)).toEqual([true, true, true, true]);
    expect(read(13)).toBe(ID_ANSWER);
    expect(events).toEqual([]);
  });

  it("reads as 0x00 behind its answer: SMBus reads 32 bytes always", () => {
    write(ID_REQUEST);
    expect(read(32)).toBe(`${ID_ANSWER}${" 00".repeat(19)}`);
  });

  it("does not spoil a check over everything read: one driver XORs all of its 35 bytes", () => {
    write(ID_REQUEST);
    bus.start("read");
    let parity = 0;
    for (let i = 0; i < 35; i++) parity ^= bus.read();
    expect(parity).toBe(0);
  });

  it("keeps its answer through the lone 0x20 that an SMBus block read writes before its repeated start", () => {
    write(ID_REQUEST);
    write("20", { stop: false });
    expect(read(13)).toBe(ID_ANSWER);
    expect(events).toEqual([]);
  });

  it("keeps its answer through an address probe, which writes nothing", () => {
    write(ID_REQUEST);
    expect(write("")).toEqual([true]);
    expect(read(13)).toBe(ID_ANSWER);
  });

  it("starts again at the status byte with each read", () => {
    write(ID_REQUEST);
    expect(read(2)).toBe("01 0A");
    expect(read(13)).toBe(ID_ANSWER);
  });

  it("starts again at the status byte with a repeated start too", () => {
    write(ID_REQUEST);
    expect(read(5, { stop: false })).toBe("01 0A 31 36 42");
    expect(read(13)).toBe(ID_ANSWER);
  });

  it("gives its status again to the one byte more that some drivers read after an error", () => {
    write(PEEK_REQUEST);
    expect(read(1)).toBe("05");
    expect(read(1)).toBe("05");
    write(ID_REQUEST);
    expect(read(13)).toBe(ID_ANSWER);
  });

  it("gives a fixed 16 bytes of a refusal as the refusal and 0x00", () => {
    write(PEEK_REQUEST);
    expect(read(16)).toBe(`${REFUSED}${" 00".repeat(13)}`);
  });

  it("runs a command at its parity byte, though STOP comes only after the driver's wait", async () => {
    write(ENQUEUE_REQUEST, { stop: false });
    expect(at.module.state.txQueue).toHaveLength(1);
    await at.clock.advance(10);
    bus.stop();
    expect(read(3)).toBe("01 00 01");
    expect(at.module.state.txQueue).toHaveLength(1);
  });

  it("is read after a repeated start, with no STOP since the request", () => {
    write(ID_REQUEST, { stop: false });
    expect(read(13)).toBe(ID_ANSWER);
  });

  it("takes a request whose bytes come with pauses", async () => {
    bus.start("write");
    for (const byte of bytes(ENQUEUE_REQUEST)) {
      expect(bus.write(byte)).toBe(true);
      await at.clock.advance(500);
    }
    bus.stop();
    expect(read(3)).toBe("01 00 01");
    expect(at.module.state.txQueue).toHaveLength(1);
  });

  it("lets a write that is longer than its frame be: the command runs once, and its answer stands", () => {
    expect(write(`${ENQUEUE_REQUEST} 00 00 FF`)).toEqual(Array(17).fill(true));
    expect(read(3)).toBe("01 00 01");
    expect(at.module.state.txQueue).toHaveLength(1);
    expect(events).toEqual([{ kind: "surplus", bytes: 3 }]);
  });

  it("answers 04 00 04 to a write that is no whole frame, and never the answer before", () => {
    write(ID_REQUEST);
    write("A1 00");
    expect(read(13)).toBe(`04 00 04${" 00".repeat(10)}`);
    expect(events).toEqual([{ kind: "no-frame", bytes: 2 }]);
  });

  it("answers 04 00 04 also where the request goes on in a second write", () => {
    write("20 0A 01");
    expect(write("69 19 00 00 00 00 00 00 00 5B")).not.toContain(false);
    expect(read(3)).toBe("04 00 04");
    expect(at.module.state.txQueue).toEqual([]);
  });

  it("answers 02 00 02 to a wrong parity", () => {
    write("A1 00 A0");
    expect(read(3)).toBe("02 00 02");
  });

  it("tells the truth in len to a driver that can read 32 bytes at most", () => {
    const data = Array.from({ length: 60 }, (_, i) => i);
    const frame = [0x0f, 60, ...data];
    write(hex(Uint8Array.from([...frame, frame.reduce((parity, byte) => parity ^ byte, 0)])));
    expect(read(32)).toBe(`01 3C ${hex(Uint8Array.from(data.slice(0, 30)))}`);
  });

  it("reads as 0x00 before anything was asked", () => {
    expect(read(4)).toBe("00 00 00 00");
    expect(events).toEqual([{ kind: "nothing-asked" }]);
  });

  it("is driven through a whole send as the Arduino driver does it: write, STOP, 10 ms, read, STOP", async () => {
    const ask = async (request: string, length: number): Promise<string> => {
      write(request);
      await at.clock.advance(10);
      return read(length);
    };
    expect(await ask(ENQUEUE_REQUEST, 3)).toBe("01 00 01");
    expect(await ask("24 00 24", 3)).toBe("01 00 01");
    expect(await ask("25 00 25", 5)).toBe("01 02 01 00 02");
    await at.clock.advance(100);
    expect(await ask("25 00 25", 5)).toBe("01 02 00 00 03");
    expect(valuesOf(at.log.messages)).toEqual([[25]]);
  });
});

describe("a module on I2C that takes its time", () => {
  beforeEach(() => {
    bus = attachI2c(at.module, { readyAfterMs: 10, onEvent: (event) => events.push(event) });
  });

  it("reads as 0x00, never as the answer before, until it is ready", async () => {
    write(PEEK_REQUEST);
    await at.clock.advance(10);
    expect(read(3)).toBe(REFUSED);
    write(ID_REQUEST);
    await at.clock.advance(9);
    expect(read(13)).toBe("00 00 00 00 00 00 00 00 00 00 00 00 00");
    expect(events).toEqual([{ kind: "too-early" }]);
    await at.clock.advance(1);
    expect(read(13)).toBe(ID_ANSWER);
  });
});

describe("faults on I2C", () => {
  it("that flip damage both ways: a request with a wrong parity, an answer with one", () => {
    at.module.setFaults(parseFaults("flip=1,seed=3"));
    write(ID_REQUEST);
    at.module.setFaults();
    expect(read(3)).toMatch(/^0[24] 00 0[24]$/);
    write(ID_REQUEST);
    at.module.setFaults(parseFaults("flip=1,seed=3"));
    expect(read(13)).not.toBe(ID_ANSWER);
    at.module.setFaults();
    expect(read(13)).toBe(ID_ANSWER);
  });

  it("that drop a written byte are not acknowledged, and the command does not run", () => {
    bus.start("write");
    for (const byte of bytes(ENQUEUE_REQUEST).slice(0, -1)) expect(bus.write(byte)).toBe(true);
    at.module.setFaults(parseFaults("drop=1"));
    expect(bus.write(0x5b)).toBe(false);
    at.module.setFaults();
    bus.stop();
    expect(read(3)).toBe("04 00 04");
    expect(at.module.state.txQueue).toEqual([]);
  });

  it("that drop what is read end all the same", () => {
    write(ID_REQUEST);
    at.module.setFaults(parseFaults("drop=1"));
    expect(read(13)).toBe("00 00 00 00 00 00 00 00 00 00 00 00 00");
  });

  it("that delay make the answer late", async () => {
    at.module.setFaults(parseFaults("delay=50"));
    write(ID_REQUEST);
    await at.clock.advance(49);
    expect(read(3)).toBe("00 00 00");
    await at.clock.advance(1);
    expect(read(13)).toBe(ID_ANSWER);
  });
});

it("a module that updates in silence does not acknowledge", async () => {
  at = desk({ update: { silent: true, durationMs: 1000, outcome: "ok" } });
  bus = attachI2c(at.module);
  write("A8 04 53 6B 72 61 87");
  write("A9 00 A9");
  expect(write("AA 00 AA")).toContain(false);
  expect(bus.start("read")).toBe(false);
  await at.clock.advance(1000);
  write("AA 00 AA");
  expect(read(4)).toBe("01 01 00 00");
});
