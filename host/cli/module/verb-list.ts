/** The verbs of `sakuraio module`, for the command line and for the shell alike. Each loads what it needs when it runs. */
import { Argument, type Command } from "commander";
import type { ExitCode } from "../io.ts";
import { integer } from "../options.ts";
import type { subjectHelp } from "../verb-help.ts";
import type { FileGetOptions } from "./file.ts";
import type { FirmwareVerbOptions } from "./firmware.ts";
import type { ResetVerbOptions } from "./operate.ts";
import type { ReceiveVerbOptions } from "./receive.ts";
import type { SendVerbOptions, ValueOptions } from "./send.ts";
import type { ModuleSession } from "./session.ts";
import type { WatchVerbOptions } from "./watch.ts";

/** Who runs a verb: the process, which ends with it, or a shell, which goes on. */
export type VerbRunner = <Options extends object>(
  command: Command,
  work: (options: Options, session: ModuleSession) => Promise<ExitCode>,
) => Promise<void>;

/** How verbs are described: see `subjectHelp`. */
export type DescribeVerb = ReturnType<typeof subjectHelp>["verb"];

const HOUR = 3_600_000;
const OFFSET_MAX = Number.MAX_SAFE_INTEGER;
const VALUES = "values such as 1:i=25 2:f=23.5 3:b=0f1e2d3c4b5c6b7a 4:L=18446744073709551615";

export function addModuleVerbs(subject: Command, verb: DescribeVerb, run: VerbRunner): void {
  addQuestions(subject, verb, run);
  addOrders(subject, verb, run);
  addFiles(subject, verb, run);
  addWatch(subject, verb, run);
}

/** What changes nothing in the module. */
function addQuestions(subject: Command, verb: DescribeVerb, run: VerbRunner): void {
  const questions = () => import("./status.ts");
  verb(subject, "status", "connection, signal, time, product, ids, firmware and queues", "status").action(
    (_options: unknown, command: Command) =>
      run(command, async (_, session) => (await questions()).moduleStatus(session)),
  );
  verb(subject, "echo", "have bytes sent back, to see whether the line is good", "echo 0f1e2d3c")
    .argument("<HEX...>", "0 to 255 bytes, two digits each")
    .action((hex: string[], _options: unknown, command: Command) =>
      run(command, async (_, session) => (await questions()).moduleEcho(hex.join(" "), session)),
    );
  verb(subject, "queue", "what is in the TX and the RX queue, and how the last sends went", "queue").action(
    (_options: unknown, command: Command) =>
      run(command, async (_, session) => (await questions()).moduleQueue(session)),
  );
}

/** What goes on until it is ended. */
function addWatch(subject: Command, verb: DescribeVerb, run: VerbRunner): void {
  verb(subject, "watch", "status, signal, queues and arriving values, live in place", "watch --interval 200")
    .option("--interval <MS>", "from one look to the next (default: 500)", integer(10, HOUR))
    .option("--peek", "leave the values in the RX queue: without it, they are taken out", false)
    .action((_options: unknown, command: Command) =>
      run<WatchVerbOptions>(command, async (options, session) => {
        const { moduleWatch } = await import("./watch.ts");
        return moduleWatch(options, session);
      }),
    );
}

