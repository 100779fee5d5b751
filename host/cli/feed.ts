/** `sakuraio feed`: waves or a file's rows into a module, from the command line. */
import { SakuraError } from "../../protocol/errors.ts";
import { readCsvRounds } from "../feed/csv.ts";
import { feed } from "../feed/feed.ts";
import type { FeedSource } from "../feed/round.ts";
import { type Wave, waveRounds } from "../feed/wave-rounds.ts";
import { parseWave } from "../feed/wave-text.ts";
import { FeedReport } from "./feed-report.ts";
import type { CliIo, ExitCode } from "./io.ts";
import { portTeller } from "./module/receive.ts";
import { type PortOptions, portSession } from "./module/session.ts";

export interface FeedVerbOptions extends PortOptions {
  /** Waves as they were written, empty for the default; each as often as it was given. */
  readonly sine?: readonly string[] | undefined;
  readonly ramp?: readonly string[] | undefined;
  readonly walk?: readonly string[] | undefined;
  readonly csv?: string | undefined;
  /** ms */
  readonly every?: number | undefined;
  /** Rounds a second. */
  readonly rate?: number | undefined;
  readonly rounds?: number | undefined;
  readonly seed?: number | undefined;
  readonly speed?: number | undefined;
  readonly receive: boolean;
}

const EVERY_MS = 1000;

/**
 * Exits 1 when the rounds are over and not all of them is known to be sent; being stopped is no failure.
 * @throws SakuraError INVALID_ARGUMENT, FILE_FAILED, before the port is opened; as `SakuraModule.open` and `feed`
 */
export async function feedVerb(options: FeedVerbOptions, io: CliIo): Promise<ExitCode> {
  const everyMs = options.rate !== undefined ? 1000 / options.rate : (options.every ?? EVERY_MS);
  const { source, perSecond } = await sourceOf(options, everyMs);
  const session = portSession(options, io);
  const report = new FeedReport(session, { perSecond });
  return session.withModule(
    async (module) => {
      const forget = module.onState(portTeller((text) => report.tell(text)));
      const summary = await feed(module, source, {
        everyMs,
        rounds: options.rounds,
        receive: options.receive,
        signal: io.signal,
        onEvent: (event) => report.event(event),
      }).finally(forget);
      report.end(summary);
      const missing = summary.waiting + summary.unknown + summary.dropped;
      return missing > 0 && !io.signal.aborted ? 1 : 0;
    },
    { reopen: true },
  );
}

async function sourceOf(
  options: FeedVerbOptions,
  everyMs: number,
): Promise<{ readonly source: FeedSource; readonly perSecond: number }> {
  const waves: Wave[] = (["sine", "ramp", "walk"] as const).flatMap((shape) =>
    (options[shape] ?? []).map((text) => parseWave(shape, text)),
  );
  if (options.csv === undefined) {
    if (waves.length === 0) throw wrongUsage("what is to be sent? --sine, --ramp, --walk or --csv FILE");
    if (options.speed !== undefined)
      throw wrongUsage("--speed goes with a --csv that has times: use --every or --rate");
    return { source: waveRounds(waves, { everyMs, seed: options.seed }), perSecond: 1000 / everyMs };
  }
  const { rounds, timed } = await readCsvRounds(options.csv, { speed: options.speed });
  if (timed && (options.every ?? options.rate) !== undefined) {
    throw wrongUsage(`${options.csv} has times: its pace is --speed, not --every or --rate`);
  }
  if (!timed && options.speed !== undefined) {
    throw wrongUsage(`${options.csv} has no column "time": its pace is --every or --rate, not --speed`);
  }
  const lastMs = rounds.at(-1)?.atMs;
  return { source: rounds, perSecond: lastMs === undefined ? 1000 / everyMs : (rounds.length * 1000) / lastMs };
}

function wrongUsage(message: string): SakuraError {
  return new SakuraError("INVALID_ARGUMENT", message);
}
