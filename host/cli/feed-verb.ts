/** The command line of `sakuraio feed`. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { FeedVerbOptions } from "./feed.ts";
import type { CliIo } from "./io.ts";
import { integer } from "./options.ts";
import { addPortFlags, PORT_NOTES } from "./port-flags.ts";
import { runVerb } from "./process-io.ts";

export function registerFeedVerb(program: Command, io: () => CliIo): void {
  const command = program
    .command("feed")
    .summary("a scripted MCU, for who has neither firmware nor sensor")
    .description(
      "Sends made-up or recorded values into a module at a pace, as a firmware would, until Ctrl+C or the end of them, " +
        "and takes what comes down. What cannot be sent now waits for the next round; a lost port is opened again.",
    );
  addPortFlags(command)
    .addOption(wave("--sine [WAVE]", "up and down between MIN and MAX in a PERIOD", "1:f=20..30/60s"))
    .addOption(wave("--ramp [WAVE]", "from MIN to MAX in a PERIOD, then again", "0:i=0..100/60s"))
    .addOption(wave("--walk [WAVE]", "a random walk of up to STEP a round", "2:f=0..100/5"))
    .addOption(
      new Option("--csv <FILE>", "a file's rows instead: columns channel, type, value and, where there is one, time"),
    )
    .addOption(
      new Option("--every <MS>", "from one round to the next (default: 1000)").argParser(integer(1, 86_400_000)),
    )
    .addOption(
      new Option("--rate <N>", "so many rounds a second").argParser(positive(1000, 1 / 86_400)).conflicts("every"),
    )
    .option("--rounds <N>", "stop after so many rounds (default: none, or the end of the file)", integer(1, 2 ** 31))
    .option("--seed <N>", "of the random walks: the same values for the same seed (default: 1)", integer(0, 2 ** 32))
    .option("--speed <X>", "of a file with times: so much faster than recorded (default: 1)", positive(1_000_000))
    .option("--no-receive", "leave in the RX queue what comes down")
    .addHelpText("after", `${HELP}\n${PORT_NOTES}`)
    .action((options: FeedVerbOptions) =>
      runVerb(options.json, io(), async (cli) => {
        const { feedVerb } = await import("./feed.ts");
        return feedVerb(options, cli);
      }),
    );
}

/** May be given many times, each time with a wave or without. */
function wave(flags: string, description: string, usual: string): Option {
  return new Option(flags, description)
    .preset(usual)
    .argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text])
    .conflicts("csv");
}

function positive(most: number, least = 0): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d*\.?\d+$/.test(text) || value <= 0 || value < least || value > most)
      throw new InvalidArgumentError(
        `It is a number ${least === 0 ? "above 0" : `from ${least.toPrecision(3)}, one in a day`}, up to ${most}.`,
      );
    return value;
  };
}

const HELP = `
A WAVE is CH:TYPE=MIN..MAX/PERIOD (a walk's: /STEP), its parts left out from the
right: 1:f=20..30/60s, 3:I, 5. Types are those of "module send", a period is in
ms, s, m or h. Waves may be given many times, for one channel each.

A CSV's first line names its columns; times are in RFC 3339 or in seconds, and
rows of one time go together:
  channel,type,value,time
  1,f,23.5,0
  4,L,18446744073709551615,0
  3,b,0f1e2d3c4b5c6b7a,1.5

Examples:
  sakuraio feed --port uart:/dev/ttyUSB0 --sine
  sakuraio feed --port uart:/dev/ttyUSB0 --sine 1 --sine 2:f=40..60/5m --ramp 0:I
  sakuraio feed --port uart:/dev/ttyUSB0 --csv readings.csv --speed 10 --json`;
