/** The module on SPI (§5): what unmodified drivers do to it, one by one, moved byte by byte as a wire moves it. */
import { beforeEach, describe, expect, it } from "vitest";
import { attachSpi, type SpiEvent, type SpiTarget } from "../../emulator/bus/spi.ts";
import { parseFaults } from "../../emulator/faults.ts";
import { type Desk, desk, hex, valuesOf } from "../support/desk.ts";
import { bytes } from "../vectors/bytes.ts";

const ID_REQUEST = "A1 00 A1";
const ID_ANSWER = "01 0A 31 36 42 30 31 30 30 32 36 30 7B";
const PEEK_REQUEST = "31 00 31";
const ENQUEUE_REQUEST = "20 0A 01 69 19 00 00 00 00 00 00 00 5B";

let at: Desk;
let bus: SpiTarget;
let events: SpiEvent[];

beforeEach(() => {
  at = desk({ uniqueId: "16B0100260" });
  events = [];
  bus = attachSpi(at.module, { onEvent: (event) => events.push(event) });
});

/** Clocks the bytes out, and gives what came back with them. */
function clock(text: string): string {
  return hex(Uint8Array.from([...bytes(text)].map((byte) => bus.exchange(byte))));
}

/** Clocks so many bytes in against 0x00. */
function read(length: number): string {
  return hex(Uint8Array.from({ length }, () => bus.exchange(0x00)));
}

describe("the module on SPI", () => {
  it("answers within the chip select of the request, and 0x00 behind its answer", () => {
    bus.select();
    expect(clock(ID_REQUEST)).toBe("00 00 00");
    expect(read(16)).toBe(`${ID_ANSWER} 00 00 00`);
    bus.deselect();
    expect(events).toEqual([]);
  });

  it("does not care what is clocked out against its answer", () => {
    bus.select();
    clock(ID_REQUEST);
    expect(clock("FF FF FF FF FF FF FF FF FF FF FF FF FF")).toBe(ID_ANSWER);
    bus.deselect();
  });

  it("takes a write that is longer than its frame for the beginning of the reading", () => {
    bus.select();
    expect(clock(`${ENQUEUE_REQUEST} 00 00 00 00`)).toBe(`${"00 ".repeat(13)}01 00 01 00`);
    bus.deselect();
    expect(at.module.state.txQueue).toHaveLength(1);
  });

  it("begins anew with each fall of chip select: drivers raise it right after an error status", () => {
    bus.select();
    clock(PEEK_REQUEST);
    expect(read(1)).toBe("05");
    bus.deselect();
    bus.select();
    clock(ID_REQUEST);
    expect(read(13)).toBe(ID_ANSWER);
    bus.deselect();
  });

  it("forgets a request in whose middle chip select is raised", () => {
    bus.select();
    clock("20 0A 01 69");
    bus.deselect();
    expect(events).toEqual([{ kind: "cut-short", bytes: 4 }]);
    bus.select();
    clock("19 00 00 00 00 00 00 00 5B");
    bus.deselect();
    expect(at.module.state.txQueue).toEqual([]);
    bus.select();
    clock(ID_REQUEST);
    expect(read(13)).toBe(ID_ANSWER);
    bus.deselect();
  });

  it("has carried a command out whose answer nobody clocks", () => {
    bus.select();
    clock(ENQUEUE_REQUEST);
    bus.deselect();
    expect(at.module.state.txQueue).toHaveLength(1);
    expect(events).toEqual([]);
  });

  it("takes a request whose bytes come with pauses", async () => {
    bus.select();
    for (const byte of bytes(ENQUEUE_REQUEST)) {
      expect(bus.exchange(byte)).toBe(0x00);
      await at.clock.advance(500);
    }
    expect(read(3)).toBe("01 00 01");
    bus.deselect();
  });

  it("does not see what is clocked while chip select is high", () => {
    expect(clock(ENQUEUE_REQUEST)).toBe(Array(13).fill("FF").join(" "));
    expect(at.module.state.txQueue).toEqual([]);
    expect(events).toEqual([{ kind: "not-selected" }]);
  });

  it("answers a wrong parity and a wrong field", () => {
    bus.select();
    clock("A1 00 A0");
    expect(read(3)).toBe("02 00 02");
    bus.deselect();
    // Channel 128.
    bus.select();
    clock("20 0A 80 69 19 00 00 00 00 00 00 00 DA");
    expect(read(3)).toBe("04 00 04");
    bus.deselect();
  });

  it("gives an answer of 258 bytes in one exchange", () => {
    const data = Array.from({ length: 255 }, (_, i) => (i * 7) & 0xff);
    const parityOf = (frame: readonly number[]): number => frame.reduce((parity, byte) => parity ^ byte, 0);
    bus.select();
    clock(hex(Uint8Array.from([0x0f, 255, ...data, parityOf([0x0f, 255, ...data])])));
    expect(read(258)).toBe(hex(Uint8Array.from([0x01, 255, ...data, parityOf([0x01, 255, ...data])])));
    bus.deselect();
  });

  it("is driven through a whole send: chip select low for request, 10 ms and answer", async () => {
    const ask = async (request: string, length: number): Promise<string> => {
      bus.select();
      clock(request);
      await at.clock.advance(10);
      const answer = read(length);
      bus.deselect();
      return answer;
    };
    expect(await ask(ENQUEUE_REQUEST, 3)).toBe("01 00 01");
    expect(await ask("24 00 24", 3)).toBe("01 00 01");
    await at.clock.advance(100);
    expect(await ask("25 00 25", 5)).toBe("01 02 00 00 03");
    expect(valuesOf(at.log.messages)).toEqual([[25]]);
  });
});

