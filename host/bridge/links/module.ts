/**
 * Link `module`: the bridge is the MCU of a real module. It publishes what it dequeues and each change of connection,
 * and enqueues and sends what comes down.
 */
import type { Clock, Uplink } from "../../../protocol/bus.ts";
import { type ChannelEntry, MESSAGE_CHANNELS_MAX } from "../../../protocol/channel.ts";
import type { ResponseOf } from "../../../protocol/commands.ts";
import { formatDateTime } from "../../../protocol/datetime.ts";
import { isSakuraError, reasonOf, SakuraError } from "../../../protocol/errors.ts";
import type { DownlinkMessage, TimedChannel, UplinkMessage } from "../../../protocol/message.ts";
import { pause } from "../../clock.ts";
import type { RealModuleConfig } from "../../config/schema.ts";
import { SakuraModule } from "../../module.ts";
import { parsePortUri } from "../../uri.ts";
import type { Link } from "../link.ts";
import type { LinkContext } from "../start.ts";
import { linkRefusal, type OpenLink, retryingLink } from "./retrying.ts";

/** What is used of a module's client. */
export type ModuleClient = Pick<
  SakuraModule,
  "getConnectionStatus" | "rxLength" | "rxPeek" | "rxDequeue" | "txLength" | "txEnqueue" | "txClear" | "flush" | "close"
>;

export interface ModuleLinkOptions {
  /** The id under which it is published. */
  readonly module: string;
  /** The port's URI, for people. */
  readonly port: string;
  /** How often it is asked for what has come, in ms. */
  readonly pollMs: number;
  readonly clock: Clock;
  readonly random?: (() => number) | undefined;
  open(signal: AbortSignal): Promise<ModuleClient>;
}

/** A module that has not sent within this has failed to. */
const SEND_TIMEOUT_MS = 20_000;
/** How far two readings of one value's time of arrival may lie apart. */
const SAME_ARRIVAL_MS = 250;

/** The link of a configuration. @throws SakuraError INVALID_ARGUMENT, UNSUPPORTED for a port that is none */
export function realModuleLink(config: RealModuleConfig, { clock, random }: LinkContext): Link {
  const port = parsePortUri(config.port);
  return moduleLink({
    module: config.id,
    port: config.port,
    pollMs: config.poll_ms,
    clock,
    random,
    // Not `reopen`: the link itself opens it again, also when the port is there and the module does not answer.
    open: (signal) => SakuraModule.open(port, { signal }),
  });
}

export function moduleLink(options: ModuleLinkOptions): Link {
  // What must outlive a lost port: see Poller.
  const memory: Memory = {};
  return retryingLink({
    module: options.module,
    kind: "module",
    clock: options.clock,
    random: options.random,
    async open(uplink, signal): Promise<OpenLink> {
      const client = await options.open(signal);
      const poller = new Poller(client, uplink, memory, options);
      const giveUp = (): Promise<void> => client.close().catch(() => undefined);
      const onAbort = (): void => void giveUp();
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        // Only a module that answers is up.
        await poller.poll();
      } catch (error) {
        await giveUp();
        throw error;
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
      return openModule(client, poller, options);
    },
  });
}

function openModule(
  client: ModuleClient,
  poller: Poller,
  { module, port, pollMs, clock }: ModuleLinkOptions,
): OpenLink {
  const stop = new AbortController();
  const run = async (): Promise<SakuraError> => {
    for (;;) {
      await pause(clock, pollMs, stop.signal);
      if (stop.signal.aborted) return new SakuraError("CLOSED", `the link of module ${module} was closed`);
      try {
        await poller.poll();
      } catch (error) {
        return isSakuraError(error) ? error : new SakuraError("PORT_FAILED", reasonOf(error), { cause: error });
      }
    }
  };
  return {
    endpoint: port,
    lost: run(),
    deliver: (message, signal) => send(client, message, signal ? AbortSignal.any([signal, stop.signal]) : stop.signal),
    async close() {
      stop.abort();
      await client.close();
    },
  };
}

/** What is known of the module beyond one opening of its port. */
interface Memory {
  online?: boolean;
  /** Read from the module, and not taken by the uplink so far. Nothing more is read before it is gone. */
  unsent?: UplinkMessage | undefined;
  /** A value that was read, and may be in the RX queue still: its RX_DEQUEUE has had no good answer. */
  doubtful?: { readonly entry: ChannelEntry; readonly arrivedAt: number } | undefined;
}

class Poller {
  readonly #client: ModuleClient;
  readonly #uplink: Uplink;
  readonly #memory: Memory;
  readonly #module: string;
  readonly #clock: Clock;

  constructor(client: ModuleClient, uplink: Uplink, memory: Memory, { module, clock }: ModuleLinkOptions) {
    this.#client = client;
    this.#uplink = uplink;
    this.#memory = memory;
    this.#module = module;
    this.#clock = clock;
  }

