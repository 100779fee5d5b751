/**
 * A process of its own with an emulated module on a pseudo-terminal. It tells its parent the path, and ends with it.
 *
 *     node module-process.js [BAUD [BYTES]]    without a baud rate the bytes go as fast as they can; file 1 has so many
 */
import { attachUart, EmulatedModule, filesInMemory, openPty } from "sakuraio-kit/emulator";
import { pacedLine } from "./paced-line.ts";

const pty = await openPty();
const [, , baudRate, bytes = "0"] = process.argv;
const data = Uint8Array.from({ length: Number(bytes) }, (_, index) => (index * 7 + (index >> 8)) & 0xff);
const module = new EmulatedModule({ txQueue: 255, sendTimeMs: 0, files: filesInMemory({ 1: { data, timestamp: 0 } }) });
attachUart(module, baudRate === undefined ? pty.duplex : pacedLine(pty.duplex, Number(baudRate)));
process.on("disconnect", () => process.exit());
process.send?.({ path: pty.path });
