/** What `watch` shows in a terminal's window. */
import { formatDateTime } from "../../../protocol/datetime.ts";
import type { PortState } from "../../connection.ts";
import type { ModuleStatus } from "../../module-status.ts";
import type { ReceivedValue } from "../../receive.ts";
import { bar } from "../live-line.ts";
import { count } from "./report.ts";
import { table, valueText } from "./text.ts";
import type { Arrived, Changing } from "./watch-state.ts";

export interface Watched {
  readonly port: string;
  readonly peek: boolean;
  readonly identity: Pick<ModuleStatus, "productName" | "uniqueId" | "firmware">;
  readonly state: PortState;
  readonly status: Changing;
  readonly trouble: string | undefined;
  /** The newest last; not all that were taken. */
  readonly values: readonly Arrived[];
  readonly taken: number;
  /** How often nobody knows whether one was taken and lost. */
  readonly unknown: number;
  readonly oldest: ReceivedValue | undefined;
}

const SIGNAL_MAX = 5;
/** `connection` and two blanks. */
const NAME_WIDTH = 12;
const PORT_ROWS = 3;

/** The whole picture, with its last row saying how to end it. */
export function watchPicture(watched: Watched, columns: number, rows: number): readonly string[] {
  const foot = "q, Enter or Ctrl+C ends";
  const above = watchLines(watched, columns, rows - 1);
  return [...above, ...Array.from({ length: Math.max(0, rows - 1 - above.length) }, () => ""), foot];
}

/** Without what a window needs: as many of the newest values as fit in so many rows. */
export function watchLines(watched: Watched, columns: number, rows: number): string[] {
  const { port, peek, identity, values, oldest } = watched;
  const head = [
    `${port}  ${identity.productName} ${identity.uniqueId}, firmware ${identity.firmware}`,
    "",
    ...table(statusRows(watched, columns)).split("\n"),
    "",
  ];
  if (peek) {
    const left = "the RX queue's oldest value, left there by --peek:";
    return [...head, left, oldest ? `  ${valueText(oldest)}` : "  none"].slice(0, Math.max(0, rows));
  }
  const room = Math.max(0, rows - head.length - 1);
  return [...head, takenText(watched), ...values.slice(room === 0 ? values.length : -room).map(valueLine)].slice(
    0,
    Math.max(0, rows),
  );
}

function statusRows({ state, status, trouble }: Watched, columns: number): (readonly [string, string])[] {
  const { connection, signal, time, queues } = status;
  const why = connection.lastError === "none" ? "" : `, last error: ${connection.lastError}`;
  const rows: (readonly [string, string])[] = [
    ["connection", `${connection.online ? "online" : "offline"}${why}`],
    ["signal", `${bar(signal / SIGNAL_MAX, SIGNAL_MAX).slice(0, SIGNAL_MAX + 2)} ${signal} of ${SIGNAL_MAX}`],
    ["time", formatDateTime(Number(time))],
    ["TX queue", `${queues.tx.queued} queued, ${queues.tx.available} free`],
    ["RX queue", `${queues.rx.queued} queued, ${queues.rx.available} free`],
    ["last sends", `queue ${queues.sends.queue}, immediate ${queues.sends.immediate}`],
  ];
  return [...portRows(portText(state, trouble), columns), ...rows];
}

function portText(state: PortState, trouble: string | undefined): string {
  if (state.kind === "lost") return `LOST, waiting for it; the rest is as it was. ${state.reason.message}`;
  return trouble === undefined ? "open" : `open, but ${trouble}`;
}

/** What is wrong is worth more than one row; the whole of a very long text is not. */
function portRows(text: string, columns: number): (readonly [string, string])[] {
  const width = Math.max(20, columns - NAME_WIDTH);
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.slice(0, PORT_ROWS).map((line, i) => [i === 0 ? "port" : "", line]);
}

function takenText({ taken, unknown }: Watched): string {
  if (taken === 0 && unknown === 0)
    return "no values yet; any that arrives is taken out of the RX queue (not with --peek)";
  const lost = unknown === 0 ? "" : `; ${unknown} more may be lost`;
  return `${count(taken, "value")} taken out of the RX queue${lost}:`;
}

function valueLine({ at, value }: Arrived): string {
  return `  ${formatDateTime(at).slice(11, 19)}  ${valueText(value)}`;
}
