/** Verbs that change nothing in the module: what it is, how it is, and whether the line is good. */
import { SakuraError } from "../../../protocol/errors.ts";
import { fromHex, toHex } from "../../../protocol/hex.ts";
import { type ExitCode, printLine } from "../io.ts";
import { jsonLine } from "../json-line.ts";
import { count } from "./report.ts";
import type { ModuleSession } from "./session.ts";
import { queueJson, queueText, statusJson, statusText } from "./text.ts";

export function moduleStatus({ io, json, withModule }: ModuleSession): Promise<ExitCode> {
  return withModule(async (module) => {
    const status = await module.status({ signal: io.signal });
    printLine(io.stdout, json ? statusJson(status) : statusText(status));
    return 0;
  });
}

export async function moduleEcho(hex: string, { io, json, withModule }: ModuleSession): Promise<ExitCode> {
  const bytes = fromHex(hex);
  return withModule(async (module) => {
    const start = performance.now();
    const back = await module.echoBack(bytes, { signal: io.signal });
    const ms = Math.round((performance.now() - start) * 10) / 10;
    if (toHex(back) !== toHex(bytes)) {
      throw new SakuraError("INVALID_PAYLOAD", `the module echoes ${toHex(back)}, which is not what it was sent`);
    }
    printLine(
      io.stdout,
      json
        ? jsonLine({ event: "echo", hex: toHex(back), bytes: back.length, ms })
        : `${toHex(back, " ")}  ${count(back.length, "byte")}, ${ms.toFixed(1)} ms`,
    );
    return 0;
  });
}

export function moduleQueue({ io, json, withModule }: ModuleSession): Promise<ExitCode> {
  return withModule(async (module) => {
    const queues = await module.queues({ signal: io.signal });
    printLine(io.stdout, json ? queueJson(queues) : queueText(queues));
    return 0;
  });
}
