/** The command line of `sakuraio outbox`. */
import type { Command } from "commander";
import type { CliIo } from "./io.ts";
import { integer } from "./options.ts";
import type { ListOptions, OpenStore, OutboxOptions, PickOptions } from "./outbox.ts";
import { runWithSubject, subjectHelp } from "./verb-help.ts";

const { examples, verb } = subjectHelp("sakuraio outbox --config bridge.yaml");

/** @param openStore for a bridge that does not run; without it only one that does can be asked */
export function registerOutboxVerbs(program: Command, io: () => CliIo, openStore?: OpenStore): void {
  const outbox = program
    .command("outbox")
    .summary("what a bridge has not handed over yet, and its dead letters")
    .description(
      "What a bridge has accepted and not handed over yet. A message that its service's connection broke on again and " +
        "again is a dead letter: it can be listed, tried again, and deleted. The running bridge is asked on its HTTP port.",
    )
    .option("--config <FILE>", "the bridge's file")
    .option(
      "--panel <HOST:PORT>",
      "where the bridge listens, instead of the file's http.listen; then no file is needed",
    )
    .option("--json", "one JSON object a line on stdout and nothing else", false)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", examples("status", "dead-letters", "retry --all", "delete --service plant-a --id 17 18"));
  verb(outbox, "status", "what waits for each service", "status").action((_options: unknown, command: Command) =>
    runWithSubject<OutboxOptions>(command, io, async (options, cli) =>
      (await verbs()).outboxStatus(options, cli, openStore),
    ),
  );
  verb(outbox, "dead-letters", "list a service's dead letters, the oldest first", "dead-letters --service plant-a")
    .option("--service <NAME>", SERVICE)
    .option("--after <ID>", "only those behind this one")
    .option("--limit <N>", "at most so many", integer(1, 1_000_000), 100)
    .action((_options: unknown, command: Command) =>
      runWithSubject<ListOptions>(command, io, async (options, cli) =>
        (await verbs()).outboxDeadLetters(options, cli, openStore),
      ),
    );
  picking(outbox, "retry", "put dead letters back in line for their service", "retry --all").action(
    (_options: unknown, command: Command) =>
      runWithSubject<PickOptions>(command, io, async (options, cli) =>
        (await verbs()).outboxRetry(options, cli, openStore),
      ),
  );
  picking(outbox, "delete", "delete dead letters for good", "delete --service plant-a --id 17 18").action(
    (_options: unknown, command: Command) =>
      runWithSubject<PickOptions>(command, io, async (options, cli) =>
        (await verbs()).outboxDelete(options, cli, openStore),
      ),
  );
}

const SERVICE = "the service's name; may be left out where there is one";

function picking(outbox: Command, name: string, description: string, example: string): Command {
  return verb(outbox, name, description, example)
    .option("--service <NAME>", SERVICE)
    .option("--id <ID...>", "those that dead-letters lists with these ids")
    .option("--all", "all of the service's", false);
}

function verbs(): Promise<typeof import("./outbox.ts")> {
  return import("./outbox.ts");
}
