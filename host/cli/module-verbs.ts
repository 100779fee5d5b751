/** The command line of `sakuraio module`. */
import { Argument, type Command } from "commander";
import type { CliIo } from "./io.ts";
import type { SendVerbOptions, ValueOptions } from "./module.ts";
import type { ReceiveVerbOptions } from "./module-receive.ts";
import type { PortOptions } from "./module-session.ts";
import { integer } from "./options.ts";
import { runWithSubject, subjectHelp } from "./verb-help.ts";

const HOUR = 3_600_000;
const OFFSET_MAX = Number.MAX_SAFE_INTEGER;
const PORT = "--port uart:/dev/ttyUSB0";
const PORT_HELP =
  "where it is: uart:/dev/ttyUSB0[?baud=N], uart:COM3, tcp:HOST:PORT, buspirate+i2c:/dev/ttyUSB0, " +
  "buspirate+spi:/dev/ttyUSB0, i2c:/dev/i2c-1, spi:/dev/spidev0.0";
const PORT_NOTES = `
Behind a port's ?, joined by &:
  wait=MS            over I2C and SPI: from a request to the reading of its answer (default: 10)
  power=off          a Bus Pirate: do not give the module its 3.3 V
  pullups=off        a Bus Pirate's I2C: the module's board has its own
  baud=N             a serial port, a Bus Pirate's too (default: 115200)
  speed=HZ           spi: up to 350000 (default: 250000)`;
const VALUES = "values such as 1:i=25 2:f=23.5 3:b=0f1e2d3c4b5c6b7a 4:L=18446744073709551615";

const { examples, verb } = subjectHelp(`sakuraio module ${PORT}`);

export function registerModuleVerbs(program: Command, io: () => CliIo): void {
  const module = program
    .command("module")
    .summary("drive a module: status, send, receive and more")
    .description("Drives one sakura.io module, real or emulated, at the end of a port.")
    .requiredOption("--port <URI>", PORT_HELP)
    .option("--baud <N>", "speed of the serial port (default: 115200)", integer(50, 4_000_000))
    .option("--timeout <MS>", "for each try of a command (default: 1000)", integer(1, 600_000))
    .option("--json", "one JSON object a line on stdout and nothing else", false)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", `${examples("status", "send 1:i=25 2:f=23.5", "receive --follow --json")}\n${PORT_NOTES}`);
  registerQuestions(module, io);
  registerOrders(module, io);
}

/** What changes nothing in the module. */
function registerQuestions(module: Command, io: () => CliIo): void {
  verb(module, "status", "connection, signal, time, product, ids, firmware and queues", "status").action(
    (_options: unknown, command: Command) =>
      runWithSubject<PortOptions>(command, io, async (options, cli) => (await verbs()).moduleStatus(options, cli)),
  );
  verb(module, "echo", "have bytes sent back, to see whether the line is good", "echo 0f1e2d3c")
    .argument("<HEX>", "0 to 255 bytes, two digits each")
    .action((hex: string, _options: unknown, command: Command) =>
      runWithSubject<PortOptions>(command, io, async (options, cli) => (await verbs()).moduleEcho(hex, options, cli)),
    );
  verb(module, "queue", "what is in the TX and the RX queue, and how the last sends went", "queue").action(
    (_options: unknown, command: Command) =>
      runWithSubject<PortOptions>(command, io, async (options, cli) => (await verbs()).moduleQueue(options, cli)),
  );
}

/** What changes something. */
function registerOrders(module: Command, io: () => CliIo): void {
  verb(
    module,
    "send",
    "enqueue values, send the queue, and wait until it is sent",
    "send 1:i=25 2:f=23.5 --offset -4321",
  )
    .argument("<CH:TYPE=VALUE...>", VALUES)
    .option("--immediate", "as one message of its own, past the queue: 1 to 16 values", false)
    .option("--offset <MS>", "when the values were read: -4321 is 4.321 s ago", integer(-OFFSET_MAX, OFFSET_MAX))
    .action((values: string[], _options: unknown, command: Command) =>
      runWithSubject<SendVerbOptions>(command, io, async (options, cli) =>
        (await verbs()).moduleSend(values, options, cli),
      ),
    );
  verb(module, "enqueue", "put values in the TX queue", "enqueue 1:i=25 4:L=18446744073709551615")
    .argument("<CH:TYPE=VALUE...>", VALUES)
    .option("--offset <MS>", "when the values were read: -4321 is 4.321 s ago", integer(-OFFSET_MAX, OFFSET_MAX))
    .action((values: string[], _options: unknown, command: Command) =>
      runWithSubject<ValueOptions>(command, io, async (options, cli) =>
        (await verbs()).moduleEnqueue(values, options, cli),
      ),
    );
  verb(module, "flush", "send what is in the TX queue, and wait until it is sent", "flush").action(
    (_options: unknown, command: Command) =>
      runWithSubject<PortOptions>(command, io, async (options, cli) => (await verbs()).moduleFlush(options, cli)),
  );
  verb(module, "receive", "take the values out of the RX queue", "receive --follow --json")
    .option("--follow", "go on until Ctrl+C, also when the port goes and comes back", false)
    .option("--poll <MS>", "with --follow: how long an empty queue is left alone (default: 200)", integer(1, HOUR))
    .action((_options: unknown, command: Command) =>
      runWithSubject<ReceiveVerbOptions>(command, io, async (options, cli) => {
        const { moduleReceive } = await import("./module-receive.ts");
        return moduleReceive(options, cli);
      }),
    );
  verb(module, "clear", "empty a queue", "clear tx")
    .addArgument(new Argument("<QUEUE>", "which one").choices(["tx", "rx"]))
    .action((queue: "tx" | "rx", _options: unknown, command: Command) =>
      runWithSubject<PortOptions>(command, io, async (options, cli) =>
        (await verbs()).moduleClear(queue, options, cli),
      ),
    );
  verb(module, "reset", "restart the module; both queues are empty after it", "reset").action(
    (_options: unknown, command: Command) =>
      runWithSubject<PortOptions>(command, io, async (options, cli) => (await verbs()).moduleReset(options, cli)),
  );
  verb(module, "power-save", "read the power-save mode, or set it", "power-save auto-sleep")
    .argument("[MODE]", "disabled, auto-sleep, rf-off, or 0 to 2; firmware 1.4.0 and later")
    .action((mode: string | undefined, _options: unknown, command: Command) =>
      runWithSubject<PortOptions>(command, io, async (options, cli) =>
        (await verbs()).modulePowerSave(mode, options, cli),
      ),
    );
}

/** Not before one of them runs: the client takes longer to load than the help. */
function verbs(): Promise<typeof import("./module.ts")> {
  return import("./module.ts");
}
