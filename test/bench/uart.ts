/** SakuraModule against a bare write-and-wait loop, on the same pseudo-terminal: at a UART's speed, and as fast as can be. */
import { startChild } from "./child.ts";
import { ratioOf, spreadOf, takeTurns } from "./measure.ts";
import { atLeast, type Row } from "./report.ts";
import { bareClient, moduleClient, type Traffic, type UartClient } from "./uart-clients.ts";

const BAUD_RATE = 115_200;
/** Ten bits a byte (8N1). */
const WIRE_BYTES_A_SECOND = BAUD_RATE / 10;

const unit = "commands/s";

/** Nothing but the wire should be waited for. */
export async function benchPacedUart(report: (row: Row) => void): Promise<void> {
  const clients = new Map<string, UartClient>([
    ["bare", bareClient],
    ["module", moduleClient({ early: false })],
    ["early", moduleClient({ early: true })],
  ]);
  const { rates, wireShares } = await drive(clients, { rounds: 16, roundMs: 700, args: [String(BAUD_RATE)] });
  const row = (name: string, client: string) => ({
    name: `uart at ${BAUD_RATE}: ${name}`,
    figure: spreadOf(rates(client)).median,
    unit,
    wireShare: spreadOf(wireShares(client)).median,
  });
  report(row("bare loop", "bare"));
  const ratio = { ...ratioOf(rates("module"), rates("bare")), of: "the bare loop" };
  report({ ...row("SakuraModule", "module"), ratio, goal: atLeast(ratio, 0.98) });
  report({
    ...row("SakuraModule, early", "early"),
    ratio: { ...ratioOf(rates("early"), rates("bare")), of: "the bare loop" },
  });
}

/** What the client itself costs. */
export async function benchUart(report: (row: Row) => void): Promise<void> {
  const clients = new Map<string, UartClient>([
    ["bare", bareClient],
    ["module", moduleClient({ early: false })],
  ]);
  const { rates } = await drive(clients, { rounds: 15, roundMs: 700, args: [] });
  report({ name: "uart unpaced: bare loop", figure: spreadOf(rates("bare")).median, unit });
  const ratio = { ...ratioOf(rates("module"), rates("bare")), of: "the bare loop" };
  report({
    name: "uart unpaced: SakuraModule",
    figure: spreadOf(rates("module")).median,
    unit,
    ratio,
    goal: atLeast(ratio, 0.7),
  });
}

interface Driven {
  /** Commands a second, by round. */
  readonly rates: (client: string) => readonly number[];
  /** Bytes of both directions, of what the wire carries at most in one. By round. */
  readonly wireShares: (client: string) => readonly number[];
}

async function drive(
  clients: ReadonlyMap<string, UartClient>,
  options: { readonly rounds: number; readonly roundMs: number; readonly args: readonly string[] },
): Promise<Driven> {
  const child = await startChild("./module-process.js", ...options.args);
  try {
    const { path } = helloOf(child.hello);
    const turns = new Map([...clients].map(([name, client]) => [name, () => client(path, options.roundMs)]));
    const series = await takeTurns(options.rounds, turns);
    const traffic = (client: string): readonly Traffic[] => series.get(client) ?? [];
    return {
      rates: (client) => traffic(client).map(({ commands, seconds }) => commands / seconds),
      wireShares: (client) => traffic(client).map(({ bytes, seconds }) => bytes / seconds / WIRE_BYTES_A_SECOND),
    };
  } finally {
    await child.end();
  }
}

function helloOf(message: object): { readonly path: string } {
  if ("path" in message && typeof message.path === "string") return { path: message.path };
  throw new Error("the module's process did not say where it is");
}
