/** The verbs of `sakuraio module`: one module at the end of a port, a question or an order at a time. */
import { MESSAGE_CHANNELS_MAX } from "../../protocol/channel.ts";
import type { RequestOf } from "../../protocol/commands.ts";
import { isSakuraError, SakuraError } from "../../protocol/errors.ts";
import { fromHex, toHex } from "../../protocol/hex.ts";
import { type PowerSaveMode, powerSaveModes, products } from "../../protocol/status.ts";
import type { CommandOptions } from "../job.ts";
import type { SakuraModule } from "../module.ts";
import { isRefusal } from "../outcome.ts";
import { parseChannelArgument } from "./channel-args.ts";
import { type CliIo, type ExitCode, printLine } from "./io.ts";
import { jsonLine } from "./json-line.ts";
import { type PortOptions, withModule } from "./module-session.ts";
import { type Queues, queueJson, queueText, statusJson, statusText } from "./module-text.ts";

export async function moduleStatus(options: PortOptions, io: CliIo): Promise<ExitCode> {
  return withModule(options, io, async (module) => {
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
    printLine(io.stdout, options.json ? statusJson(status) : statusText(status));
    return 0;
  });
}

export async function moduleEcho(hex: string, options: PortOptions, io: CliIo): Promise<ExitCode> {
  const bytes = fromHex(hex);
  return withModule(options, io, async (module) => {
    const start = performance.now();
    const back = await module.echoBack(bytes, { signal: io.signal });
    const ms = Math.round((performance.now() - start) * 10) / 10;
    if (toHex(back) !== toHex(bytes)) {
      throw new SakuraError("INVALID_PAYLOAD", `the module echoes ${toHex(back)}, which is not what it was sent`);
    }
    printLine(
      io.stdout,
      options.json
        ? jsonLine({ event: "echo", hex: toHex(back), bytes: back.length, ms })
        : `${toHex(back, " ")}  ${count(back.length, "byte")}, ${ms.toFixed(1)} ms`,
    );
    return 0;
  });
}

export interface ValueOptions extends PortOptions {
  /** ms from now, negative for the past; of each value. */
  readonly offset?: number | undefined;
}

export interface SendVerbOptions extends ValueOptions {
  /** As one message past the queue. */
  readonly immediate: boolean;
}

/** Enqueues the values, sends the queue, and waits until it is sent. */
export async function moduleSend(values: readonly string[], options: SendVerbOptions, io: CliIo): Promise<ExitCode> {
  const requests = parseValues(values, options);
  if (options.immediate && requests.length > MESSAGE_CHANNELS_MAX) {
    throw new SakuraError("INVALID_ARGUMENT", `--immediate takes 1 to ${MESSAGE_CHANNELS_MAX} values at once`);
  }
  return withModule(options, io, async (module) => {
    const signal = { signal: io.signal };
    if (options.immediate) {
      const channels = requests.map(({ offset: _, ...entry }) => entry);
      await module.sendImmediately({ channels, offset: requests[0]?.offset }, signal);
    } else {
      await enqueueAndFlush(module, requests, signal);
    }
    return report(io, options, { event: "sent", values: requests.length }, `sent ${count(requests.length, "value")}`);
  });
}

/** A failure in the middle says what is in the module by then: whoever just tries again would send it twice. */
async function enqueueAndFlush(
  module: SakuraModule,
  requests: readonly RequestOf<"TX_ENQUEUE">[],
  signal: CommandOptions,
): Promise<void> {
  let enqueued = 0;
  try {
    for (const request of requests) {
      await enqueueOrFlush(module, request, signal);
      enqueued++;
    }
    await module.flush(signal);
  } catch (error) {
    if (enqueued === 0 || !isSakuraError(error) || error.code === "ABORTED" || error.code === "CLOSED") throw error;
    const those = `${enqueued} of ${count(requests.length, "value")} had been put in the TX queue before that`;
    throw new SakuraError(
      error.code,
      `${error.message}. ${those}: "queue" tells what is left there, "flush" sends it, "clear tx" drops it`,
      { context: { ...error.context, enqueued }, cause: error.cause ?? error },
    );
  }
}

