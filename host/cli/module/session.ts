/** What a verb of `sakuraio module` works with: a module that is opened for it, or one that a shell has open already. */
import { isSakuraError, SakuraError } from "../../../protocol/errors.ts";
import { SakuraModule } from "../../module.ts";
import { type PortUri, parsePortUri } from "../../uri.ts";
import { type CliIo, type ExitCode, printLine } from "../io.ts";

/** The options of whatever opens a module's port. */
export interface PortOptions {
  /** A port URI. */
  readonly port: string;
  /** For a serial port whose URI names none. */
  readonly baud?: number | undefined;
  /** For each try of a command, in ms. */
  readonly timeout?: number | undefined;
  readonly json: boolean;
}

export interface ModuleSession {
  readonly io: CliIo;
  readonly json: boolean;
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

/** @throws SakuraError INVALID_ARGUMENT, or what `SakuraModule.open` throws */
export function openModule(
  options: PortOptions,
  io: CliIo,
  { reopen }: { readonly reopen: boolean },
): Promise<SakuraModule> {
  return SakuraModule.open(portOf(options), { timeoutMs: options.timeout, signal: io.signal, reopen });
}

/** Being stopped is no failure, but that a command may have been carried out is worth a word. */
export function tellUnknownOutcome(error: unknown, io: CliIo): void {
  const { outcome } = isSakuraError(error, "ABORTED") ? error.context : {};
  if (outcome === "unknown" && isSakuraError(error)) printLine(io.stderr, `sakuraio: ${error.message}`);
}

function portOf({ port, baud }: PortOptions): PortUri {
  const uri = parsePortUri(port, { baudRate: baud });
  if (baud === undefined) return uri;
  const line = uri.kind === "buspirate" ? uri.line : uri;
  if (line.kind === "uart" && line.baudRate === baud) return uri;
  const why = line.kind === "uart" ? `the port's URI says ${line.baudRate}` : "this port has none";
  throw new SakuraError("INVALID_ARGUMENT", `--baud ${baud} does not go with --port ${port}: ${why}`);
}
