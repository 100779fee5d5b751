/**
 * A process of its own with an emulated Bus Pirate on a pseudo-terminal, a module behind it. As module-process.ts.
 *
 *     node bus-pirate-process.js [BAUD]
 */
import { attachBusPirate, EmulatedModule, openPty } from "sakuraio-kit/emulator";
import { pacedLine } from "./paced-line.ts";

const pty = await openPty();
const baudRate = process.argv[2];
const module = new EmulatedModule({ txQueue: 255, sendTimeMs: 0 });
attachBusPirate(module, baudRate === undefined ? pty.duplex : pacedLine(pty.duplex, Number(baudRate)));
process.on("disconnect", () => process.exit());
process.send?.({ path: pty.path });
