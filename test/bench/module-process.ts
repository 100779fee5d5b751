/**
 * A process of its own with an emulated module on a pseudo-terminal. It tells its parent the path, and ends with it.
 *
 *     node module-process.js [BAUD]    without a baud rate the bytes go as fast as they can
 */
import { attachUart, EmulatedModule, openPty } from "sakuraio-kit/emulator";
import { pacedLine } from "./paced-line.ts";

const pty = await openPty();
const baudRate = process.argv[2];
const module = new EmulatedModule({ txQueue: 255, sendTimeMs: 0 });
attachUart(module, baudRate === undefined ? pty.duplex : pacedLine(pty.duplex, Number(baudRate)));
process.on("disconnect", () => process.exit());
process.send?.({ path: pty.path });
