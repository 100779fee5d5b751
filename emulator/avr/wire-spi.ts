/** The emulated module on the simulated SPI, its chip select on a pin of the user's choice (§5). */
import { spiConfig } from "avr8js";
import { SakuraError } from "../../protocol/errors.ts";
import { SPI_HZ_MAX } from "../../protocol/wiring.ts";
import { attachSpi, type SpiEvent } from "../bus/spi.ts";
import type { EmulatedModule } from "../module.ts";
import type { Board } from "./board.ts";
import type { Notes } from "./notes.ts";
import { type Pin, pinNamed } from "./pins.ts";
import { CPHA, CPOL, DORD } from "./registers.ts";
import { emptyBus } from "./twi.ts";
import type { Wire } from "./wire.ts";

const MOSI = pinNamed("D11");
const MISO = pinNamed("D12");
const SCK = pinNamed("D13");
/** A line that nobody drives. */
const FLOATING = 0xff;

export function wireSpi(
  board: Board,
  module: EmulatedModule,
  notes: Notes,
  cs: Pin,
  readyAfterMs: number | undefined,
): Wire {
  if (cs.port === "B" && [MOSI.bit, MISO.bit, SCK.bit].includes(cs.bit))
    throw new SakuraError(
      "INVALID_ARGUMENT",
      `${cs.name} is one of SPI's own pins, so it cannot be chip select: try D10`,
    );
  const { spi, cpu } = board;
  const target = attachSpi(module, {
    readyAfterMs,
    onEvent: (event) => notes.tell(event.kind, saySpi(event, cs)),
  });
  let bytes = 0;
  let twiStarts = 0;
  board.twi.bus = { ...emptyBus, start: () => void twiStarts++ };
  let selections = 0;
  board.watch(cs, (level) => {
    if (level === "low") {
      selections++;
      target.select();
    } else {
      target.deselect();
    }
  });

  spi.onByte = (value) => {
    if (!spi.isMaster) {
      notes.tell("spi-slave", "the firmware's SPI is a slave (MSTR is 0): no clock comes, and no byte ever ends");
      return;
    }
    const { spiFrequency } = spi;
    const control = cpu.data[spiConfig.SPCR] ?? 0;
    if (spiFrequency > SPI_HZ_MAX)
      notes.tell("fast-clock", `SCK runs at ${sayHz(spiFrequency)}; the module takes up to 350 kHz`);
    // CPOL is bit 3 and CPHA bit 2 (datasheet §19.5.1); avr8js's spiMode has them the other way round.
    const mode = (control & CPOL ? 2 : 0) | (control & CPHA ? 1 : 0);
    if (mode !== 0) notes.tell("spi-mode", `the firmware uses SPI mode ${mode}; the module speaks mode 0`);
    const lsbFirst = (control & DORD) !== 0;
    if (lsbFirst)
      notes.tell("spi-order", "the firmware sends the lowest bit first (DORD); the module takes the highest first");
    const driven = board.isOutput(MOSI) && board.isOutput(SCK);
    if (!driven) notes.tell("spi-pins", "MOSI (D11) or SCK (D13) is not an output: the module sees no clock");
    // The byte is over when its last bit is: a chip select that rises before cuts it off.
    cpu.addClockEvent(() => {
      bytes++;
      const out = lsbFirst ? reversed(value) : value;
      const back = driven ? target.exchange(out) : FLOATING;
      spi.completeTransfer(lsbFirst ? reversed(back) : back);
    }, spi.transferCycles);
  };

  return {
    describe: () =>
      bytes === 0
        ? `its SPI clocked no byte${twiStarts > 0 ? `, but its TWI sent ${twiStarts} STARTs: is the module on I2C?` : ""}`
        : `its SPI clocked ${bytes} byte${bytes === 1 ? "" : "s"}, and chip select (${cs.name}) went low ${selections} time${selections === 1 ? "" : "s"}`,
  };
}

/** The bits of a byte the other way round. */
function reversed(byte: number): number {
  let out = 0;
  for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) out |= 0x80 >> bit;
  return out;
}

function sayHz(hz: number): string {
  return hz >= 1_000_000 ? `${hz / 1_000_000} MHz` : `${hz / 1000} kHz`;
}

function saySpi(event: SpiEvent, cs: Pin): string {
  switch (event.kind) {
    case "cut-short":
      return `chip select (${cs.name}) went high after ${event.bytes} bytes of a request: nothing was carried out`;
    case "too-early":
      return "the firmware clocked the answer before it was ready, and got 0x00; wait longer after the request";
    case "not-selected":
      return `the firmware clocks SPI while chip select (${cs.name}) is not low: the module does not see it; is it another pin?`;
  }
}
