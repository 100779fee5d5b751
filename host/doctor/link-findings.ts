/** The links of a bridge's file: a real module is examined as a port is; of the others, whether their ports can be had. */
import { constants, type Stats } from "node:fs";
import { access, lstat } from "node:fs/promises";
import { dirname } from "node:path";
import { errnoOf, reasonOf } from "../../protocol/errors.ts";
import { parseDeviceEndpoint } from "../config/device-endpoint.ts";
import type { ModuleConfig } from "../config/schema.ts";
import { DEFAULT_BAUD_RATE, parsePortUri } from "../uri.ts";
import { tryToListen } from "./bridge-place.ts";
import { type ExaminePortOptions, examinePort } from "./examine-port.ts";
import { type Finding, ok, problem } from "./finding.ts";
import { examinePlace } from "./place-checks.ts";

/** While no bridge runs on the file. Throws as `examinePort`. */
export async function* examineLink(module: ModuleConfig, options: ExaminePortOptions): AsyncGenerator<Finding, void> {
  switch (module.link) {
    case "module":
      yield* examinePort(module.port, options);
      return;
    case "tap":
      yield* examineDevice("mcu", module.mcu, options);
      yield* named("module", examinePlace(parsePortUri(module.module), options));
      return;
    case "emulated":
      if (module.uart !== undefined) yield* examineDevice("uart", module.uart, options);
      if (module.bus_pirate !== undefined) yield* examineDevice("bus_pirate", module.bus_pirate, options);
  }
}

/** The module's own end of a line, at which the MCU is the other. */
async function* examineDevice(field: string, text: string, options: ExaminePortOptions): AsyncGenerator<Finding, void> {
  const endpoint = parseDeviceEndpoint(text);
  switch (endpoint.kind) {
    case "serial": {
      const { place, baudRate = DEFAULT_BAUD_RATE } = endpoint;
      yield* named(field, examinePlace({ kind: "uart", place, baudRate }, options));
      return;
    }
    case "tcp":
      yield await examineListening(field, text, `${endpoint.host}:${endpoint.port}`);
      return;
    case "pty":
      yield endpoint.link === undefined
        ? ok(field, "a new pseudo-terminal: its name is told when the bridge starts")
        : await examinePtyLink(field, endpoint.link);
  }
}

/** A link may have two ends: their findings are told apart by the key in the file. */
async function* named(field: string, findings: AsyncIterable<Finding>): AsyncGenerator<Finding, void> {
  for await (const finding of findings) yield { ...finding, check: `${field} ${finding.check}` };
}

async function examineListening(field: string, text: string, listen: string): Promise<Finding> {
  const code = await tryToListen(listen);
  if (code === undefined) return ok(field, `${text} is free`);
  const advice = ["end what listens there (`ss -ltnp` names it), or give this link another port"];
  const why = code === "EADDRINUSE" ? "another program listens there" : code;
  return problem(field, `${text} cannot be listened on: ${why}`, { advice, facts: { code } });
}

async function examinePtyLink(field: string, link: string): Promise<Finding> {
  const facts = { link };
  try {
    await access(dirname(link), constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = errnoOf(error) ?? reasonOf(error);
    const missing = code === "ENOENT";
    return problem(field, `${link} cannot be made: ${missing ? `there is no ${dirname(link)}` : code}`, {
      advice: [
        missing ? `make the folder: \`mkdir -p ${dirname(link)}\`` : "name a folder that the bridge may write to",
      ],
      facts: { ...facts, code },
    });
  }
  const there: Stats | undefined = await lstat(link).catch(() => undefined);
  if (there && !there.isSymbolicLink()) {
    const advice = ["move it away, or name another link: only a symbolic link is replaced"];
    return problem(field, `${link} is there already, and is no symbolic link`, { advice, facts });
  }
  return ok(field, `${link} can be made: MCU programs open it`, { facts });
}
