/** How `sakuraio module` says what a module answered: to people, and to programs. */
import { formatDateTime } from "../../../protocol/datetime.ts";
import { valueJson } from "../../../protocol/message.ts";
import type { ModuleQueues, ModuleStatus } from "../../module-status.ts";
import type { ReceivedValue } from "../../receive.ts";
import { jsonLine, type Plain } from "../json-line.ts";

/** Lines of a name and what it is, one under the other. */
export function table(rows: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}

export function statusText(status: ModuleStatus): string {
  const { online, lastError } = status.connection;
  const why = lastError === "none" ? "" : online ? ` (last error: ${lastError})` : ` (${lastError})`;
  return table([
    ["connection", `${online ? "online" : "offline"}${why}`],
    ["signal", `${status.signal} of 5`],
    ["time", formatDateTime(Number(status.time))],
    ["product", status.productName],
    ["unique id", status.uniqueId],
    ["firmware", status.firmware],
    ...queueRows(status.queues),
  ]);
}

export function statusJson(status: ModuleStatus): string {
  return jsonLine({
    event: "status",
    online: status.connection.online,
    last_error: status.connection.lastError,
    signal: status.signal,
    datetime: formatDateTime(Number(status.time)),
    unix_ms: status.time,
    product: status.productName,
    product_id: status.product,
    unique_id: status.uniqueId,
    firmware: status.firmware,
    ...queueFields(status.queues),
  });
}

export function queueText(queues: ModuleQueues): string {
  return table(queueRows(queues));
}

export function queueJson(queues: ModuleQueues): string {
  return jsonLine({ event: "queue", ...queueFields(queues) });
}

function queueRows({ tx, rx, sends }: ModuleQueues): (readonly [string, string])[] {
  return [
    ["TX queue", `${tx.queued} queued, ${tx.available} free; last send ${sends.queue}, immediate ${sends.immediate}`],
    ["RX queue", `${rx.queued} queued, ${rx.available} free`],
  ];
}

export function queueFields({ tx, rx, sends }: ModuleQueues): { readonly [key: string]: Plain } {
  return {
    tx_queue: { queued: tx.queued, available: tx.available, send: sends.queue, immediate: sends.immediate },
    rx_queue: { queued: rx.queued, available: rx.available },
  };
}

/** A value that came down: `ch   1  i  25  4.321 s ago`. */
export function valueText(value: ReceivedValue): string {
  const shown = typeof value.value === "number" && !Number.isFinite(value.value) ? `${value.value}` : valueJson(value);
  return `ch ${String(value.channel).padStart(3)}  ${value.type}  ${shown.replaceAll('"', "")}  ${ageText(value.offset)}`;
}

export function valueEvent(value: ReceivedValue, event = "value"): string {
  return `{"event":"${event}","channel":${value.channel},"type":"${value.type}","value":${valueJson(value)},"offset":${value.offset}}`;
}

function ageText(offset: bigint): string {
  // The module says how long ago in negative ms.
  const ms = -offset;
  const whole = ms < 0n ? -ms : ms;
  return `${whole / 1000n}.${String(whole % 1000n).padStart(3, "0")} s ${ms < 0n ? "ahead" : "ago"}`;
}
