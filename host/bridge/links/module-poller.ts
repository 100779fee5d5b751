/**
 * How a module is asked for what has come: its connection, and the values in its RX queue, which are taken so that each
 * is published once, at worst twice, and never lost:
 *
 *     RX_PEEK ──▶ the bridge keeps it ──▶ RX_DEQUEUE ──▶ the same value? ──no──▶ that one is published as well
 *
 * Whatever breaks in between, the value is in the module or with the bridge, or with both. RX_PEEK shows the head of the
 * queue alone (§2), so a message has one value.
 */
import type { Clock, Uplink } from "../../../protocol/bus.ts";
import type { ChannelEntry } from "../../../protocol/channel.ts";
import type { ResponseOf } from "../../../protocol/commands.ts";
import { formatDateTime } from "../../../protocol/datetime.ts";
import { isSakuraError, SakuraError } from "../../../protocol/errors.ts";
import type { UplinkMessage } from "../../../protocol/message.ts";
import type { SakuraModule } from "../../module.ts";
import { isRefusal } from "../../outcome.ts";
import type { LinkNote } from "../link.ts";

export type PolledModule = Pick<SakuraModule, "getConnectionStatus" | "rxLength" | "rxPeek" | "rxDequeue">;

/** A value at the head of the RX queue, and the span of time in which it must have come there: Unix ms. */
interface Seen {
  readonly entry: ChannelEntry;
  readonly from: number;
  readonly to: number;
}

/** What is known of the module beyond one opening of its port. */
export interface ModuleMemory {
  /** What the bridge was told last, or found at first: the platform tells changes, and so does this. */
  online?: boolean;
  /** Published, and perhaps in the RX queue still: its RX_DEQUEUE has had no good answer. */
  published?: { readonly seen: Seen; readonly queued: number } | undefined;
  /** Taken out of the module without having been peeked at, and not kept by the bridge so far. Goes before all else. */
  unsent?: UplinkMessage | undefined;
  /** Values of a message that was refused may be in the TX queue still: they must not go out with the next. */
  leftover?: boolean;
}

export interface ModulePollerOptions {
  readonly module: string;
  readonly clock: Clock;
  readonly uplink: Uplink;
  readonly memory: ModuleMemory;
  readonly note: (note: LinkNote) => void;
}

/** The clocks of module and bridge may drift apart by so much while a value waits. */
const DRIFT_MS = 250;

export class ModulePoller {
  readonly #client: PolledModule;
  readonly #options: ModulePollerOptions;
  #stopped = false;

