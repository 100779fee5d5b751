/** Verbs that put values into the module and have them sent. */
import type { ChannelEntry } from "../../../protocol/channel.ts";
import { isSakuraError, SakuraError } from "../../../protocol/errors.ts";
import type { SakuraModule } from "../../module.ts";
import { isRefusal } from "../../outcome.ts";
import { parseChannelArgument } from "../channel-args.ts";
import { type CliIo, type ExitCode, printLine } from "../io.ts";
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

/** What a failure leaves in the TX queue can be looked at and dealt with. */
const LEFT = `"queue" tells what is left there, "flush" sends it, "clear tx" drops it`;

/** Enqueues the values, sends the queue, and waits until it is sent. */
export async function moduleSend(
  values: readonly string[],
  { immediate, offset }: SendVerbOptions,
  session: ModuleSession,
): Promise<ExitCode> {
  const entries = values.map(parseChannelArgument);
  return filling(session, async (module) => {
    await module.send(entries, { immediate, offset, signal: session.io.signal });
    return report(session, { event: "sent", values: entries.length }, `sent ${count(entries.length, "value")}`);
  });
}

export async function moduleEnqueue(
  values: readonly string[],
  { offset }: ValueOptions,
  session: ModuleSession,
): Promise<ExitCode> {
  const own = offset === undefined ? {} : { offset: BigInt(offset) };
  const entries = values.map((text): ChannelEntry & { offset?: bigint } => ({ ...parseChannelArgument(text), ...own }));
  return filling(session, async (module) => {
    const { queued } = await module.enqueue(entries, { signal: session.io.signal });
    return report(
      session,
      { event: "enqueued", values: entries.length, queued },
      `enqueued ${count(entries.length, "value")}; ${queued} in the TX queue`,
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

/** Has the work done, and says with a failure what to do about the values that are in the module by then. */
function filling(session: ModuleSession, work: (module: SakuraModule) => Promise<ExitCode>): Promise<ExitCode> {
  return session.withModule(async (module) => {
    try {
      return await work(module);
    } catch (error) {
      throw withAdvice(error, session.io);
    }
  });
}

function withAdvice(error: unknown, io: CliIo): unknown {
  if (!isSakuraError(error)) return error;
  const { put, outcome } = error.context;
  if (put === undefined) return error;
  const full = isRefusal(error, "RUNTIME");
  const advice = full ? "send it (flush) or empty it (clear tx)" : LEFT;
  const told = new SakuraError(error.code, `${error.message}${full ? ";" : ":"} ${advice}`, {
    context: error.context,
    cause: error.cause,
  });
  // Being stopped is no failure and says nothing by itself; what is in the module by then is worth a word.
  if (error.code === "ABORTED" && outcome !== "unknown") printLine(io.stderr, `sakuraio: ${told.message}`);
  return told;
}
