/** Verbs that put values into the module and have them sent. */
import { MESSAGE_CHANNELS_MAX } from "../../../protocol/channel.ts";
import type { RequestOf } from "../../../protocol/commands.ts";
import { isSakuraError, SakuraError } from "../../../protocol/errors.ts";
import type { CommandOptions } from "../../job.ts";
import type { SakuraModule } from "../../module.ts";
import { isRefusal } from "../../outcome.ts";
import { parseChannelArgument } from "../channel-args.ts";
import type { ExitCode } from "../io.ts";
import { count, report } from "./report.ts";
import type { ModuleSession } from "./session.ts";

export interface ValueOptions {
  /** ms from now, negative for the past; of each value. */
  readonly offset?: number | undefined;
}

export interface SendVerbOptions extends ValueOptions {
  /** As one message past the queue. */
  readonly immediate: boolean;
}

/** Enqueues the values, sends the queue, and waits until it is sent. */
export async function moduleSend(
  values: readonly string[],
  options: SendVerbOptions,
  session: ModuleSession,
): Promise<ExitCode> {
  const requests = parseValues(values, options);
  if (options.immediate && requests.length > MESSAGE_CHANNELS_MAX) {
    throw new SakuraError("INVALID_ARGUMENT", `--immediate takes 1 to ${MESSAGE_CHANNELS_MAX} values at once`);
  }
  return session.withModule(async (module) => {
    const signal = { signal: session.io.signal };
    if (options.immediate) {
      const channels = requests.map(({ offset: _, ...entry }) => entry);
      await module.sendImmediately({ channels, offset: requests[0]?.offset }, signal);
    } else {
      await enqueueAndFlush(module, requests, signal);
    }
    return report(session, { event: "sent", values: requests.length }, `sent ${count(requests.length, "value")}`);
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

export async function moduleEnqueue(
  values: readonly string[],
  options: ValueOptions,
  session: ModuleSession,
): Promise<ExitCode> {
  const requests = parseValues(values, options);
  return session.withModule(async (module) => {
    const signal = { signal: session.io.signal };
    for (const [i, request] of requests.entries()) {
      try {
        await module.txEnqueue(request, signal);
      } catch (error) {
        throw isRefusal(error, "RUNTIME") ? queueFull(i, requests.length, error) : error;
      }
    }
    const { queued } = await module.txLength(signal);
    return report(
      session,
      { event: "enqueued", values: requests.length, queued },
      `enqueued ${count(requests.length, "value")}; ${queued} in the TX queue`,
    );
  });
}

export async function moduleFlush(session: ModuleSession): Promise<ExitCode> {
  return session.withModule(async (module) => {
    const signal = { signal: session.io.signal };
    const { queued } = await module.txLength(signal);
    await module.flush(signal);
    return report(session, { event: "sent", values: queued }, `sent ${count(queued, "value")}`);
  });
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
