/**
 * Link `tap`: the bridge sits between a real MCU and a real module, passes every byte untouched, and publishes what the
 * MCU has its module send.
 */
import type { ByteDuplex, Clock, Uplink } from "../../../protocol/bus.ts";
import type { SakuraError } from "../../../protocol/errors.ts";
import type { DownlinkMessage } from "../../../protocol/message.ts";
import type { Link, LinkNote, LinkState } from "../link.ts";
import { linkRefusal, type OpenLink, retryingLink } from "./retrying.ts";
import { TapPipe } from "./tap-pipe.ts";
import { TapSession } from "./tap-session.ts";

/** The two lines that a tap lies between, open. */
export interface TapLines {
  /** Where the MCU is, for people and programs. */
  readonly endpoint: string;
  readonly module: ByteDuplex;
  /** Calls the listener with the MCU's line, or with each MCU's connection in turn; at once where there is one. */
  onMcu(listener: (mcu: ByteDuplex) => void): () => void;
  /** Resolves when either is gone; never after `close()`. */
  readonly lost: Promise<SakuraError>;
  /** Closes both. */
  close(): Promise<void>;
}

export interface TapLinkOptions {
  /** The id under which it is published. */
  readonly module: string;
  readonly clock: Clock;
  readonly random?: (() => number) | undefined;
  open(signal: AbortSignal): Promise<TapLines>;
}

export function tapLink(options: TapLinkOptions): Link {
  return new TapLink(options);
}

class TapLink implements Link {
  readonly module: string;
  readonly kind = "tap";
  readonly #options: TapLinkOptions;
  /** The lines' life. */
  readonly #lines: Link;
  #session: TapSession | undefined;

  constructor(options: TapLinkOptions) {
    const { module, clock, random } = options;
    this.module = module;
    this.#options = options;
    this.#lines = retryingLink({
      module,
      kind: "tap",
      clock,
      random,
      open: (uplink, signal, note) => {
        // One for the link's life: what waits, and what the module's queue holds, is still so when a line is back.
        this.#session ??= new TapSession({ ...options, uplink, note });
        return this.#open(this.#session, signal);
      },
    });
  }

  start(uplink: Uplink, note?: (note: LinkNote) => void): void {
    this.#lines.start(uplink, note);
  }

  state(): LinkState {
    return this.#lines.state();
  }

  onState(listener: (state: LinkState) => void): () => void {
    return this.#lines.onState(listener);
  }

  counts(): Readonly<Record<string, number>> {
    return this.#session?.counts() ?? {};
  }

  /** Never: the bridge is neither the module nor its MCU. */
  async deliver(message: DownlinkMessage): Promise<void> {
    const words = `module ${message.module} is tapped: the bridge only listens there, and its MCU alone can be reached by the platform`;
    throw linkRefusal("tap", words);
  }

  async close(): Promise<void> {
    await this.#lines.close();
    await this.#session?.close();
  }

  async #open(session: TapSession, signal: AbortSignal): Promise<OpenLink> {
    const lines = await this.#options.open(signal);
    session.lineChanged();
    const pipe = new TapPipe(lines.module, session);
    const stop = lines.onMcu((mcu) => pipe.connect(mcu));
    return {
      endpoint: lines.endpoint,
      lost: lines.lost,
      deliver: (message) => this.deliver(message),
      async close() {
        stop();
        pipe.close();
        await lines.close();
      },
    };
  }
}
