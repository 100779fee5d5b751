/** The emulated module on the firmware's USART, at 115200 8N1 (§3). The line is the module's: there is no other serial. */
import type { ByteDuplex } from "../../protocol/bus.ts";
import { attachUart, type UartEvent } from "../bus/uart.ts";
import type { EmulatedModule } from "../module.ts";
import type { Board } from "./board.ts";
import type { Notes } from "./notes.ts";
import { SerialLine } from "./serial-line.ts";
import type { Wire } from "./wire.ts";

const BAUD = 115_200;
/** Two ends that are further apart do not understand each other (datasheet §20.9: 10 bits, about 4 %). */
const BAUD_TOLERANCE = 0.04;

export function wireUart(board: Board, module: EmulatedModule, notes: Notes): Wire {
  const { usart } = board;
  const line = new SerialLine(board, BAUD);
  const listeners = new Set<(bytes: Uint8Array) => void>();
  let written = 0;
  let answered = 0;

  /** Whether both ends read the same bits; where they do not, what arrives is garbage, as on a real line. */
  const understood = (): boolean => {
    const off = Math.abs(usart.baudRate - BAUD) / BAUD > BAUD_TOLERANCE;
    if (off)
      notes.tell(
        "baud",
        `the firmware's USART runs at ${Math.round(usart.baudRate)} baud, the module at ${BAUD}: only garbage passes`,
      );
    if (!usart.is8N1)
      notes.tell("serial-format", "the firmware's USART is not set to 8N1, the module is: only garbage passes");
    return !off && usart.is8N1;
  };
  const garbled = (byte: number): number => (understood() ? byte : byte ^ 0xff);

  const duplex: ByteDuplex = {
    name: "the firmware's USART",
    write(bytes) {
      answered += bytes.length;
      line.send(bytes.map(garbled));
    },
    onBytes(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    // It is there for as long as the board is.
    onClose: () => () => undefined,
    close: () => Promise.resolve(),
  };
  usart.onByte = (byte) => {
    written++;
    const bytes = Uint8Array.of(garbled(byte));
    for (const listener of listeners) listener(bytes);
  };
  attachUart(module, duplex, (event) => notes.tell(event.kind === "error" ? "line-error" : "noise", sayUart(event)));

  return {
    describe: () =>
      written === 0 ? "its USART sent nothing" : `its USART sent ${written} bytes, and the module answered ${answered}`,
  };
}

function sayUart(event: UartEvent): string {
  return event.kind === "noise"
    ? `${event.bytes} byte${event.bytes === 1 ? "" : "s"} of noise came from the firmware's USART`
    : `the firmware sent a line that is no command, and was answered ERROR: ${JSON.stringify(event.line.slice(0, 80))}`;
}
