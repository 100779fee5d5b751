/** Whether a port is there, may be used and is free: all that can be told without opening it. */
import { realpath, stat } from "node:fs/promises";
import { isSakuraError } from "../../protocol/errors.ts";
import { readLatencyTimer } from "../adapter/latency-timer.ts";
import { portAccess } from "../adapter/port-access.ts";
import { holderText, type PortHolder } from "../adapter/port-holder.ts";
import { type ListPorts, serialPlacePath } from "../adapter/serial-place.ts";
import type { PortUri } from "../uri.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

export interface PlaceOptions {
  /** The serial ports of this machine, unless a test brings its own. */
  readonly listPorts?: ListPorts | undefined;
  /** Where the kernel shows its drivers; `/sys` unless a test brings its own. */
  readonly sys?: string | undefined;
}

/** The last finding is a problem where opening it makes no sense. Nothing for what is no file of this machine. */
export async function* examinePlace(uri: PortUri, options: PlaceOptions): AsyncGenerator<Finding, void> {
  const path = yield* findPath(uri, options);
  if (path === undefined) return;
  const { exists, allowed, problem: why, group, holder } = await portAccess(path);
  if (!exists || !allowed) {
    const facts = { path, exists, allowed, group };
    yield problem("port", why ?? `${path} cannot be used`, {
      advice: exists ? joinAdvice(group) : missingAdvice(uri),
      facts,
    });
    return;
  }
  // On Windows a port is no file.
  const file = await stat(path).catch(() => undefined);
  if (file && !file.isCharacterDevice()) {
    const advice = ["name the port itself: `sakuraio ports` lists the serial ports"];
    const what = file.isDirectory() ? "a folder" : "a file";
    yield problem("port", `${path} is ${what}, and no port`, { advice, facts: { path, exists, allowed } });
    return;
  }
  yield ok("port", `${path} is there, and you may use it`, { facts: { path, exists, allowed } });
  if (uri.kind === "i2c" || uri.kind === "spi") return;
  yield examineHolder(await realpath(path).catch(() => path), holder);
  const latency = await readLatencyTimer(path, { sys: options.sys ?? "/sys" });
  if (latency) yield examineLatency(latency.ms, latency.file);
}

/** @returns the path; nothing where there is none, which then has been told where it matters */
async function* findPath(uri: PortUri, { listPorts }: PlaceOptions): AsyncGenerator<Finding, string | undefined> {
  if (uri.kind === "i2c" || uri.kind === "spi") return uri.path;
  const line = uri.kind === "buspirate" ? uri.line : uri;
  if (line.kind === "tcp") return undefined;
  try {
    return await serialPlacePath(line.place, { listPorts });
  } catch (error) {
    if (!isSakuraError(error)) throw error;
    yield problem("port", error.message, {
      advice: ["`sakuraio ports` lists what is plugged in"],
      facts: { code: error.code },
    });
    return undefined;
  }
}

function missingAdvice(uri: PortUri): string[] {
  if (uri.kind === "i2c" || uri.kind === "spi") {
    return [
      `switch the bus on: on a Raspberry Pi \`sudo raspi-config nonint do_${uri.kind} 0\``,
      `look what it is called: \`ls /dev/${uri.kind === "i2c" ? "i2c-*" : "spidev*"}\``,
    ];
  }
  return [
    "plug the adapter in, and look what it is called: `sakuraio ports` lists the serial ports",
    "a virtual machine or a container has to be given the adapter first",
  ];
}

function joinAdvice(group: string | undefined): string[] {
  if (group === undefined) return [];
  return [
    process.platform === "linux"
      ? `join the group ${group}: \`sudo usermod -a -G ${group} $USER\`, then log out and in again`
      : `join the group ${group}: \`sudo dseditgroup -o edit -a $USER ${group}\`, then log out and in again`,
  ];
}

/** @param device the port without links */
function examineHolder(device: string, holder: PortHolder | undefined): Finding {
  if (holder === undefined) return ok("holder", "no other program has it open");
  const { pid, name, locked } = holder;
  const who = holderText(holder);
  const facts = { pid, name, locked };
  if (locked && pid === process.pid) {
    return problem("holder", "this program has it open already", { advice: ["close it there first"], facts });
  }
  if (locked) {
    const advice = [`end ${who}: a serial port serves one program at a time`];
    return problem("holder", `${who} has it open, for itself alone`, { advice, facts });
  }
  // Who makes a pseudo-terminal keeps its other end open: that is the emulated module itself.
  if (device.startsWith("/dev/pts/") || pid === process.pid)
    return ok("holder", `a pseudo-terminal of ${who}`, { facts });
  return warning("holder", `${who} has it open too, and may take bytes away`, {
    advice: [`end ${who}, unless it is what emulates the module`],
    facts,
  });
}

/** Above this the timer costs more than the wire does. */
const LATENCY_MS_MAX = 2;

function examineLatency(ms: number, file: string): Finding {
  const facts = { ms, file };
  if (ms <= LATENCY_MS_MAX) return ok("latency-timer", `this FTDI adapter hands bytes over after ${ms} ms`, { facts });
  const seen = `this FTDI adapter keeps received bytes back for up to ${ms} ms, so that each command takes longer`;
  return warning("latency-timer", seen, {
    advice: [
      `echo 1 | sudo tee ${file}`,
      "it is back after the next plugging in; a udev rule makes it last: " +
        'ACTION=="add", SUBSYSTEM=="usb-serial", DRIVER=="ftdi_sio", ATTR{latency_timer}="1"',
    ],
    facts,
  });
}
