/** What a module's own answers say: what it is, whether it is up to date, and whether it can send. */
import { formatDateTime } from "../../protocol/datetime.ts";
import type { SakuraError } from "../../protocol/errors.ts";
import { type ConnectionError, products } from "../../protocol/status.ts";
import { isRefusal } from "../outcome.ts";
import { type Finding, ok, problem, skipped, warning } from "./finding.ts";
import type { Reading, Snapshot } from "./snapshot.ts";

/** @param port as the user gave it, for the commands that are proposed */
export function examineSnapshot(snapshot: Snapshot, port: string): Finding[] {
  const say = `sakuraio module --port ${/[?&]/.test(port) ? `"${port}"` : port}`;
  const rfOff = snapshot.powerSave.ok && snapshot.powerSave.value === "rf-off";
  return [
    examineProduct(snapshot),
    examineFirmware(snapshot, say),
    examineTime(snapshot),
    examineSignal(snapshot, rfOff),
    examineConnection(snapshot, rfOff, say),
    examineQueues(snapshot, say),
    examineSends(snapshot, say),
    examinePowerSave(snapshot, say),
  ];
}

/** A question without a good answer, though the module answers others. */
function unread(check: string, { code, message }: SakuraError): Finding {
  const advice = ["run the doctor again; if it stays so while parity is clean, the module itself is at fault"];
  return problem(check, message, { advice, facts: { code } });
}

function examineProduct({ product, uniqueId }: Snapshot): Finding {
  if (!product.ok) return unread("product", product.error);
  if (!uniqueId.ok) return unread("product", uniqueId.error);
  const name = products.nameOf(product.value);
  const facts = { product: name, productId: product.value, uniqueId: uniqueId.value };
  const seen = `${name}, unique id ${uniqueId.value}`;
  if (!name.startsWith("unknown")) return ok("product", seen, { facts });
  return warning("product", `${seen}: a product that this program does not know`, {
    advice: ["nothing has to be done if the rest is well: it is newer than this program, or not a sakura.io module"],
    facts,
  });
}

function examineFirmware({ firmware }: Snapshot, say: string): Finding {
  if (!firmware.ok) return unread("firmware", firmware.error);
  const version = firmware.value;
  const facts = { firmware: version };
  const [, major, minor] = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined) {
    const advice = ["nothing has to be done if the rest is well"];
    return warning("firmware", `"${version}", which does not read as a version`, { advice, facts });
  }
  // The power-save commands came with 1.4.0 (§2).
  if (Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 4)) {
    return ok("firmware", version, { facts: { ...facts, powerSave: true } });
  }
  return warning("firmware", `${version} is older than 1.4.0, and has no power-save modes`, {
    advice: [`only if you need them: \`${say} firmware update\``],
    facts: { ...facts, powerSave: false },
  });
}

/** More than the asking and a network's time can explain. */
const CLOCK_MS_MAX = 5000;
/** Before the first of these modules was sold a clock has not been set yet. */
const FIRST_MS = Date.UTC(2016, 0, 1);

function examineTime({ time, connection }: Snapshot): Finding {
  if (!time.ok) return unread("time", time.error);
  const module = Number(time.value.module);
  // In JSON -0 would be told as such.
  const offMs = Math.round(module - time.value.host) + 0;
  const facts = { module: formatDateTime(module), host: formatDateTime(Math.round(time.value.host)), offMs };
  if (Math.abs(offMs) <= CLOCK_MS_MAX) return ok("time", "the module's clock and this machine's agree", { facts });
  if (module < FIRST_MS) {
    return warning("time", `the module's clock is not set: it says ${facts.module}`, {
      advice: ["it comes from the network: see connection below, and run the doctor again once it is online"],
      facts,
    });
  }
  const seen = `the module's clock is ${duration(Math.abs(offMs))} ${offMs < 0 ? "behind" : "ahead of"} this machine's`;
  const online = connection.ok && connection.value.online;
  return warning("time", `${seen}: it says ${facts.module}, this machine ${facts.host}`, {
    advice: [
      online
        ? "it is online and has its time from the network: check this machine's clock (`timedatectl`)"
        : "check this machine's clock (`timedatectl`); the module sets its own when it is online",
    ],
    facts,
  });
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 2 * 86_400) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

const SIGNALS = ["none: out of service", "very weak", "weak", "fair", "good", "very good"];

function examineSignal({ signal }: Snapshot, rfOff: boolean): Finding {
  if (!signal.ok) return unread("signal", signal.error);
  const level = signal.value;
  const facts = { signal: level };
  const seen = `${SIGNALS[level] ?? "unknown"} (${level} of 5)`;
  if (level > 1) return ok("signal", seen, { facts });
  if (rfOff) return skipped("signal", "the radio is off (power-save mode rf-off)", facts);
  return warning("signal", seen, {
    advice: [
      "check that the antenna is plugged in, and in the right socket",
      "try near a window, and away from metal and the power supply",
    ],
    facts,
  });
}

