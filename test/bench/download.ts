/** A file through a module at a UART's speed, against what the wire and the parts of 255 bytes allow. */
import { performance } from "node:perf_hooks";
import { SakuraModule } from "sakuraio-kit/host";
import { startChild } from "./child.ts";
import { spreadOf, takeTurns } from "./measure.ts";
import { atLeast, type Row } from "./report.ts";

const BAUD_RATE = 115_200;
/** Ten bits a character (8N1). */
const CHARACTERS_A_SECOND = BAUD_RATE / 10;
const FILE_BYTES = 100 * 1024;
const PART_BYTES = 255;
const ROUNDS = 3;
const WANTED = 0.9;

/** `AT*CMD=4401FFxx`, LF. */
const REQUEST_CHARACTERS = 7 + 2 * 4 + 1;

/** `*CMD:`, the digits of status, length, part and parity, CR LF, `OK`, CR LF. */
function answerCharacters(part: number): number {
  return 5 + 2 * (3 + part) + 2 + 4;
}

/** Bytes a second when each request follows the answer before it at once, and each answer its request. */
function allowed(): number {
  const parts = Math.floor(FILE_BYTES / PART_BYTES);
  const last = FILE_BYTES % PART_BYTES;
  const characters =
    parts * (REQUEST_CHARACTERS + answerCharacters(PART_BYTES)) +
    (last === 0 ? 0 : REQUEST_CHARACTERS + answerCharacters(last));
  return (FILE_BYTES * CHARACTERS_A_SECOND) / characters;
}

export async function benchDownload(report: (row: Row) => void): Promise<void> {
  const child = await startChild("./module-process.js", String(BAUD_RATE), String(FILE_BYTES));
  try {
    const path = pathOf(child.hello);
    const contestants = new Map([
      ["module", () => downloaded(path, false)],
      ["early", () => downloaded(path, true)],
    ]);
    const rates = await takeTurns(ROUNDS, contestants);
    const row = (name: string, contestant: string): Row => {
      const figures = rates.get(contestant) ?? [];
      const ratio = { ...spreadOf(figures.map((rate) => rate / allowed())), of: "what the wire can" };
      const unit = "bytes/s";
      return { name, figure: spreadOf(figures).median, unit, ratio, goal: atLeast(ratio, WANTED) };
    };
    report(row(`download of 100 KB at ${BAUD_RATE}`, "module"));
    report(row(`download of 100 KB at ${BAUD_RATE}, early`, "early"));
  } finally {
    await child.end();
  }
}

/** Bytes a second, from START to the CRC-32 found right. */
async function downloaded(path: string, early: boolean): Promise<number> {
  const module = await SakuraModule.open(`uart:${path}`, { early });
  try {
    const start = performance.now();
    const bytes = await (await module.downloadFile(1)).bytes();
    return (bytes.length * 1000) / (performance.now() - start);
  } finally {
    await module.close();
  }
}

function pathOf(message: object): string {
  if ("path" in message && typeof message.path === "string") return message.path;
  throw new Error("the module's process did not say where it is");
}
