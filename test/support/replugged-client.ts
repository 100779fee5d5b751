/** A client whose line can be pulled and comes back, at an emulated module, in virtual time. */
import { attachUart } from "../../emulator/bus/uart.ts";
import { VirtualClock } from "../../emulator/clock.ts";
import { filesInMemory } from "../../emulator/files.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import { CommandQueue } from "../../host/command-queue.ts";
import { Connection } from "../../host/connection.ts";
import { downloadFile, type FileDownload, type FileDownloadOptions } from "../../host/file-download.ts";
import type { CommandOptions } from "../../host/job.ts";
import { ModuleCommands } from "../../host/module-commands.ts";
import { UartExchange } from "../../host/transport/uart.ts";
import { type CommandName, commandTable, type RequestOf, type ResponseOf } from "../../protocol/commands.ts";
import { decodeResponse, encodeRequest } from "../../protocol/frame.ts";
import { inTime } from "./client.ts";
import { linePair } from "./scripted-module.ts";

/** As SakuraModule, on a connection of the test's own. */
class Commands extends ModuleCommands {
  readonly #queue: CommandQueue;

  constructor(connection: Connection, clock: VirtualClock, timeoutMs: number) {
    super();
    this.#queue = new CommandQueue(connection, { clock, timeoutMs, retries: 4 });
  }

  override command<N extends CommandName>(
    name: N,
    request: RequestOf<N>,
    options?: CommandOptions,
  ): Promise<ResponseOf<N>> {
    const decode = (answer: Uint8Array): ResponseOf<N> => decodeResponse(name, answer);
    const { repeat } = commandTable[name];
    return this.#queue.run({ name, repeat, request: encodeRequest(name, request), decode }, options);
  }
}

export class RepluggedClient {
  readonly clock = new VirtualClock();
  readonly emulated: EmulatedModule;
  /** What file 1 is; put another one here to have it replaced. */
  readonly files: Record<number, { readonly data: Uint8Array; readonly timestamp: number }> = {};
  /** The commands that the module carried out or refused, by their codes. */
  readonly codes: number[] = [];
  #pull: () => void = () => undefined;
  #connection: Connection | undefined;
  #commands: Commands | undefined;

  constructor() {
    this.emulated = new EmulatedModule({ clock: this.clock, files: filesInMemory(this.files) });
    this.emulated.onFrame((request) => this.codes.push(request[0] ?? 0));
  }

  /** @param options.reopen whether a pulled line comes back */
  async open({ reopen = true, timeoutMs = 200 } = {}): Promise<void> {
    const connect = (): Promise<UartExchange> => {
      const { host, module, lose } = linePair();
      const detach = attachUart(this.emulated, module);
      this.#pull = () => {
        detach();
        lose();
      };
      return UartExchange.open(host, { clock: this.clock });
    };
    const exchange = await inTime(this.clock, connect());
    this.#connection = new Connection(exchange, { clock: this.clock, reopen: reopen ? connect : undefined });
    this.#commands = new Commands(this.#connection, this.clock, timeoutMs);
  }

  /** Pulls the cable; it is plugged in again by the time the client looks. */
  unplug(): void {
    this.#pull();
  }

  download(file = 1, options: FileDownloadOptions = {}): Promise<FileDownload> {
    if (!this.#connection || !this.#commands) throw new Error("it is not open");
    return downloadFile(this.#commands, this.#connection, this.clock, file, options);
  }

  /** Lets virtual time pass until the work has ended. */
  async inTime<T>(work: Promise<T>, hours = 24): Promise<T> {
    let ended = false;
    const end = (): void => {
      ended = true;
    };
    work.then(end, end);
    for (let seconds = 0; !ended && seconds < hours * 3600; seconds++) await this.clock.advance(1000);
    if (!ended) throw new Error(`it has not ended after ${hours} hours`);
    return work;
  }
}
