#!/usr/bin/env node
/** The command `sakuraio`: which verbs there are. Each loads what it needs when it runs, so that `--help` is quick. */
import { Command } from "commander";
import { version } from "../version.ts";
import { registerAvrVerb } from "./avr-verb.ts";
import { registerAwsIotVerbs } from "./aws-iot-verbs.ts";
import { registerBridgeVerb } from "./bridge-verb.ts";
import { registerCodegenVerbs } from "./codegen-verb.ts";
import { registerConfigVerbs } from "./config-verbs.ts";
import { registerDemoVerb } from "./demo-verb.ts";
import { registerDoctorVerb } from "./doctor-verb.ts";
import { registerEmulateVerb } from "./emulate-verb.ts";
import { registerFeedVerb } from "./feed-verb.ts";
import type { CliIo } from "./io.ts";
import { registerModuleVerbs } from "./module/verbs.ts";
import { registerOutboxVerbs } from "./outbox-verb.ts";
import { registerPortsVerb } from "./ports-verb.ts";
import { processIo } from "./process-io.ts";
import { registerReplayVerb } from "./replay-verb.ts";
import { registerTapVerb } from "./tap-verb.ts";

let opened: CliIo | undefined;
/** Once, and only for a verb that runs: `--help` needs no signals. */
const io = (): CliIo => {
  opened ??= processIo();
  return opened;
};

const program = new Command("sakuraio")
  .description("Drive a sakura.io module, emulate one, and bridge its channel data to AWS IoT Core.")
  .version(version())
  .showHelpAfterError("(--help says more)")
  // Wrong usage exits 2; asking for help or the version is no error.
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));

registerDemoVerb(program, io);
registerDoctorVerb(program, io);
registerEmulateVerb(program, io);
registerModuleVerbs(program, io);
registerFeedVerb(program, io);
registerPortsVerb(program, io);
registerBridgeVerb(program, io);
registerTapVerb(program, io);
registerReplayVerb(program, io);
registerConfigVerbs(program, io);
registerOutboxVerbs(program, io, async (config, report) =>
  (await import("../bridge/kept-outbox.ts")).openKeptOutbox(config, report),
);
registerAvrVerb(program, io);
registerAwsIotVerbs(program, io);
registerCodegenVerbs(program, io);

await program.parseAsync();
