/** How long a tap holds a byte up: from its read to its write, and from one far end to the other. */
import { performance } from "node:perf_hooks";
import { openPty } from "sakuraio-kit/emulator";
import { openSerialPort } from "sakuraio-kit/host";
import type { ByteDuplex } from "sakuraio-kit/protocol";
import { nextMessage, startChild } from "./child.ts";
import { percentileOf } from "./measure.ts";
import type { Row } from "./report.ts";

/** Chunks, both ways together: a request and its answer, in turn. */
const CHUNKS = 20_000;
const WARM_UP_CHUNKS = 4_000;
const GOAL_US = 1_000;
const ANSWER_TIMEOUT_MS = 10_000;

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
/** Channel 1, type i, 25; sent after every 16. */
const ENQUEUE = ascii("AT*CMD=200A016919000000000000005B\n");
const SEND = ascii("AT*CMD=240024\n");
const ANSWER = ascii("*CMD:010001\r\nOK\r\n");

export async function benchTap(report: (row: Row) => void): Promise<void> {
  const module = await openPty();
  const child = await startChild("./tap-process.js", module.path);
  try {
    const mcu = await openSerialPort({ path: textOf(child.hello, "path") });
    try {
      const ask = async (): Promise<object> => {
        const answer = nextMessage(child.process, ANSWER_TIMEOUT_MS);
        child.process.send("figures");
        return answer;
      };
      await talk(mcu, module.duplex, WARM_UP_CHUNKS);
      await ask();
      const trips = await talk(mcu, module.duplex, CHUNKS);
      reportAll(report, await ask(), trips);
    } finally {
      await mcu.close();
    }
  } finally {
    await child.end();
    await module.close();
  }
}

/** One chunk after the other has gone through. Gives how long each was under way, in ms. */
async function talk(mcu: ByteDuplex, module: ByteDuplex, chunks: number): Promise<number[]> {
  const [atModule, atMcu] = [arrivals(module), arrivals(mcu)];
  const trips: number[] = [];
  for (let n = 0; n < chunks; n++) {
    const [from, to] = n % 2 === 0 ? [mcu, atModule] : [module, atMcu];
    const chunk = n % 2 === 1 ? ANSWER : n % 34 === 32 ? SEND : ENQUEUE;
    const start = performance.now();
    from.write(chunk);
    await to.whole(chunk.length);
    trips.push(performance.now() - start);
  }
  atModule.stop();
  atMcu.stop();
  return trips;
}

/** Waits for so many bytes. */
function arrivals(line: ByteDuplex) {
  let held = 0;
  let wanted = 0;
  let wake = (): void => undefined;
  const stop = line.onBytes((bytes) => {
    held += bytes.length;
    if (held >= wanted) wake();
  });
  return {
    stop,
    async whole(length: number): Promise<void> {
      wanted = length;
      if (held < length) await new Promise<void>((resolve) => (wake = resolve));
      held -= length;
    },
  };
}

function reportAll(report: (row: Row) => void, figures: object, trips: readonly number[]): void {
  if (numberOf(figures, "published") === 0) throw new Error("the tap has passed the bytes and not read them");
  const row = (name: string, ms: number): Row => ({ name: `tap: ${name}`, figure: ms * 1_000, unit: "µs" });
  const worst = row("read to write, p99", numberOf(figures, "p99"));
  report(row("read to write, p50", numberOf(figures, "p50")));
  report({ ...worst, goal: { words: "≤ 1,000 µs", reached: worst.figure <= GOAL_US } });
  report(row("end to end, p50", percentileOf(trips, 0.5)));
  report(row("end to end, p99", percentileOf(trips, 0.99)));
}

function textOf(message: object, name: string): string {
  const value = new Map<string, unknown>(Object.entries(message)).get(name);
  if (typeof value === "string") return value;
  throw new Error(`the tap's process did not say its ${name}`);
}

function numberOf(message: object, name: string): number {
  const value = new Map<string, unknown>(Object.entries(message)).get(name);
  if (typeof value === "number") return value;
  throw new Error(`the tap's process did not say its ${name}`);
}
