/** What a verb of `sakuraio module` works with: a module that is opened for it, or one that a shell has open already. */
import { isSakuraError, SakuraError } from "../../../protocol/errors.ts";
import { SakuraModule } from "../../module.ts";
import { type PortUri, parsePortUri } from "../../uri.ts";
import { type CliIo, type ExitCode, printLine } from "../io.ts";
import { recordFrames, traceFrames } from "../watch-wire.ts";

/** The options of whatever opens a module's port. */
export interface PortOptions {
  /** A port URI. */
  readonly port: string;
  /** For a serial port whose URI names none. */
  readonly baud?: number | undefined;
  /** For each try of a command, in ms. */
  readonly timeout?: number | undefined;
  /** Each frame as a line on stderr. */
  readonly trace?: boolean | undefined;
  /** A file to be made, that keeps each frame. */
  readonly record?: string | undefined;
  readonly json: boolean;
}

export interface ModuleSession {
  readonly io: CliIo;
  readonly json: boolean;
  /** Frames are shown as they go by, and a live line would be in their way. */
  readonly trace?: boolean | undefined;
  /**
   * Has the work done with the open module.
   * @param options.reopen a port that is lost meanwhile is opened again
   * @throws SakuraError what opening and the work throw
   */
  withModule(
    work: (module: SakuraModule) => Promise<ExitCode>,
    options?: { readonly reopen?: boolean },
  ): Promise<ExitCode>;
}

/** A session of one verb: the module is opened for its work, and closed after it, whatever happens. */
export function portSession(options: PortOptions, io: CliIo): ModuleSession {
  return {
    io,
    json: options.json,
    trace: options.trace,
    async withModule(work, { reopen = false } = {}) {
      const module = await openModule(options, io, { reopen });
      try {
        return await work(module);
      } catch (error) {
        tellUnknownOutcome(error, io);
        throw error;
      } finally {
        await module.close();
      }
    },
  };
}

/**
 * Opens the port, and has its frames traced and recorded where the options ask for it, until the module is closed.
 * @throws SakuraError INVALID_ARGUMENT; FILE_FAILED for `record`; what `SakuraModule.open` throws
 */
export async function openModule(
  options: PortOptions,
  io: CliIo,
  { reopen }: { readonly reopen: boolean },
): Promise<SakuraModule> {
  const port = portOf(options);
  const module = await SakuraModule.open(port, { timeoutMs: options.timeout, signal: io.signal, reopen });
  try {
    if (options.trace) traceFrames(module, io);
    if (options.record !== undefined) recordFrames(module, options.record, port, io);
    return module;
  } catch (error) {
    await module.close();
    throw error;
  }
}

/** Being stopped is no failure, but that a command may have been carried out is worth a word. */
export function tellUnknownOutcome(error: unknown, io: CliIo): void {
  const { outcome } = isSakuraError(error, "ABORTED") ? error.context : {};
  if (outcome === "unknown" && isSakuraError(error)) printLine(io.stderr, `sakuraio: ${error.message}`);
}

/** The port that is meant, with its speed. @throws SakuraError INVALID_ARGUMENT */
export function portOf({ port, baud }: PortOptions): PortUri {
  const uri = parsePortUri(port, { baudRate: baud });
  if (baud === undefined) return uri;
  const line = uri.kind === "buspirate" ? uri.line : uri;
  if (line.kind === "uart" && line.baudRate === baud) return uri;
  const why = line.kind === "uart" ? `the port's URI says ${line.baudRate}` : "this port has none";
  throw new SakuraError("INVALID_ARGUMENT", `--baud ${baud} does not go with --port ${port}: ${why}`);
}
