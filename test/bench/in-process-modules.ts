/** Emulated modules of a bridge without a wire: driven in this process, as the bytes of an MCU would drive them. */
import { EmulatedModule } from "sakuraio-kit/emulator";
import { type LinkFactory, retryingLink } from "sakuraio-kit/host";
import { type ChannelEntry, encodeRequest, type Uplink, type UplinkMessage } from "sakuraio-kit/protocol";

const TX_SEND = encodeRequest("TX_SEND", undefined);
const OK = 0x01;

export class InProcessModules {
  readonly ids: readonly string[];
  // By index: looking a module up is no cost of the bridge's.
  readonly #modules: EmulatedModule[] = [];
  readonly #uplinks: Uplink[] = [];

  constructor(count: number) {
    this.ids = Array.from({ length: count }, (_, i) => `u${String(i).padStart(11, "0")}`);
  }

  /** The bridge's own link for emulated modules, but for the line. */
  readonly link: LinkFactory = ({ id }, { clock, random }) =>
    retryingLink({
      module: id,
      kind: "emulated",
      clock,
      random,
      open: (uplink) => {
        const module = new EmulatedModule({ id, sendTimeMs: 0, clock, uplink });
        const index = Number(id.slice(1));
        this.#modules[index] = module;
        this.#uplinks[index] = uplink;
        return Promise.resolve({
          endpoint: "this process",
          lost: new Promise<never>(() => undefined),
          deliver: (message) => {
            module.deliver(message);
            return Promise.resolve();
          },
          close: () => Promise.resolve(),
        });
      },
    });

  /** Enqueues a value and sends it. What is under way still when the next comes is a failure of the measurement. */
  send(index: number, value: ChannelEntry): void {
    const module = this.#modules[index];
    if (!module) throw new Error(`there is no module ${index}`);
    for (const frame of [encodeRequest("TX_ENQUEUE", value), TX_SEND]) {
      const status = module.handle(frame)?.[0];
      if (status !== OK) throw new Error(`module ${index} answered ${status}`);
    }
  }

  /** Hands a message to the bridge as a module does, without waiting for the one before. */
  take(index: number, message: UplinkMessage): Promise<void> {
    const uplink = this.#uplinks[index];
    if (!uplink) throw new Error(`there is no module ${index}`);
    return uplink.take(message);
  }
}
