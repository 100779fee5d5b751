/** SakuraModule over I2C behind a Bus Pirate: at a UART's speed with the module's 10 ms, and as fast as can be. */
import { performance } from "node:perf_hooks";
import { i2cExchange, openBusPirateI2c, openSerialPort, SakuraModule } from "sakuraio-kit/host";
import type { ByteDuplex } from "sakuraio-kit/protocol";
import { startChild } from "./child.ts";
import { spreadOf, takeTurns } from "./measure.ts";
import { atLeast, type Row } from "./report.ts";

const BAUD_RATE = 115_200;
/** Ten bits a byte (8N1). */
const BYTE_MS = 10_000 / BAUD_RATE;
const WAIT_MS = 10;
const WARM_UP = 20;

interface Round {
  readonly commands: number;
  readonly seconds: number;
  /** Both ways together. */
  readonly bytes: number;
  /** The shortest time from the end of a request's transaction to the beginning of its answer's, in ms. */
  readonly shortestWait: number;
}

/** What the wait and the bytes leave: request and answer never overlap on a line to a Bus Pirate. */
export async function benchPacedBusPirate(report: (row: Row) => void): Promise<void> {
  const rounds = await drive({ rounds: 7, roundMs: 1500, waitMs: WAIT_MS, args: [String(BAUD_RATE)] });
  const rates = rounds.map(({ commands, seconds }) => commands / seconds);
  const limits = rounds.map(({ commands, bytes }) => 1000 / (WAIT_MS + (bytes / commands) * BYTE_MS));
  const ratio = { ...spreadOf(rates.map((rate, round) => rate / (limits[round] ?? Number.NaN))), of: "the limit" };
  report({ name: `i2c, bus pirate at ${BAUD_RATE}: limit`, figure: spreadOf(limits).median, unit: "commands/s" });
  report({
    name: "i2c, bus pirate: SakuraModule",
    figure: spreadOf(rates).median,
    unit: "commands/s",
    ratio,
    goal: atLeast(ratio, 0.9),
  });
  const shortest = Math.min(...rounds.map(({ shortestWait }) => shortestWait));
  report({
    name: "i2c, bus pirate: shortest wait",
    figure: shortest,
    unit: "ms",
    goal: { words: `≥ ${WAIT_MS} ms`, reached: shortest >= WAIT_MS },
  });
}

/** What client and adapter cost. */
export async function benchBusPirate(report: (row: Row) => void): Promise<void> {
  const rounds = await drive({ rounds: 7, roundMs: 700, waitMs: 0, args: [] });
  const figure = spreadOf(rounds.map(({ commands, seconds }) => commands / seconds)).median;
  report({
    name: "i2c, bus pirate unpaced, no wait",
    figure,
    unit: "commands/s",
    goal: { words: "≥ 500 commands/s", reached: figure >= 500 },
  });
}

async function drive(options: {
  readonly rounds: number;
  readonly roundMs: number;
  readonly waitMs: number;
  readonly args: readonly string[];
}): Promise<readonly Round[]> {
  const child = await startChild("./bus-pirate-process.js", ...options.args);
  try {
    const { hello } = child;
    if (!("path" in hello) || typeof hello.path !== "string") throw new Error("the Bus Pirate did not say where it is");
    const line = observed(await openSerialPort({ path: hello.path }));
    const bus = await openBusPirateI2c(line.duplex);
    const module = SakuraModule.over(i2cExchange(bus, { waitMs: options.waitMs }));
    try {
      await round(module, line, (commands) => commands < WARM_UP);
      const until = (_commands: number, ms: number): boolean => ms < options.roundMs;
      const turns = await takeTurns(options.rounds, new Map([["module", () => round(module, line, until)]]));
      return turns.get("module") ?? [];
    } finally {
      await module.close();
    }
  } finally {
    await child.end();
  }
}

/** A value, an id, a value, an id, … and the queue emptied before it is full. */
async function round(
  module: SakuraModule,
  line: Observed,
  goesOn: (commands: number, ms: number) => boolean,
): Promise<Round> {
  await module.txClear();
  line.reset();
  const start = performance.now();
  let commands = 0;
  while (goesOn(commands, performance.now() - start)) {
    if (commands % 200 === 199) await module.txClear();
    else if (commands % 2 === 0) await module.txEnqueue({ channel: 1, type: "i", value: commands });
    else await module.getUniqueId();
    commands++;
  }
  const seconds = (performance.now() - start) / 1000;
  return { commands, seconds, bytes: line.bytes, shortestWait: line.shortestWait };
}

interface Observed {
  readonly duplex: ByteDuplex;
  readonly bytes: number;
  readonly shortestWait: number;
  reset(): void;
}

/**
 * The line with what goes over it counted. A request's transaction ends with its one byte of answer, and what is written
 * next is the answer's transaction; so every second pause between reading and writing is the module's time.
 */
function observed(duplex: ByteDuplex): Observed {
  let bytes = 0;
  let shortestWait = Number.POSITIVE_INFINITY;
  let readAt = 0;
  let reads = 0;
  duplex.onBytes((chunk) => {
    bytes += chunk.length;
    readAt = performance.now();
  });
  return {
    get bytes() {
      return bytes;
    },
    get shortestWait() {
      return shortestWait;
    },
    reset() {
      bytes = 0;
      shortestWait = Number.POSITIVE_INFINITY;
      reads = 0;
    },
    duplex: {
      name: duplex.name,
      write(chunk) {
        // 0x08, the count of bytes written, the count of bytes read (§6): one that writes the address alone reads.
        const isRead = chunk[0] === 0x08 && chunk[1] === 0 && chunk[2] === 1;
        if (isRead && reads++ > 0) shortestWait = Math.min(shortestWait, performance.now() - readAt);
        bytes += chunk.length;
        duplex.write(chunk);
      },
      onBytes: (listener) => duplex.onBytes(listener),
      onClose: (listener) => duplex.onClose(listener),
      close: () => duplex.close(),
    },
  };
}
