/**
 * Updating a module's firmware: UNLOCK, UPDATE_FIRMWARE, and waiting for its result. While it updates, the module may
 * answer nothing at all (§2): silence means that it is still at it.
 */
import { isSakuraError, SakuraError } from "../protocol/errors.ts";
import type { UpdateResult } from "../protocol/status.ts";
import type { ModuleMethods } from "./module-methods.ts";
import { isRefusal } from "./outcome.ts";
import { Patience, type PatienceOptions } from "./patience.ts";

export interface FirmwareUpdateOptions {
  /** Stops waiting. The update itself cannot be stopped: the module goes on by itself. */
  readonly signal?: AbortSignal | undefined;
  /** For all of it, in ms; 600000 (ten minutes) unless told. */
  readonly timeoutMs?: number | undefined;
  /** Between two looks, in ms; 1000 unless told. */
  readonly pollMs?: number | undefined;
  /** Told at each step and at each look. */
  readonly onProgress?: ((progress: FirmwareUpdateProgress) => void) | undefined;
}

export interface FirmwareUpdateProgress {
  /** `silent`: it updates and answers nothing; `restarting`: it is done, and comes up with its new firmware. */
  readonly phase: "starting" | "updating" | "silent" | "restarting";
  readonly elapsedMs: number;
}

export interface FirmwareUpdate {
  /** The versions, such as `v1.4.3-…`. */
  readonly before: string;
  readonly after: string;
  /**
   * `ok`: updated, where `after` is another version than `before`; where it is not, the module reports no failure and
   * shows nothing new. `already-up-to-date`: nothing to do. All others: it failed, and the old firmware stays.
   */
  readonly result: UpdateResult;
  readonly elapsedMs: number;
}

/** How often an update that certainly does not run is started. */
const STARTS_MAX = 3;
/** How long a module that says `ok` may still show its old version, before it restarts: in ms. */
const RESTART_MS = 15_000;

/** See `SakuraModule.runFirmwareUpdate`. */
export async function runFirmwareUpdate(
  module: ModuleMethods,
  { onProgress, ...limits }: FirmwareUpdateOptions & Omit<PatienceOptions, "timeoutMs" | "pollMs">,
): Promise<FirmwareUpdate> {
  const { timeoutMs = 600_000, pollMs = 1000, signal } = limits;
  const patience = new Patience({ ...limits, timeoutMs, pollMs });
  const tell = (phase: FirmwareUpdateProgress["phase"]): void => onProgress?.({ phase, elapsedMs: patience.elapsedMs });
  tell("starting");
  const run = new UpdateRun(module, patience, timeoutMs, tell);
  const before = (await run.version()) ?? (await module.getFirmwareVersion({ signal }));
  try {
    const result = await run.result(before);
    const after = await run.versionAfter(before, result);
    return { before, after, result, elapsedMs: patience.elapsedMs };
  } catch (error) {
    throw run.begun ? leftRunning(error, before, patience.elapsedMs) : error;
  }
}

class UpdateRun {
  /** Whether the module may be updating by now. */
  begun = false;
  readonly #module: ModuleMethods;
  readonly #patience: Patience;
  readonly #timeoutMs: number;
  readonly #tell: (phase: FirmwareUpdateProgress["phase"]) => void;

  constructor(
    module: ModuleMethods,
    patience: Patience,
    timeoutMs: number,
    tell: (phase: FirmwareUpdateProgress["phase"]) => void,
  ) {
    this.#module = module;
    this.#patience = patience;
    this.#timeoutMs = timeoutMs;
    this.#tell = tell;
  }

  async result(before: string): Promise<UpdateResult> {
    let sure = false;
    // One that runs already is followed: it can neither be stopped nor started again.
    if ((await this.#status())?.inProgress) sure = this.begun = true;
    for (let starts = 1; !sure; starts++) {
      sure = await this.#start();
      if (sure) break;
      // The answer was lost: the status says what became of it, once the module speaks.
      const status = await this.#untilItSpeaks();
      const version = await this.version();
      if (status.inProgress || version !== before) break;
      if (starts >= STARTS_MAX) throw notStarted();
    }
    for (;;) {
      const status = await this.#status();
      if (status && !status.inProgress) return status.result;
      this.#tell(status ? "updating" : "silent");
      await this.#wait();
    }
  }

  /** The version it comes up with. */
  async versionAfter(before: string, result: UpdateResult): Promise<string> {
    const since = this.#patience.elapsedMs;
    for (;;) {
      const version = await this.version();
      const settled = result !== "ok" || version !== before || this.#patience.elapsedMs - since >= RESTART_MS;
      if (version !== undefined && settled) return version;
      this.#tell("restarting");
      await this.#wait();
    }
  }

  /** Whether it certainly began. */
  async #start(): Promise<boolean> {
    const { signal } = this.#patience.command;
    try {
      await this.#module.unlock({ signal });
      // From here on: what is given up may have been carried out.
      this.begun = true;
      await this.#module.updateFirmware({ signal });
      return true;
    } catch (error) {
      // LOCKED: the line was so slow that the lock is back. BUSY: one is under way already.
      if (isSakuraError(error, "OUTCOME_UNKNOWN") || isRefusal(error, "LOCKED") || isRefusal(error, "BUSY"))
        return false;
      if (isSakuraError(error, "MODULE_REFUSED")) this.begun = false;
      throw error;
    }
  }

  async #untilItSpeaks(): Promise<{ readonly inProgress: boolean }> {
    for (;;) {
      const status = await this.#status();
      if (status) return status;
      this.#tell("silent");
      await this.#wait();
    }
  }

  /** Nothing while the module says nothing that can be relied on. */
  version(): Promise<string | undefined> {
    return this.#patience.askTwice(() => this.#module.getFirmwareVersion(this.#patience.command), String);
  }

  #status() {
    return this.#patience.askTwice(
      () => this.#module.getUpdateFirmwareStatus(this.#patience.command),
      ({ inProgress, result }) => `${inProgress} ${result}`,
    );
  }

  async #wait(): Promise<void> {
    if (this.#patience.over) {
      throw new SakuraError("TIMEOUT", `the firmware update has no result after ${this.#timeoutMs} ms`, {
        context: { timeoutMs: this.#timeoutMs },
      });
    }
    await this.#patience.pause();
  }
}

/** Whoever stops waiting must not pull the plug. */
function leftRunning(error: unknown, before: string, elapsedMs: number): unknown {
  if (!isSakuraError(error) || error.code === "MODULE_REFUSED") return error;
  return new SakuraError(
    error.code,
    `${error.message}; the module may still be updating by itself: leave it powered, and ask for its version later`,
    { context: { ...error.context, before, elapsedMs, outcome: "unknown" }, cause: error.cause ?? error },
  );
}

function notStarted(): SakuraError {
  return new SakuraError(
    "MODULE_REFUSED",
    "the module does not begin to update: it took the command and does nothing",
    {
      context: { command: "UPDATE_FIRMWARE", status: "not-started" },
    },
  );
}