  constructor(client: PolledModule, options: ModulePollerOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Ends a round that is under way with the value that it is at. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * One round: a change of connection, then what was in the RX queue at its start; what comes meanwhile is the next
   * round's. While the bridge refuses, all of it stays in the module. @throws SakuraError the client's
   */
  async poll(): Promise<void> {
    // The queue's length soon after tells best whether the value in doubt is still in it.
    if ((await this.#round()) === "in doubt") await this.#round();
  }

  async #round(): Promise<"done" | "in doubt"> {
    if (!(await this.#handUp()) || !(await this.#readConnection())) return "done";
    let { queued } = await this.#client.rxLength();
    if (queued === 0) this.#options.memory.published = undefined;
    for (; queued > 0 && !this.#stopped; queued--) {
      const outcome = await this.#readValue(queued);
      if (outcome !== "taken") return outcome;
    }
    return "done";
  }

  /** Whether a change, if there was one, is with the bridge. A state that did not last until then is not told. */
  async #readConnection(): Promise<boolean> {
    const { memory, module } = this.#options;
    const { online } = await this.#client.getConnectionStatus();
    const changed = memory.online !== undefined && memory.online !== online;
    if (changed && !(await this.#take({ module, type: "connection", payload: { is_online: online } }))) return false;
    memory.online = online;
    return true;
  }

  /** @param queued values in the RX queue, at least */
  async #readValue(queued: number): Promise<"taken" | "done" | "in doubt"> {
    const { memory } = this.#options;
    const head = await this.#peek();
    if (head === undefined) return "done";
    if (!isStillThere(memory.published, head, queued) && !(await this.#take(this.#messageOf(head)))) return "done";
    memory.published = { seen: head, queued };
    let taken: Seen | undefined;
    try {
      taken = await this.#see(() => this.#client.rxDequeue());
    } catch (error) {
      if (isSakuraError(error, "OUTCOME_UNKNOWN")) return "in doubt";
      throw error;
    }
    memory.published = undefined;
    if (taken !== undefined && isSame(head, taken)) return "taken";
    return (await this.#takeOther(taken)) ? "taken" : "done";
  }

  /** The module has handed out another value than it had shown, or none. */
  async #takeOther(taken: Seen | undefined): Promise<boolean> {
    const { module, note, memory } = this.#options;
    const what = taken === undefined ? "held no value any more" : "handed out another value, which is published too";
    note({
      note: "rx-queue-changed",
      message: `module ${module} ${what}: another program reads or clears its RX queue; let the bridge alone do that`,
    });
    if (taken === undefined) return true;
    memory.unsent = this.#messageOf(taken);
    return this.#handUp();
  }

  async #peek(): Promise<Seen | undefined> {
    try {
      return await this.#see(() => this.#client.rxPeek());
    } catch (error) {
      if (!isSakuraError(error, "INVALID_PAYLOAD")) throw error;
      // What is no value would stand before all others for ever. The error is the link's state until the next opening.
      const taken = await this.#see(() => this.#client.rxDequeue()).catch(() => undefined);
      if (taken !== undefined) {
        // The answer was damaged on its way, and not the value.
        this.#options.memory.unsent = this.#messageOf(taken);
        await this.#handUp();
        return undefined;
      }
      throw new SakuraError(
        "INVALID_PAYLOAD",
        `module ${this.#options.module} holds something in its RX queue that is no value (${error.message}); it was dropped`,
        { cause: error },
      );
    }
  }

  /** Nothing when the queue is empty. */
  async #see(ask: () => Promise<ResponseOf<"RX_PEEK">>): Promise<Seen | undefined> {
    const { clock } = this.#options;
    const asked = clock.now();
    try {
      const { offset, ...entry } = await ask();
      return { entry, from: asked + Number(offset), to: clock.now() + Number(offset) };
    } catch (error) {
      if (isRefusal(error, "RUNTIME")) return undefined;
      throw error;
    }
  }

  #messageOf({ entry, to }: Seen): UplinkMessage {
    const channels = [{ ...entry, datetime: formatDateTime(to) }];
    return { module: this.#options.module, type: "channels", payload: { channels } };
  }

  /** Whether nothing is left over. */
  async #handUp(): Promise<boolean> {
    const { memory } = this.#options;
    if (memory.unsent !== undefined && !(await this.#take(memory.unsent))) return false;
    memory.unsent = undefined;
    return true;
  }

  /** Whether the bridge has it. */
  async #take(message: UplinkMessage): Promise<boolean> {
    try {
      await this.#options.uplink.take(message);
      return true;
    } catch (error) {
      // The bridge has reported it, and the module keeps the value until there is room.
      if (isSakuraError(error, "REFUSED")) return false;
      throw error;
    }
  }
}

/**
 * Whether the head is the value that has been published already. A shorter queue has lost that one, and the head is its
 * twin; in a longer one it cannot be told: then it is published again rather than lost. What is left is a twin that came
 * at the same moment, a lost answer, and exactly one more value before the length was read again.
 */
function isStillThere(published: ModuleMemory["published"], head: Seen, queued: number): boolean {
  return published !== undefined && published.queued === queued && isSame(published.seen, head);
}

function isSame(a: Seen, b: Seen): boolean {
  return (
    a.entry.channel === b.entry.channel &&
    a.entry.type === b.entry.type &&
    isSameValue(a.entry.value, b.entry.value) &&
    a.from <= b.to + DRIFT_MS &&
    b.from <= a.to + DRIFT_MS
  );
}

function isSameValue(a: ChannelEntry["value"], b: ChannelEntry["value"]): boolean {
  return Object.is(a, b) || (a instanceof Uint8Array && String(a) === String(b));
}
