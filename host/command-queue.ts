/** Commands to one module: one in flight, the others wait their turn in order (§1). */
import { isSakuraError } from "../protocol/errors.ts";
import { pause } from "./clock.ts";
import type { Connection } from "./connection.ts";
import { type CommandOptions, checkLimits, Job, type QueueDefaults, type QueuedCommand } from "./job.ts";
import {
  abortedError,
  closedError,
  type Failure,
  isLineFailure,
  mustNotRepeat,
  notSent,
  outOfStep,
  take,
  takeLate,
  unanswered,
  verdict,
} from "./outcome.ts";
import { Retries } from "./retry.ts";
import type { FrameExchange, Leftover } from "./transport/exchange.ts";

export class CommandQueue {
  readonly #connection: Connection;
  readonly #defaults: QueueDefaults;
  readonly #stop = new AbortController();
  #waiting: Job[] = [];
  #busy = false;

  constructor(connection: Connection, defaults: QueueDefaults) {
    this.#connection = connection;
    this.#defaults = defaults;
    checkLimits(defaults);
    connection.onState((state) => {
      if (state.kind === "lost") for (const job of this.#waiting) job.waitsSince ??= defaults.clock.now();
    });
  }

  /**
   * Carries a command out when its turn comes.
   *
   * What is tried again: a request that the module refused because it was damaged or because the module was busy, for
   * every command; one that got no good answer, for those that may be repeated. After a failure the line is brought in
   * step before anything else is sent, and an answer that was only late still counts.
   *
   * While a lost port is being opened again, a command waits for it up to its timeout.
   *
   * @throws SakuraError
   *   - MODULE_REFUSED (context.status), INVALID_PAYLOAD: the module's answer
   *   - NO_ANSWER, DAMAGED_ANSWER: on every try; the command may be repeated, or was never sent
   *   - OUTCOME_UNKNOWN: no good answer to a command that must not be repeated; the cause says why
   *   - PORT_LOST: the command was not carried out, or may be repeated
   *   - ABORTED, CLOSED: with context.outcome `unknown` where a command that must not be repeated was under way
   *   - INVALID_ARGUMENT: options outside their range
   */
  run<T>(command: QueuedCommand<T>, options: CommandOptions = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      const job = new Job(command, options, this.#defaults, (answer) => resolve(command.decode(answer)), reject);
      if (this.#stop.signal.aborted) throw closedError(command.name, this.#connection.name);
      if (job.signal?.aborted) throw abortedError(command.name, job.signal);
      if (!this.#connection.exchange) job.waitsSince = this.#defaults.clock.now();
      if (this.#busy) this.#enqueue(job);
      else this.#begin(job);
    });
  }

  /** Rejects whatever waits or is under way with CLOSED. The port is the connection's to close, right after. */
  close(): void {
    this.#stop.abort();
    for (const job of this.#waiting.splice(0)) {
      job.leave();
      job.reject(closedError(job.command.name, this.#connection.name));
    }
  }

  #enqueue(job: Job): void {
    this.#waiting.push(job);
    job.enter((signal) => {
      this.#waiting = this.#waiting.filter((other) => other !== job);
      job.reject(abortedError(job.command.name, signal));
    });
  }

  #next(): void {
    this.#busy = false;
    const job = this.#waiting.shift();
    if (!job) return;
    job.leave();
    this.#begin(job);
  }

  /** The way of nearly every command; everything unusual goes the careful way. */
  #begin(job: Job): void {
    this.#busy = true;
    const { exchange } = this.#connection;
    if (!exchange || exchange.suspect) {
      void this.#finish(job, undefined);
      return;
    }
    exchange.exchange(job.command.request, job).then(
      (answer) => {
        const failure = take(job, exchange, answer);
        if (failure) void this.#finish(job, failure);
        else this.#next();
      },
      (error: unknown) => void this.#finish(job, unanswered(exchange, error)),
    );
  }

  async #finish(job: Job, failure: Failure | undefined): Promise<void> {
    try {
      await this.#persist(job, failure);
    } catch (error) {
      job.reject(error);
    }
    this.#next();
  }

  /** Tries until there is an answer, or no more sense in it. @param failure of the try that was made already */
  async #persist(job: Job, failure: Failure | undefined): Promise<void> {
    let retries: Retries | undefined;
    for (let failed = failure; ; ) {
      if (failed) {
        retries ??= new Retries(job.retries, failed.exchange.noisy);
        // What must not be repeated is not: the next round only finds out whether its answer was late.
        const wait = mustNotRepeat(job, failed) && isLineFailure(failed.error) ? 0 : retries.after(failed.error);
        if (wait === undefined) throw verdict(job, failed);
        if (wait > 0) await pause(this.#defaults.clock, wait, job.signal, this.#stop.signal);
      }
      if (this.#stop.signal.aborted) throw closedError(job.command.name, this.#connection.name);
      if (job.signal?.aborted) throw abortedError(job.command.name, job.signal);
      failed = await this.#try(job, failed);
      if (!failed) return;
    }
  }

  async #try(job: Job, before: Failure | undefined): Promise<Failure | undefined> {
    // A command whose fate is open stays with its port: on another it would be done twice.
    const stays = before && mustNotRepeat(job, before);
    const exchange = stays ? before.exchange : (this.#connection.exchange ?? (await this.#opened(job)));
    if (stays || exchange.suspect) {
      const failure = await this.#resync(job, exchange, before?.exchange === exchange ? before : undefined);
      if (failure !== "in step") return failure;
    }
    try {
      return take(job, exchange, await exchange.exchange(job.command.request, job));
    } catch (error) {
      return unanswered(exchange, error);
    }
  }

  /**
   * Brings the line in step. That can also tell what has become of the try before.
   * @returns `in step`: the command can be sent; else as {@link #try}
   * @throws SakuraError OUTCOME_UNKNOWN and what else ends the command
   */
  async #resync(
    job: Job,
    exchange: FrameExchange,
    before: Failure | undefined,
  ): Promise<Failure | undefined | "in step"> {
    const sentOnce = before?.sent && job.command.repeat === "once";
    let leftover: Leftover;
    try {
      leftover = await exchange.resync(job);
    } catch (error) {
      // That the line is dead now says less than why the answer did not come.
      if (sentOnce) throw verdict(job, { ...before, open: true, ...(!isLineFailure(error) && { error }) });
      return notSent(exchange, error, before);
    }
    let { unreadable } = leftover;
    if (leftover.late && before?.sent) {
      const failure = takeLate(job, exchange, leftover.late);
      if (!failure || !isSakuraError(failure.error, "INVALID_PAYLOAD")) return failure;
      unreadable = true;
    }
    // `ERROR` may have been about an earlier line, and what cannot be read may have been the command's answer.
    if (sentOnce && (before.open || unreadable)) throw verdict(job, { ...before, open: true });
    return exchange.suspect ? notSent(exchange, outOfStep(exchange.name), before) : "in step";
  }

  #opened(job: Job): Promise<FrameExchange> {
    const waited = job.waitsSince === undefined ? 0 : this.#defaults.clock.now() - job.waitsSince;
    return this.#connection.whenOpen({ timeoutMs: Math.max(0, job.timeoutMs - waited), signal: job.signal });
  }
}
