/** What every verb of `sakuraio module` does before and after its own work. */
import { isSakuraError, SakuraError } from "../../protocol/errors.ts";
import { SakuraModule } from "../module.ts";
import { type PortUri, parsePortUri } from "../uri.ts";
import { type CliIo, type ExitCode, printLine } from "./io.ts";

/** The options that all verbs have. */
export interface PortOptions {
  /** A port URI. */
  readonly port: string;
  /** For a serial port whose URI names none. */
  readonly baud?: number | undefined;
  /** For each try of a command, in ms. */
  readonly timeout?: number | undefined;
  readonly json: boolean;
}

/**
 * Opens the module, has the work done, and closes it, whatever happens.
 * @throws SakuraError what opening and the work throw
 */
export async function withModule(
  options: PortOptions,
  io: CliIo,
  work: (module: SakuraModule) => Promise<ExitCode>,
  { reopen = false }: { reopen?: boolean } = {},
): Promise<ExitCode> {
  const module = await SakuraModule.open(portOf(options), { timeoutMs: options.timeout, signal: io.signal, reopen });
  try {
    return await work(module);
  } catch (error) {
    // Being stopped is no failure, but that a command may have been carried out is worth a word.
    const { outcome } = isSakuraError(error, "ABORTED") ? error.context : {};
    if (outcome === "unknown" && isSakuraError(error)) printLine(io.stderr, `sakuraio: ${error.message}`);
    throw error;
  } finally {
    await module.close();
  }
}

function portOf({ port, baud }: PortOptions): PortUri {
  const uri = parsePortUri(port, { baudRate: baud });
  if (baud === undefined) return uri;
  const line = uri.kind === "buspirate" ? uri.line : uri;
  if (line.kind === "uart" && line.baudRate === baud) return uri;
  const why = line.kind === "uart" ? `the port's URI says ${line.baudRate}` : "this port has none";
  throw new SakuraError("INVALID_ARGUMENT", `--baud ${baud} does not go with --port ${port}: ${why}`);
}