  /** One round: what is left over, a change of connection, then everything in the RX queue. */
  async poll(): Promise<void> {
    if (!(await this.#handUp())) return;
    if (!(await this.#readConnection())) return;
    // No more than was there at the start, or a module that is fed fast would keep it here.
    let { queued } = await this.#client.rxLength();
    while (queued > 0) {
      const channels: TimedChannel[] = [];
      try {
        while (queued > 0 && channels.length < MESSAGE_CHANNELS_MAX) {
          queued--;
          await this.#readChannel(channels);
        }
      } finally {
        if (channels.length > 0) {
          this.#memory.unsent = { module: this.#module, type: "channels", payload: { channels } };
        }
      }
      if (!(await this.#handUp())) return;
    }
  }

  /** Whether a change, if there was one, has been taken. */
  async #readConnection(): Promise<boolean> {
    const { online } = await this.#client.getConnectionStatus();
    const { online: before } = this.#memory;
    this.#memory.online = online;
    if (before === undefined || before === online) return true;
    this.#memory.unsent = { module: this.#module, type: "connection", payload: { is_online: online } };
    return this.#handUp();
  }

  /**
   * Takes one value out of the RX queue. RX_DEQUEUE must not be repeated, so the value is read by RX_PEEK before: then
   * whatever becomes of the RX_DEQUEUE, the value is neither lost nor published twice.
   */
  async #readChannel(channels: TimedChannel[]): Promise<void> {
    const memory = this.#memory;
    const { offset, ...entry } = await this.#peek();
    const arrivedAt = this.#clock.now() + Number(offset);
    const known = memory.doubtful !== undefined && isSame(memory.doubtful, entry, arrivedAt);
    if (!known) channels.push({ ...entry, datetime: formatDateTime(arrivedAt) });
    memory.doubtful = { entry, arrivedAt };
    try {
      await this.#client.rxDequeue();
      memory.doubtful = undefined;
    } catch (error) {
      if (!isSakuraError(error, "OUTCOME_UNKNOWN")) throw error;
    }
  }

  async #peek(): Promise<ResponseOf<"RX_PEEK">> {
    try {
      return await this.#client.rxPeek();
    } catch (error) {
      if (!isSakuraError(error, "INVALID_PAYLOAD")) throw error;
      // What is no value would stand before all others for ever. The error is the link's state until the next opening.
      await this.#client.rxDequeue().catch(() => undefined);
      throw new SakuraError(
        "INVALID_PAYLOAD",
        `module ${this.#module} holds something in its RX queue that is no value (${error.message}); it was dropped`,
        { cause: error },
      );
    }
  }

  /** Whether what was read has been taken. */
  async #handUp(): Promise<boolean> {
    const { unsent } = this.#memory;
    if (unsent === undefined) return true;
    try {
      await this.#uplink.take(unsent);
    } catch (error) {
      // The bridge has reported it. The module keeps the rest until there is room.
      if (isSakuraError(error, "REFUSED")) return false;
      throw error;
    }
    this.#memory.unsent = undefined;
    return true;
  }
}

function isSame(
  known: { readonly entry: ChannelEntry; readonly arrivedAt: number },
  entry: ChannelEntry,
  arrivedAt: number,
): boolean {
  const { channel, type, value } = known.entry;
  return (
    channel === entry.channel &&
    type === entry.type &&
    String(value) === String(entry.value) &&
    Math.abs(known.arrivedAt - arrivedAt) <= SAME_ARRIVAL_MS
  );
}

/** All of a message's values, or none: what a failure leaves in the TX queue is cleared. */
async function send(client: ModuleClient, { module, payload }: DownlinkMessage, signal: AbortSignal): Promise<void> {
  const { channels } = payload;
  try {
    const { online } = await client.getConnectionStatus({ signal });
    if (!online) throw linkRefusal("offline", `module ${module} is offline: send it again when it is online`);
    const { available } = await client.txLength({ signal });
    if (available < channels.length) throw txQueueFull(module, available, channels.length);
  } catch (error) {
    throw refusalOf(error, module);
  }
  try {
    for (const entry of channels) await client.txEnqueue(entry, { signal });
    await client.flush({ signal, timeoutMs: SEND_TIMEOUT_MS });
  } catch (error) {
    // Nobody else enqueues here, so what is in the queue is this message.
    await client.txClear().catch(() => undefined);
    throw refusalOf(error, module);
  }
}

function txQueueFull(module: string, available: number, wanted: number): SakuraError {
  const words = `the TX queue of module ${module} has ${available} places free, and ${wanted} values came`;
  return linkRefusal("tx-queue-full", words);
}

function refusalOf(error: unknown, module: string): unknown {
  if (isSakuraError(error, "REFUSED") || isSakuraError(error, "ABORTED")) return error;
  if (isSakuraError(error, "TIMEOUT")) return linkRefusal("timeout", `module ${module}: ${error.message}`, error);
  return linkRefusal("send-failed", `module ${module}: ${reasonOf(error)}`, error);
}
