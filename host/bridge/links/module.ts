/**
 * Link `module`: the bridge is the MCU of a real module. It publishes what it takes from the RX queue and each change of
 * connection, and enqueues and sends what comes down.
 */
import type { Clock } from "../../../protocol/bus.ts";
import { isSakuraError, reasonOf, SakuraError, type SakuraErrorCode } from "../../../protocol/errors.ts";
import type { DownlinkMessage } from "../../../protocol/message.ts";
import { pause } from "../../clock.ts";
import type { RealModuleConfig } from "../../config/schema.ts";
import { SakuraModule } from "../../module.ts";
import { parsePortUri } from "../../uri.ts";
import { endsWithin } from "../backoff.ts";
import type { Link } from "../link.ts";
import type { LinkContext } from "../start.ts";
import { type ModuleMemory, ModulePoller, type PolledModule } from "./module-poller.ts";
import { linkRefusal, type OpenLink, retryingLink } from "./retrying.ts";

/** What is used of a module's client. */
export type ModuleClient = PolledModule &
  Pick<SakuraModule, "txLength" | "txEnqueue" | "txClear" | "flush" | "onState" | "close">;

export interface ModuleLinkOptions {
  /** The id under which it is published. */
  readonly module: string;
  /** The port's URI, for people. */
  readonly port: string;
  /** How often it is asked for what has come, in ms. */
  readonly pollMs: number;
  /** See {@link Link.mirrors}. */
  readonly mirrors?: boolean | undefined;
  readonly clock: Clock;
  readonly random?: (() => number) | undefined;
  open(signal: AbortSignal): Promise<ModuleClient>;
}

/** A module that has not sent within this has failed to. */
const SEND_TIMEOUT_MS = 20_000;
/** How long a close waits for the value that is being taken: cut short, it would be published again at the next start. */
const FINISH_MS = 400;

/** The link of a configuration. @throws SakuraError INVALID_ARGUMENT, UNSUPPORTED for a port that is none */
export function realModuleLink(config: RealModuleConfig, { clock, random }: LinkContext): Link {
  const port = parsePortUri(config.port);
  return moduleLink({
    module: config.id,
    port: config.port,
    pollMs: config.poll_ms,
    mirrors: config.mirror,
    clock,
    random,
    // Not `reopen`: the link itself opens it again, also when the port is there and the module does not answer.
    open: (signal) => SakuraModule.open(port, { signal }),
  });
}

export function moduleLink(options: ModuleLinkOptions): Link {
  const memory: ModuleMemory = {};
  return retryingLink({
    module: options.module,
    kind: "module",
    mirrors: options.mirrors,
    clock: options.clock,
    random: options.random,
    async open(uplink, signal, note): Promise<OpenLink> {
      const client = await options.open(signal);
      const poller = new ModulePoller(client, { ...options, uplink, memory, note });
      const giveUp = (): Promise<void> => client.close().catch(() => undefined);
      const onAbort = (): void => void giveUp();
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        if (memory.leftover) await client.txClear();
        memory.leftover = false;
        // Only a module that answers is up.
        await poller.poll();
      } catch (error) {
        await giveUp();
        throw error;
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
      return openModule(client, poller, memory, options);
    },
  });
}

function openModule(
  client: ModuleClient,
  poller: ModulePoller,
  memory: ModuleMemory,
  { module, port, pollMs, clock }: ModuleLinkOptions,
): OpenLink {
  const stop = new AbortController();
  // A port says at once that it is gone; the next poll may be an hour away.
  const gone = new Promise<SakuraError>((resolve) => {
    client.onState((state) => {
      if (state.kind === "lost") resolve(state.reason);
    });
  });
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
  const polling = run();
  return {
    endpoint: port,
    lost: Promise.race([polling, gone]),
    deliver: (message, signal) =>
      send(client, message, memory, signal ? AbortSignal.any([signal, stop.signal]) : stop.signal),
    async close() {
      stop.abort();
      poller.stop();
      await endsWithin(clock, FINISH_MS, polling);
      await client.close();
    },
  };
}

/** All of a message's values, or none: what a failure leaves in the TX queue is cleared. */
async function send(
  client: ModuleClient,
  { module, payload }: DownlinkMessage,
  memory: ModuleMemory,
  signal: AbortSignal,
): Promise<void> {
  const { channels } = payload;
  try {
    const { online } = await client.getConnectionStatus({ signal });
    if (!online) throw linkRefusal("offline", `module ${module} is offline: send it again when it is online`);
    const { available } = await client.txLength({ signal });
    if (available < channels.length) throw txQueueFull(module, available, channels.length);
  } catch (error) {
    // Nothing of it has gone: it may wait for the link.
    if (isPortGone(error)) throw linkRefusal("link-down", `module ${module}: ${reasonOf(error)}`, error);
    throw refusalOf(error, module);
  }
  try {
    for (const entry of channels) await client.txEnqueue(entry, { signal });
    await client.flush({ signal, timeoutMs: SEND_TIMEOUT_MS });
  } catch (error) {
    // Nobody else enqueues here, so what is in the queue is this message.
    await client.txClear().catch(() => {
      memory.leftover = true;
    });
    throw refusalOf(error, module);
  }
}

function isPortGone(error: unknown): boolean {
  const codes: readonly SakuraErrorCode[] = ["PORT_LOST", "PORT_FAILED", "PORT_NOT_FOUND", "CLOSED"];
  return isSakuraError(error) && codes.includes(error.code);
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