function examineConnection({ connection, signal, uniqueId }: Snapshot, rfOff: boolean, say: string): Finding {
  if (!connection.ok) return unread("connection", connection.error);
  const { online, lastError } = connection.value;
  const facts = { online, lastError };
  if (online) {
    const before = lastError === "none" ? "" : `; it was offline before: ${ERRORS[lastError] ?? lastError}`;
    return ok("connection", `online${before}`, { facts });
  }
  if (rfOff) {
    return problem("connection", "offline, because its radio is off: power-save mode rf-off", {
      advice: [`turn it on: \`${say} power-save disabled\``],
      facts,
    });
  }
  const seen = `offline: ${ERRORS[lastError] ?? `last error ${lastError}`}`;
  const id = uniqueId.ok ? ` (its unique id is ${uniqueId.value})` : "";
  return problem("connection", seen, { advice: offlineAdvice(lastError, signal, id), facts });
}

const ERRORS: Readonly<Partial<Record<ConnectionError, string>>> = {
  none: "no error so far, so that it may still be connecting",
  "out-of-service-area": "it finds no network (out of service area)",
  "connection-error": "there is a network, but connecting failed (connection error)",
  "unexpected-disconnect": "the connection broke off (unexpected disconnect)",
};

function offlineAdvice(lastError: ConnectionError, signal: Reading<number>, id: string): string[] {
  const wait = "after power-on connecting takes a while: wait some minutes, and run the doctor again";
  const account = `check in the control panel that this module${id} is registered, and its SIM's contract is active`;
  const power = "check the power supply: a radio takes bursts of current, and a weak supply breaks down under them";
  switch (lastError) {
    case "out-of-service-area":
      return [
        "check that the antenna is plugged in, and try near a window",
        "check that there is LTE coverage here",
        wait,
      ];
    case "connection-error":
      return [account, wait];
    case "unexpected-disconnect":
      return [
        power,
        "check the antenna and its place: a weak signal breaks off",
        "it connects again by itself: run the doctor again",
      ];
    default:
      return signal.ok && signal.value === 0
        ? [wait, "check that the antenna is plugged in", account]
        : [wait, account, power];
  }
}

function examineQueues({ tx, rx }: Snapshot, say: string): Finding {
  if (!tx.ok) return unread("queues", tx.error);
  if (!rx.ok) return unread("queues", rx.error);
  const facts = {
    txQueued: tx.value.queued,
    txAvailable: tx.value.available,
    rxQueued: rx.value.queued,
    rxAvailable: rx.value.available,
  };
  const seen = `TX ${facts.txQueued} waiting, ${facts.txAvailable} free; RX ${facts.rxQueued} waiting, ${facts.rxAvailable} free`;
  const advice: string[] = [];
  if (facts.txAvailable === 0) {
    advice.push(
      `TX is full, so that the module takes no further value: send them with \`${say} flush\`, or drop them with \`${say} clear tx\``,
    );
  }
  if (facts.rxAvailable === 0) {
    advice.push(
      `RX is full, so that what is sent down to the module gets lost: take it with \`${say} receive\`, or drop it with \`${say} clear rx\``,
    );
  }
  if (advice.length === 0) return ok("queues", seen, { facts });
  const full =
    advice.length === 2 ? "both queues are" : facts.txAvailable === 0 ? "the TX queue is" : "the RX queue is";
  return warning("queues", `${full} full: ${seen}`, { advice, facts });
}

function examineSends({ sends }: Snapshot, say: string): Finding {
  if (!sends.ok) return unread("last-send", sends.error);
  const { queue, immediate } = sends.value;
  const facts = { queue, immediate };
  const failed = [queue === "failed" ? "the queue's" : "", immediate === "failed" ? "the immediate one" : ""].filter(
    (which) => which !== "",
  );
  if (failed.length > 0) {
    return warning("last-send", `the last send failed: ${failed.join(" and ")}`, {
      advice: [
        queue === "failed"
          ? `once the module is online: \`${say} flush\`; the values are still in its queue`
          : "once the module is online, send the value again",
      ],
      facts,
    });
  }
  const busy = queue === "sending" || immediate === "sending";
  return ok("last-send", busy ? "a send is under way" : "no send has failed", { facts });
}

function examinePowerSave({ powerSave }: Snapshot, say: string): Finding {
  if (!powerSave.ok) {
    if (isRefusal(powerSave.error, "MISSING")) return skipped("power-save", "this firmware has no power-save modes");
    return unread("power-save", powerSave.error);
  }
  const mode = powerSave.value;
  const facts = { mode };
  switch (mode) {
    case "disabled":
      return ok("power-save", "disabled: the radio is always on", { facts });
    case "auto-sleep":
      return ok("power-save", "auto-sleep: it sleeps between sends by itself", { facts });
    case "rf-off":
      return warning("power-save", "rf-off: the radio is off, so that nothing is sent or received", {
        advice: [`turn it on: \`${say} power-save disabled\``],
        facts,
      });
    default:
      return warning("power-save", `a mode that this program does not know: ${mode}`, {
        advice: [`set a known one: \`${say} power-save disabled\``],
        facts,
      });
  }
}
