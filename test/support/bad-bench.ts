/** The verbs of `sakuraio module` at an emulated module whose line is bad, in virtual time: as a shell would run them. */
import { Command, CommanderError } from "commander";
import { attachUart } from "../../emulator/bus/uart.ts";
import { VirtualClock } from "../../emulator/clock.ts";
import { parseFaults } from "../../emulator/faults.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import type { EmulatedModuleOptions } from "../../emulator/state.ts";
import { MessageLog } from "../../emulator/uplink.ts";
import type { ExitCode } from "../../host/cli/io.ts";
import { type ModuleSession, tellUnknownOutcome } from "../../host/cli/module/session.ts";
import { addModuleVerbs } from "../../host/cli/module/verb-list.ts";
import { reportFailure } from "../../host/cli/process-io.ts";
import { subjectHelp } from "../../host/cli/verb-help.ts";
import { SakuraModule } from "../../host/module.ts";
import { UartExchange } from "../../host/transport/uart.ts";
import { isSakuraError, type SakuraError } from "../../protocol/errors.ts";
import { inTime } from "./client.ts";
import { FakeIo } from "./fake-io.ts";
import { linePair } from "./scripted-module.ts";

export interface VerbEnd {
  readonly code: ExitCode;
  readonly error: SakuraError | undefined;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  /** The cable is pulled, once, with the so-manieth frame that reaches the module. */
  readonly unplugAt?: number;
  /** Ctrl+C with that frame. */
  readonly stopAt?: number;
  /** Who answers questions; there is no terminal without. */
  readonly ask?: (question: string) => Promise<string>;
}

export class BadBench {
  readonly clock = new VirtualClock();
  readonly log = new MessageLog(this.clock);
  readonly emulated: EmulatedModule;

  constructor(faults: string, options: EmulatedModuleOptions = {}) {
    this.emulated = new EmulatedModule({ uplink: this.log, ...options, clock: this.clock });
    this.emulated.setFaults(parseFaults(faults));
  }

  /** The integers on their way: those that arrived at the platform, and those that wait in the TX queue. */
  get arrived(): readonly unknown[] {
    return this.log.messages
      .flatMap((one) => (one.type === "channels" ? one.payload.channels : []))
      .map((c) => c.value);
  }

  get queued(): readonly unknown[] {
    return this.emulated.state.txQueue.map(({ entry }) => entry.value);
  }

  /** Runs a verb to its end, an hour of virtual time at most. */
  async run(args: readonly string[], { unplugAt, stopAt, ask }: RunOptions = {}): Promise<VerbEnd> {
    const io = new FakeIo();
    const json = args.includes("--json");
    let end: VerbEnd | undefined;
    const program = new Command("module").option("--json", "", false).exitOverride();
    const session: ModuleSession = {
      io: ask ? Object.assign(io, { ask }) : io,
      json,
      withModule: (work) => this.#withModule(work, io, { unplugAt, stopAt }),
    };
    addModuleVerbs(
      program,
      subjectHelp("module").verb,
      async <Options extends object>(
        command: Command,
        work: (options: Options, session: ModuleSession) => Promise<ExitCode>,
      ) => {
        let error: unknown;
        const code = await work(command.optsWithGlobals<Options>(), session).catch((failure: unknown) => {
          error = failure;
          return reportFailure(failure, io, json);
        });
        if (error !== undefined && !isSakuraError(error)) throw error;
        end = { code, error, out: io.out, err: io.err };
      },
    );
    const running = program.parseAsync(args, { from: "user" });
    await inTime(this.clock, running);
    if (!end) throw new CommanderError(1, "none", `no verb ran: ${args.join(" ")}`);
    return { ...end, out: io.out, err: io.err };
  }

  async #withModule(
    work: (module: SakuraModule) => Promise<ExitCode>,
    io: FakeIo,
    { unplugAt, stopAt }: { readonly unplugAt?: number | undefined; readonly stopAt?: number | undefined },
  ): Promise<ExitCode> {
    const { host, module: end, lose } = linePair();
    const detach = attachUart(this.emulated, end);
    let frames = 0;
    const stop = this.emulated.onFrame(() => {
      frames++;
      if (frames === unplugAt) lose();
      if (frames === stopAt) io.stop();
    });
    const exchange = await UartExchange.open(host, { clock: this.clock });
    const module = SakuraModule.over(exchange, { clock: this.clock });
    try {
      return await work(module);
    } catch (error) {
      tellUnknownOutcome(error, io);
      throw error;
    } finally {
      stop();
      detach();
      await module.close();
    }
  }
}
