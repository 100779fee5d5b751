/** Verbs that change nothing in the module: what it is, how it is, and whether the line is good. */
import { SakuraError } from "../../../protocol/errors.ts";
import { fromHex, toHex } from "../../../protocol/hex.ts";
import { products } from "../../../protocol/status.ts";
import type { CommandOptions } from "../../job.ts";
import type { SakuraModule } from "../../module.ts";
import { type ExitCode, printLine } from "../io.ts";
import { jsonLine } from "../json-line.ts";
import { count } from "./report.ts";
import type { ModuleSession } from "./session.ts";
import { type Queues, queueJson, queueText, statusJson, statusText } from "./text.ts";

export function moduleStatus({ io, json, withModule }: ModuleSession): Promise<ExitCode> {
  return withModule(async (module) => {
    const signal = { signal: io.signal };
    const product = await module.getProductId(signal);
    const status = {
      connection: await module.getConnectionStatus(signal),
      signal: await module.getSignalQuality(signal),
      time: await module.getDatetime(signal),
      product,
      productName: products.nameOf(product),
      uniqueId: await module.getUniqueId(signal),
      firmware: await module.getFirmwareVersion(signal),
      queues: await readQueues(module, signal),
    };
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
    const queues = await readQueues(module, { signal: io.signal });
    printLine(io.stdout, json ? queueJson(queues) : queueText(queues));
    return 0;
  });
}

async function readQueues(module: SakuraModule, signal: CommandOptions): Promise<Queues> {
  return {
    tx: await module.txLength(signal),
    rx: await module.rxLength(signal),
    sends: await module.txStat(signal),
  };
}