export async function moduleEnqueue(values: readonly string[], options: ValueOptions, io: CliIo): Promise<ExitCode> {
  const requests = parseValues(values, options);
  return withModule(options, io, async (module) => {
    const signal = { signal: io.signal };
    for (const [i, request] of requests.entries()) {
      try {
        await module.txEnqueue(request, signal);
      } catch (error) {
        throw isRefusal(error, "RUNTIME") ? queueFull(i, requests.length, error) : error;
      }
    }
    const { queued } = await module.txLength(signal);
    return report(
      io,
      options,
      { event: "enqueued", values: requests.length, queued },
      `enqueued ${count(requests.length, "value")}; ${queued} in the TX queue`,
    );
  });
}

export async function moduleFlush(options: PortOptions, io: CliIo): Promise<ExitCode> {
  return withModule(options, io, async (module) => {
    const signal = { signal: io.signal };
    const { queued } = await module.txLength(signal);
    await module.flush(signal);
    return report(io, options, { event: "sent", values: queued }, `sent ${count(queued, "value")}`);
  });
}

export async function moduleQueue(options: PortOptions, io: CliIo): Promise<ExitCode> {
  return withModule(options, io, async (module) => {
    const queues = await readQueues(module, { signal: io.signal });
    printLine(io.stdout, options.json ? queueJson(queues) : queueText(queues));
    return 0;
  });
}

export async function moduleClear(queue: "tx" | "rx", options: PortOptions, io: CliIo): Promise<ExitCode> {
  return withModule(options, io, async (module) => {
    const signal = { signal: io.signal };
    await (queue === "tx" ? module.txClear(signal) : module.rxClear(signal));
    return report(io, options, { event: "cleared", queue }, `the ${queue.toUpperCase()} queue is empty`);
  });
}

export async function moduleReset(options: PortOptions, io: CliIo): Promise<ExitCode> {
  return withModule(options, io, async (module) => {
    await module.reset({ signal: io.signal });
    return report(
      io,
      options,
      { event: "reset" },
      "the module restarts: its queues are empty, and it is offline for now",
    );
  });
}

/** Reads the mode, or sets it where one is given: by its name or its number. */
export async function modulePowerSave(mode: string | undefined, options: PortOptions, io: CliIo): Promise<ExitCode> {
  const wanted = mode === undefined ? undefined : parseMode(mode);
  return withModule(options, io, async (module) => {
    const signal = { signal: io.signal };
    if (wanted !== undefined) await module.setPowerSaveMode(wanted, signal);
    const now = await module.getPowerSaveMode(signal);
    return report(io, options, { event: "power-save", mode: now }, `power save  ${now}`);
  });
}

function parseMode(text: string): PowerSaveMode {
  const modes = Object.entries(powerSaveModes.values);
  const found = modes.find(([name, value]) => name === text || String(value) === text);
  if (found) return powerSaveModes.nameOf(found[1]);
  const known = modes.map(([name]) => name).join(", ");
  throw new SakuraError("INVALID_ARGUMENT", `a power-save mode is ${known} or 0 to 2, not "${text}"`);
}

function parseValues(values: readonly string[], { offset }: ValueOptions): RequestOf<"TX_ENQUEUE">[] {
  const own = offset === undefined ? {} : { offset: BigInt(offset) };
  return values.map((text) => ({ ...parseChannelArgument(text), ...own }));
}

/** A full queue is sent to make room. */
async function enqueueOrFlush(
  module: SakuraModule,
  request: RequestOf<"TX_ENQUEUE">,
  signal: CommandOptions,
): Promise<void> {
  try {
    await module.txEnqueue(request, signal);
  } catch (error) {
    if (!isRefusal(error, "RUNTIME")) throw error;
    await module.flush(signal);
    await module.txEnqueue(request, signal);
  }
}

function queueFull(taken: number, all: number, cause: unknown): SakuraError {
  const { context } = isSakuraError(cause) ? cause : { context: {} };
  return new SakuraError(
    "MODULE_REFUSED",
    `the TX queue is full: it took ${taken} of ${count(all, "value")}; send it (flush) or empty it (clear tx)`,
    { context, cause },
  );
}

async function readQueues(module: SakuraModule, signal: CommandOptions): Promise<Queues> {
  return {
    tx: await module.txLength(signal),
    rx: await module.rxLength(signal),
    sends: await module.txStat(signal),
  };
}

function report(
  io: CliIo,
  { json }: PortOptions,
  event: { readonly event: string; readonly [key: string]: string | number },
  text: string,
): ExitCode {
  printLine(io.stdout, json ? jsonLine(event) : text);
  return 0;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
