/** A link: one module, as the bridge sees it. */
import type { Uplink } from "../../protocol/bus.ts";
import type { DownlinkMessage } from "../../protocol/message.ts";

/** How a link stands. Times are Unix ms. */
export type LinkState =
  | { readonly state: "starting"; readonly since: number }
  | {
      readonly state: "up";
      readonly since: number;
      /** Where the other end is reached: `/dev/pts/3`, `tcp:127.0.0.1:7000`. */
      readonly endpoint: string;
    }
  | {
      readonly state: "error";
      /** Since when it has not been up. */
      readonly since: number;
      /** For people: what happened and what to do. */
      readonly reason: string;
      /** Failures in a row. */
      readonly attempt: number;
      /** When it is tried again; nothing while that is under way. */
      readonly nextAttempt: number | undefined;
    }
  | { readonly state: "stopped"; readonly since: number };

export type LinkKind = "emulated" | "module" | "tap";

/** Why a link does not take a downlink message: `context.reason` of the REFUSED that it rejects with. */
export type LinkRefusal =
  | "link-down" // no port, or no module that answers
  | "offline" // the module has no network
  | "rx-queue-full" // emulated: the MCU has not read enough
  | "tx-queue-full" // module: it has not sent enough
  | "send-failed" // module: it took the message, and reports that the sending failed
  | "tap" // tap: the bridge only listens there, and what it sent would come between the MCU and its module
  | "timeout";

/** Something that a link noticed, that changes no state, and that who runs the bridge should know. */
export interface LinkNote {
  /** For programs. */
  readonly note: LinkNoteKind;
  /** For people. */
  readonly message: string;
}

export type LinkNoteKind =
  | "rx-queue-changed" // module: somebody else reads its RX queue as well
  | "waiting" // tap: the bridge does not take what the MCU sent; it waits
  | "values-lost" // tap: too much waited, or the bridge stopped before it was taken
  | "values-gone" // tap: the module's TX queue has lost values that were not seen to be sent
  | "not-understood" // tap: the module took a command that this program cannot read
  | "bytes-dropped" // tap: one side did not read what the other sent
  | "decoder-failed"; // tap: a fault of this program; the bytes pass all the same

export interface Link {
  /** The module's id on the platform. */
  readonly module: string;
  readonly kind: LinkKind;
  /** Whether what the bridge's own API sends through it is published as the module's, too. */
  readonly mirrors?: boolean;
  /**
   * Starts, once. Never throws for what time can change: a port that is not there is state `error`, and tried again.
   * @param uplink takes what the module sends up
   * @param note told what who runs the bridge should know
   */
  start(uplink: Uplink, note?: (note: LinkNote) => void): void;
  state(): LinkState;
  /** Calls the listener with each new state. Returns its removal. */
  onState(listener: (state: LinkState) => void): () => void;
  /** What it has counted since the start, by name; for statistics. */
  counts?(): Readonly<Record<string, number>>;
  /**
   * Brings a message down to the module: all of it, or nothing.
   * @throws SakuraError REFUSED with context.reason, see {@link LinkRefusal}; ABORTED by the signal
   */
  deliver(message: DownlinkMessage, signal?: AbortSignal): Promise<void>;
  /** Stops for good; resolves when the system has let go of the port. Further calls do nothing more. */
  close(): Promise<void>;
}
