/** The emulated module on the simulated TWI, alone on its bus (§4). */
import { hexByte } from "../../protocol/hex.ts";
import { attachI2c, type I2cEvent } from "../bus/i2c.ts";
import type { EmulatedModule } from "../module.ts";
import type { Board } from "./board.ts";
import type { Notes } from "./notes.ts";
import { pinNamed } from "./pins.ts";
import { CPU_HZ } from "./registers.ts";
import type { Wire } from "./wire.ts";

/** The module is specified for 100 kHz and was driven at 400 (§4). */
const SCL_MAX_HZ = 400_000;
const SDA = pinNamed("A4");
const SCL = pinNamed("A5");

export function wireI2c(board: Board, module: EmulatedModule, notes: Notes, readyAfterMs: number | undefined): Wire {
  const { twi } = board;
  const target = attachI2c(module, {
    readyAfterMs,
    onEvent: (event) => notes.tell(event.kind, sayI2c(event)),
  });
  let starts = 0;
  let spiBytes = 0;
  const { spi } = board;
  const clocked = spi.onByte;
  spi.onByte = (value) => {
    spiBytes++;
    clocked(value);
  };
  const others = new Set<number>();
  /** The module was addressed and has acknowledged. */
  let talking = false;

  twi.bus = {
    start() {
      starts++;
      talking = false;
      if (twi.frequency > SCL_MAX_HZ)
        notes.tell(
          "fast-clock",
          `SCL runs at ${Math.round(twi.frequency / 1000)} kHz; the module takes 100 kHz, and 400 at most`,
        );
    },
    address(address, direction) {
      if (address === target.address) {
        talking = target.start(direction);
        return talking;
      }
      others.add(address);
      notes.tell(
        "other-address",
        `the firmware asks for the I2C address ${hexByte(address)}; the module is at ${hexByte(target.address)}`,
        `other-address ${address}`,
      );
      return false;
    },
    write: (byte) => talking && target.write(byte),
    // Nobody drives the line: it is pulled up.
    read: () => (talking ? target.read() : 0xff),
    // The module sees every STOP: the write that it ends may lie before a repeated start to another address.
    stop() {
      talking = false;
      target.stop();
    },
  };

  return {
    describe() {
      const held = heldLow(board);
      if (held) return held;
      const stuck = sayTwi(board);
      const elsewhere = spiBytes > 0 ? `, but its SPI clocked ${spiBytes} bytes: is the module on SPI?` : "";
      if (starts === 0) return `its TWI sent no START${stuck ? `, and ${stuck}` : ""}${elsewhere}`;
      const asked = others.size > 0 ? `, it asks for the address ${[...others].map(hexByte).join(", ")}` : "";
      return `its TWI sent ${starts} START${starts === 1 ? "" : "s"}${asked}${stuck ? `, and ${stuck}` : ""}`;
    },
  };
}

function heldLow(board: Board): string | undefined {
  // With TWEN the interface drives the pins, whatever the port says (datasheet §14.3.2).
  if (board.twi.state.kind !== "off") return undefined;
  for (const [name, pin] of [
    ["SCL (A5)", SCL],
    ["SDA (A4)", SDA],
  ] as const)
    if (board.level(pin) === "low") return `it holds ${name} low as a GPIO output, with the TWI off`;
  return undefined;
}

/** What keeps the interface from going on, where something does. */
function sayTwi(board: Board): string | undefined {
  const { state } = board.twi;
  switch (state.kind) {
    case "off":
      return "the TWI is off (TWEN is 0)";
    case "waiting": {
      const seconds = (board.cpu.cycles - state.since) / CPU_HZ;
      return seconds < 0.1
        ? undefined
        : `the clock is stuck: TWINT is set, and for ${seconds.toFixed(1)} s the firmware has not cleared it`;
    }
    case "stuck":
      return "it cleared TWINT after a NACKed read with neither START nor STOP, where the TWI does nothing more";
    case "idle":
    case "busy":
      return undefined;
  }
}

function sayI2c(event: I2cEvent): string {
  switch (event.kind) {
    case "no-frame":
      return `the firmware wrote ${event.bytes} bytes that are no whole frame; the next answer is 04 00 04`;
    case "surplus":
      return `the firmware wrote ${event.bytes} more byte${event.bytes === 1 ? "" : "s"} than its frame has`;
    case "nothing-asked":
      return "the firmware reads before it has written a request; it gets 0x00";
    case "too-early":
      return "the firmware read the answer before it was ready, and got 0x00; wait longer between write and read";
  }
}
