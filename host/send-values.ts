/** Values into the module and up to the platform, each exactly once, or a plain word that nobody knows. */
import type { Clock } from "../protocol/bus.ts";
import { type ChannelEntry, MESSAGE_CHANNELS_MAX } from "../protocol/channel.ts";
import { isSakuraError, SakuraError } from "../protocol/errors.ts";
import { type TxEntry, type TxFeeder, TxQueueWatch } from "./enqueue.ts";
import type { CommandOptions } from "./job.ts";
import type { ModuleMethods } from "./module-methods.ts";
import { isRefusal } from "./outcome.ts";
import { flush, type SendOptions, sendImmediately } from "./send.ts";

export interface SendValuesOptions extends SendOptions {
  /** As one message of its own, past the queue: 1 to 16 values. */
  readonly immediate?: boolean | undefined;
  /** When all of the values were read: ms from now, 0 or negative. */
  readonly offset?: bigint | number | undefined;
}

export interface Sender extends TxFeeder {
  readonly module: TxFeeder["module"] & Pick<ModuleMethods, "txSend" | "txSendimmed">;
  readonly clock: Clock;
}

/** How far it has come. */
interface Progress {
  readonly of: number;
  put: number;
  sent: number;
}

/** See `SakuraModule.send`. */
export async function sendValues(
  sender: Sender,
  values: readonly ChannelEntry[],
  { immediate = false, offset, ...options }: SendValuesOptions,
): Promise<void> {
  if (values.length === 0) throw new SakuraError("INVALID_ARGUMENT", "there is nothing to send: name 1 value or more");
  const own = offset === undefined ? {} : { offset: BigInt(offset) };
  if (!immediate) {
    return sendQueued(
      sender,
      values.map((entry) => ({ ...entry, ...own })),
      options,
    );
  }
  if (values.length > MESSAGE_CHANNELS_MAX) {
    throw new SakuraError("INVALID_ARGUMENT", `1 to ${MESSAGE_CHANNELS_MAX} values can be sent immediately at once`);
  }
  return sendImmediately(sender.module, sender.clock, { channels: values, ...own }, options);
}

/** See `SakuraModule.enqueue`. */
export async function enqueueValues(
  feeder: TxFeeder,
  values: readonly TxEntry[],
  options: CommandOptions,
): Promise<{ readonly queued: number }> {
  const progress: Progress = { of: values.length, put: 0, sent: 0 };
  try {
    const watch = new TxQueueWatch(feeder, options);
    await watch.look();
    for (const entry of values) {
      await watch.put(entry);
      progress.put++;
    }
  } catch (error) {
    throw isRefusal(error, "RUNTIME") ? queueFull(error, progress) : howFar(error, progress);
  }
  return { queued: (await feeder.module.txLength(options)).queued };
}

async function sendQueued(sender: Sender, entries: readonly TxEntry[], options: SendOptions): Promise<void> {
  const progress: Progress = { of: entries.length, put: 0, sent: 0 };
  const watch = new TxQueueWatch(sender, { signal: options.signal });
  const sendQueue = async (): Promise<void> => {
    const missing = await watch.missing();
    if (missing > 0) throw lostFromQueue(missing);
    await flush(sender.module, sender.clock, options);
    progress.sent = progress.put;
  };
  try {
    await watch.look();
    for (const entry of entries) {
      try {
        await watch.put(entry);
      } catch (error) {
        // A full queue is sent to make room.
        if (!isRefusal(error, "RUNTIME")) throw error;
        await sendQueue();
        await watch.look();
        await watch.put(entry);
      }
      progress.put++;
    }
    await sendQueue();
  } catch (error) {
    throw howFar(error, progress);
  }
}

/** Whoever just tries again would send what is in the module by then a second time. */
function howFar(error: unknown, { of, put, sent }: Progress): unknown {
  if (!isSakuraError(error)) return error;
  const { outcome } = error.context;
  const unknown = outcome === "unknown" || error.code === "OUTCOME_UNKNOWN" || error.code === "TIMEOUT";
  if (put === 0 && !unknown) return error;
  const those =
    put === 0 ? "" : `. ${put} of ${of} value${of === 1 ? "" : "s"} had been put in the TX queue before that`;
  const gone = sent > 0 ? `, and ${sent} of them sent` : "";
  return new SakuraError(error.code, `${error.message}${those}${gone}`, {
    context: { ...error.context, of, put, sent, ...(unknown && { outcome: "unknown" }) },
    cause: error.cause ?? error,
  });
}

function lostFromQueue(missing: number): SakuraError {
  return new SakuraError(
    "OUTCOME_UNKNOWN",
    `${missing} of the values that were put in the TX queue are not there any more, and were not sent by this client: ` +
      "the module restarted, or something else empties its queue",
    { context: { missing } },
  );
}

function queueFull(cause: unknown, { of, put }: Progress): SakuraError {
  const { context } = isSakuraError(cause) ? cause : { context: {} };
  return new SakuraError(
    "MODULE_REFUSED",
    `the TX queue is full: it took ${put} of ${of} value${of === 1 ? "" : "s"}`,
    {
      context: { ...context, of, put },
      cause,
    },
  );
}