/** What changes something. */
function addOrders(subject: Command, verb: DescribeVerb, run: VerbRunner): void {
  const sending = () => import("./send.ts");
  const operating = () => import("./operate.ts");
  verb(
    subject,
    "send",
    "enqueue values, send the queue, and wait until it is sent",
    "send 1:i=25 2:f=23.5 --offset -4321",
  )
    .argument("<CH:TYPE=VALUE...>", VALUES)
    .option("--immediate", "as one message of its own, past the queue: 1 to 16 values", false)
    .option("--offset <MS>", "when the values were read: -4321 is 4.321 s ago", integer(-OFFSET_MAX, OFFSET_MAX))
    .action((values: string[], _options: unknown, command: Command) =>
      run<SendVerbOptions>(command, async (options, session) => (await sending()).moduleSend(values, options, session)),
    );
  verb(subject, "enqueue", "put values in the TX queue", "enqueue 1:i=25 4:L=18446744073709551615")
    .argument("<CH:TYPE=VALUE...>", VALUES)
    .option("--offset <MS>", "when the values were read: -4321 is 4.321 s ago", integer(-OFFSET_MAX, OFFSET_MAX))
    .action((values: string[], _options: unknown, command: Command) =>
      run<ValueOptions>(command, async (options, session) => (await sending()).moduleEnqueue(values, options, session)),
    );
  verb(subject, "flush", "send what is in the TX queue, and wait until it is sent", "flush").action(
    (_options: unknown, command: Command) => run(command, async (_, session) => (await sending()).moduleFlush(session)),
  );
  verb(subject, "receive", "take the values out of the RX queue", "receive --follow --json")
    .option("--follow", "go on until Ctrl+C, also when the port goes and comes back", false)
    .option("--poll <MS>", "with --follow: how long an empty queue is left alone (default: 200)", integer(1, HOUR))
    .action((_options: unknown, command: Command) =>
      run<ReceiveVerbOptions>(command, async (options, session) => {
        const { moduleReceive } = await import("./receive.ts");
        return moduleReceive(options, session);
      }),
    );
  verb(subject, "clear", "empty a queue", "clear tx")
    .addArgument(new Argument("<QUEUE>", "which one").choices(["tx", "rx"]))
    .action((queue: "tx" | "rx", _options: unknown, command: Command) =>
      run(command, async (_, session) => (await operating()).moduleClear(queue, session)),
    );
  verb(subject, "reset", "restart the module, and wait until it is online again; both queues are empty then", "reset")
    .option("--no-wait", "do not wait until it is back")
    .action((_options: unknown, command: Command) =>
      run<ResetVerbOptions>(command, async (options, session) => (await operating()).moduleReset(options, session)),
    );
  verb(subject, "power-save", "read the power-save mode, or set it", "power-save auto-sleep")
    .argument("[MODE]", "disabled, auto-sleep, rf-off, or 0 to 2; firmware 1.4.0 and later")
    .action((mode: string | undefined, _options: unknown, command: Command) =>
      run(command, async (_, session) => (await operating()).modulePowerSave(mode, session)),
    );
  const firmware = () => import("./firmware.ts");
  verb(subject, "firmware", "show the firmware's version and what it lacks, or update it", "firmware update")
    .addArgument(new Argument("[ACTION]", "update: asks, updates, and waits for the result").choices(["update"]))
    .option("--yes", "do not ask", false)
    .action((action: "update" | undefined, _options: unknown, command: Command) =>
      run<FirmwareVerbOptions>(command, async (options, session) => {
        const { moduleFirmware, moduleFirmwareUpdate } = await firmware();
        return action ? moduleFirmwareUpdate(options, session) : moduleFirmware(session);
      }),
    );
  verb(subject, "raw", "have any command carried out, and see the bytes both ways", "raw A1")
    .argument("<CODE>", "its code in hexadecimal, or its name, such as GET_UNIQUE_ID")
    .argument("[HEX...]", "the payload: 0 to 255 bytes, two digits each")
    .action((code: string, hex: string[], _options: unknown, command: Command) =>
      run(command, async (_, session) => (await import("./raw.ts")).moduleRaw(code, hex, session)),
    );
}

/** Files of the platform, 1 to 5. */
function addFiles(subject: Command, verb: DescribeVerb, run: VerbRunner): void {
  const files = () => import("./file.ts");
  const number = () => new Argument("<N>", "which file, 1 to 5").argParser(integer(1, 5));
  const file = verb(
    subject,
    "file",
    "download a file of the platform, or see what it is",
    "file get 1 -o firmware.bin",
  );
  verb(file, "get", "download a file, its CRC-32 checked; goes on after a pulled cable", "file get 1 -o firmware.bin")
    .addArgument(number())
    .requiredOption("-o, --output <FILE>", "where to; - is stdout")
    .option("--chunk <BYTES>", "ask for so many at once at most, 1 to 255 (default: 255)", integer(1, 255))
    .option("--force", "replace a file that is there", false)
    .action((n: number, _options: unknown, command: Command) =>
      run<FileGetOptions>(command, async (options, session) => (await files()).moduleFileGet(n, options, session)),
    );
  verb(file, "info", "size, time and CRC-32 of a file, without its bytes", "file info 1")
    .addArgument(number())
    .action((n: number, _options: unknown, command: Command) =>
      run(command, async (_, session) => (await files()).moduleFileInfo(n, session)),
    );
}
