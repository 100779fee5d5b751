/** An MCU that sends numbered values, and sends each until its module says that it is sent, whatever happens to either. */
import { SakuraModule } from "../../host/module.ts";
import { isSakuraError } from "../../protocol/errors.ts";

export class NumberedMcu {
  readonly module: string;
  /** Numbers whose sending the module has confirmed: 1 … sent. */
  sent = 0;
  readonly #path: string;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  /** @param path of the module's serial port, which may come and go */
  constructor(module: string, path: string) {
    this.module = module;
    this.#path = path;
    this.#done = this.#run();
  }

  /** Sends the number that is under way to its end, and no other. */
  async finish(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    let client: SakuraModule | undefined;
    while (!this.#stop.signal.aborted) {
      const number = this.sent + 1;
      for (let sent = false; !sent; ) {
        try {
          client ??= await SakuraModule.open(`uart:${this.#path}`);
          // What a lost answer may have left there.
          await client.txClear();
          await client.txEnqueue({ channel: 0, type: "i", value: number });
          await client.flush({ pollMs: 2, timeoutMs: 5_000 });
          sent = true;
        } catch (error) {
          if (!isSakuraError(error)) throw error;
          if (error.code !== "MODULE_REFUSED") {
            await client?.close();
            client = undefined;
          }
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
      this.sent = number;
    }
    await client?.close();
  }
}
