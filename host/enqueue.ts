/**
 * Putting values in the TX queue, each once, on a line that loses answers.
 *
 * TX_ENQUEUE must not be repeated blindly. But the queue's length before and after says whether it was carried out, as
 * long as nobody else changes the queue: no TX_SEND is under way, no other caller puts in or takes out, and the module
 * has not restarted. Where any of that cannot be ruled out, the outcome stays unknown and is said to be.
 */
import type { RequestOf, ResponseOf } from "../protocol/commands.ts";
import { isSakuraError, reasonOf, SakuraError } from "../protocol/errors.ts";
import type { CommandOptions } from "./job.ts";
import type { ModuleMethods } from "./module-methods.ts";

export type TxEntry = RequestOf<"TX_ENQUEUE">;

/** What the exact enqueuing needs of a module's client. */
export interface TxFeeder {
  readonly module: Pick<ModuleMethods, "txEnqueue" | "txLength" | "txStat">;
  /** Counts the commands that change the TX queue, whoever of this client's callers gave them. */
  readonly changes: () => number;
}

/** A length that contradicts itself was damaged on its way in spite of its parity. */
const LENGTH_READS_MAX = 4;
/** Each time it is certain that the module has not got the value. */
const ENQUEUE_TRIES = 4;

/** One caller's view of the queue: how long it must be if nobody else touches it. */
export class TxQueueWatch {
  readonly #module: TxFeeder["module"];
  readonly #changesNow: TxFeeder["changes"];
  readonly #options: CommandOptions;
  #changes = -1;
  /** What the queue must hold by now; nothing when a send is under way, which empties it at a time nobody sees. */
  #length: number | undefined;
  #capacity: number | undefined;

  constructor({ module, changes }: TxFeeder, options: CommandOptions) {
    this.#module = module;
    this.#changesNow = changes;
    this.#options = options;
  }

  /** Looks how long the queue is, to reckon from there. */
  async look(): Promise<void> {
    const changes = this.#changesNow();
    const { queue } = await this.#module.txStat(this.#options);
    const { available, queued } = await this.#module.txLength(this.#options);
    this.#capacity = available + queued;
    this.#length = queue === "sending" ? undefined : queued;
    this.#changes = changes;
  }

  /**
   * Puts one value in the queue.
   * @throws SakuraError OUTCOME_UNKNOWN where the queue's length does not tell either; else as TX_ENQUEUE
   */
  async put(entry: TxEntry): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        const putting = this.#module.txEnqueue(entry, this.#options);
        this.#changes++;
        await putting;
        this.#grown();
        return;
      } catch (error) {
        if (!isSakuraError(error, "OUTCOME_UNKNOWN")) throw error;
        const arrived = await this.#arrived(error);
        if (arrived) {
          this.#grown();
          return;
        }
        if (tries >= ENQUEUE_TRIES) throw notPut(error);
      }
    }
  }

  /** The values that are missing: the module restarted, or somebody else emptied the queue. 0 where nobody can tell. */
  async missing(): Promise<number> {
    if (this.#length === undefined || this.#changesNow() !== this.#changes) return 0;
    const { queued } = await this.#read();
    return Math.max(0, this.#length - queued);
  }

  #grown(): void {
    if (this.#length !== undefined) this.#length++;
  }

  /** @throws SakuraError OUTCOME_UNKNOWN */
  async #arrived(error: SakuraError): Promise<boolean> {
    if (this.#length === undefined) throw error;
    let queued: number;
    try {
      queued = (await this.#read()).queued;
    } catch (cause) {
      if (isSakuraError(cause, "ABORTED")) throw error;
      throw new SakuraError(error.code, `${error.message}; and the queue's length is not known: ${reasonOf(cause)}`, {
        context: error.context,
        cause,
      });
    }
    const alone = this.#changesNow() === this.#changes;
    if (alone && queued === this.#length + 1) return true;
    if (alone && queued === this.#length) return false;
    const why = alone
      ? `the TX queue holds ${queued}, where ${this.#length} or ${this.#length + 1} would tell: has the module restarted?`
      : "something else used the TX queue at the same time";
    throw new SakuraError(error.code, `${error.message}; ${why}`, { context: error.context, cause: error });
  }

  async #read(): Promise<ResponseOf<"TX_LENGTH">> {
    for (let reads = 1; ; reads++) {
      const length = await this.#module.txLength(this.#options);
      if (length.available + length.queued === this.#capacity || reads >= LENGTH_READS_MAX) return length;
    }
  }
}

/** Each try got lost, and it is certain that none arrived. */
function notPut(error: SakuraError): SakuraError {
  return new SakuraError("NO_ANSWER", `TX_ENQUEUE did not get through in ${ENQUEUE_TRIES} tries: check the line`, {
    context: { ...error.context, outcome: undefined },
    cause: error,
  });
}