describe("a module on SPI that takes its time", () => {
  it("reads as 0x00 until it is ready; the answer is whole then", async () => {
    bus = attachSpi(at.module, { readyAfterMs: 10, onEvent: (event) => events.push(event) });
    bus.select();
    clock(ID_REQUEST);
    expect(read(4)).toBe("00 00 00 00");
    await at.clock.advance(9);
    expect(read(1)).toBe("00");
    await at.clock.advance(1);
    expect(read(13)).toBe(ID_ANSWER);
    bus.deselect();
    expect(events).toEqual([{ kind: "too-early" }]);
  });
});

describe("faults on SPI", () => {
  it("that flip damage both ways", () => {
    bus.select();
    at.module.setFaults(parseFaults("flip=1,seed=2"));
    clock("A1");
    at.module.setFaults();
    clock("00 A1");
    expect(read(3)).toMatch(/^0[234] 00 0[234]$/);
    bus.deselect();
    bus.select();
    clock(ID_REQUEST);
    at.module.setFaults(parseFaults("flip=1,seed=2"));
    expect(read(13)).not.toBe(ID_ANSWER);
    bus.deselect();
  });

  it("that drop a byte of the request leave it unfinished; chip select ends it", () => {
    bus.select();
    at.module.setFaults(parseFaults("drop=1"));
    clock("A1");
    at.module.setFaults();
    clock("00 A1");
    expect(read(3)).toBe("00 00 00");
    bus.deselect();
    expect(events).toEqual([{ kind: "cut-short", bytes: 5 }]);
  });

  it("that delay make the answer late", async () => {
    at.module.setFaults(parseFaults("delay=50"));
    bus.select();
    clock(ID_REQUEST);
    await at.clock.advance(49);
    expect(read(3)).toBe("00 00 00");
    await at.clock.advance(1);
    expect(read(13)).toBe(ID_ANSWER);
    bus.deselect();
  });
});

it("a module that updates in silence reads as 0x00", async () => {
  at = desk({ update: { silent: true, durationMs: 1000, outcome: "ok" } });
  bus = attachSpi(at.module);
  const ask = (request: string, length: number): string => {
    bus.select();
    clock(request);
    const answer = read(length);
    bus.deselect();
    return answer;
  };
  ask("A8 04 53 6B 72 61 87", 3);
  expect(ask("A9 00 A9", 3)).toBe("01 00 01");
  expect(ask("AA 00 AA", 4)).toBe("00 00 00 00");
  await at.clock.advance(1000);
  expect(ask("AA 00 AA", 4)).toBe("01 01 00 00");
});
