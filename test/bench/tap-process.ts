/**
 * A process of its own with the link `tap` between a new pseudo-terminal, the MCU's side, and the module at the path that
 * it is given. It tells its parent where the MCU's side is, and, asked, how long each chunk took from read to write.
 *
 *     node tap-process.js PATH
 */
import { performance } from "node:perf_hooks";
import { MessageLog, openPty, realClock } from "sakuraio-kit/emulator";
import { openSerialPort, tapLink } from "sakuraio-kit/host";
import type { ByteDuplex } from "sakuraio-kit/protocol";
import { percentileOf } from "./measure.ts";

const taken: number[] = [];
let readAt = 0;

/** Notes when a chunk has been read here, and when one has been written: the tap writes what it has just read. */
function stamped(line: ByteDuplex): ByteDuplex {
  return {
    ...line,
    onBytes: (listener) =>
      line.onBytes((bytes) => {
        readAt = performance.now();
        listener(bytes);
      }),
    write(bytes) {
      line.write(bytes);
      taken.push(performance.now() - readAt);
    },
  };
}

const mcu = await openPty();
const log = new MessageLog(realClock);
const link = tapLink({
  module: "u1",
  clock: realClock,
  async open() {
    const module = stamped(await openSerialPort({ path: process.argv[2] ?? "" }));
    return {
      endpoint: mcu.path,
      module,
      onMcu(listener) {
        listener(stamped(mcu.duplex));
        return () => undefined;
      },
      lost: new Promise(() => undefined),
      close: () => module.close(),
    };
  },
});
link.onState((state) => {
  if (state.state === "up") process.send?.({ path: state.endpoint });
});
link.start(log);
process.on("message", () => {
  const figures = { chunks: taken.length, p50: percentileOf(taken, 0.5), p99: percentileOf(taken, 0.99) };
  process.send?.({ ...figures, published: log.messages.length });
  taken.length = 0;
});
process.on("disconnect", () => process.exit());
