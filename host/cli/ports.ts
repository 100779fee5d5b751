/** `sakuraio ports`: the serial ports of this machine, and what to call them. */
import { type PortAccess, portAccess } from "../adapter/port-access.ts";
import { holderText } from "../adapter/port-holder.ts";
import type { SerialPortInfo } from "../adapter/serial-list.ts";
import type { ListPorts } from "../adapter/serial-place.ts";
import { listSerialPorts } from "../adapter/serial-port.ts";
import { stableName } from "../adapter/stable-name.ts";
import { quoted } from "../shell-word.ts";
import { DEFAULT_BAUD_RATE, portUriText } from "../uri.ts";
import { type CliIo, type ExitCode, printLine } from "./io.ts";
import { jsonLine } from "./json-line.ts";

export interface PortsOptions {
  readonly json: boolean;
}

/** One port, and all that is known of it without opening it. */
interface ListedPort {
  readonly port: SerialPortInfo;
  /** What to paste behind `--port`. */
  readonly uri: string;
  readonly note: string | undefined;
  readonly access: PortAccess;
}

const COLUMNS = 80;
const NO_PORTS = [
  "no serial port is here. What to check:",
  "  cable      plugged in at both ends, and one that carries data, not power alone",
  "  system     dmesg | tail right after plugging in: Linux says what it found",
  "  container  hand the port over: docker run --device /dev/ttyUSB0 …",
  "  WSL        hand the adapter over: usbipd attach --wsl --busid …",
  "A port that is here may still need a group, dialout on Debian: the list tells.",
];

/** @throws SakuraError as `listSerialPorts` */
export async function ports(
  { json }: PortsOptions,
  io: CliIo,
  listPorts: ListPorts = listSerialPorts,
): Promise<ExitCode> {
  const all = await listPorts();
  const listed: ListedPort[] = [];
  for (const port of all) {
    const { place, note } = stableName(port, all);
    const uri = portUriText({ kind: "uart", place, baudRate: DEFAULT_BAUD_RATE });
    listed.push({ port, uri, note, access: await portAccess(port.path) });
  }
  if (listed.length === 0) for (const line of NO_PORTS) printLine(io.stderr, line);
  for (const [index, one] of listed.entries()) {
    if (json) printLine(io.stdout, portJson(one));
    else printLine(io.stdout, `${index === 0 ? "" : "\n"}${portText(one)}`);
  }
  return 0;
}

function portJson({ port, uri, note, access }: ListedPort): string {
  const { allowed, group, problem, holder } = access;
  return jsonLine({
    event: "port",
    path: port.path,
    uri,
    note,
    manufacturer: port.manufacturer,
    product: port.product,
    vendor_id: port.vendorId,
    product_id: port.productId,
    serial_number: port.serialNumber,
    by_id: port.byId,
    by_path: port.byPath,
    allowed,
    group,
    problem,
    holder: holder && { pid: holder.pid, name: holder.name, locked: holder.locked },
  });
}

function portText({ port, uri, note, access }: ListedPort): string {
  const { vendorId, productId = "?", serialNumber } = port;
  const what = [port.manufacturer, port.product].filter((part) => part !== undefined).join(" ");
  const number = serialNumber === undefined ? "no serial number" : `serial number ${serialNumber}`;
  const rows = [
    // A serial number may hold a space, or what a shell takes for its own.
    ["port", quoted(uri)],
    ["", note],
    ["usb", vendorId && `${vendorId}:${productId}, ${number}`],
    ["by-id", port.byId],
    ["held by", access.holder && `${holderText(access.holder)}${access.holder.locked ? "" : ", without a lock"}`],
    ["access", access.problem],
  ] as const;
  const lines = rows.flatMap(([label, text]) => (text === undefined ? [] : row(label, text)));
  return [what === "" ? port.path : `${port.path}  ${what}`, ...lines].join("\n");
}

/** The value beside its label, broken at spaces to fit; a word that is longer, such as a path, stays whole. */
function row(label: string, text: string): string[] {
  const indent = 11;
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map((each, index) => `  ${(index === 0 ? label : "").padEnd(indent - 2)}${each}`);
}
