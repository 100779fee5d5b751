/**
 * Where the two sides meet: the host drives these, the emulator answers on them, and tests stand in for either.
 * Types only; nothing here knows Node or a browser.
 */
import type { SakuraError } from "./errors.ts";
import type { UplinkMessage } from "./message.ts";

/**
 * A byte stream: a serial port, a pseudo-terminal's device end, a TCP connection.
 *
 * A failed write has no error of its own: a stream that cannot be written to is over, and says so once, to the
 * listeners of `onClose`.
 */
export interface ByteDuplex {
  /** Where it is, for people: `/dev/ttyUSB0`, `tcp:127.0.0.1:7000`. */
  readonly name: string;
  /** Hands the bytes on, in order; the array must not be changed afterwards. After the end it does nothing. */
  write(bytes: Uint8Array): void;
  /** Bytes that were handed over and that the system has not taken so far, where that can be told. */
  unsent?(): number;
  /** Calls the listener with each chunk that arrives, as it arrives, split anywhere. Returns its removal. */
  onBytes(listener: (bytes: Uint8Array) => void): () => void;
  /**
   * Calls the listener once when the stream has ended: without a reason after `close()`, with one otherwise
   * (`PORT_LOST`). At once if it has ended already. Returns its removal.
   */
  onClose(listener: (reason: SakuraError | undefined) => void): () => void;
  /** Ends the stream; resolves when the system has let go of it. Further calls do nothing. */
  close(): Promise<void>;
}

/** Time as the emulated module and the waits see it: the wall's, or a test's. */
export interface Clock {
  /** Milliseconds since the Unix epoch. Somebody may set it: forward, or back. */
  now(): number;
  /**
   * Milliseconds since some moment, which only go forward: what durations are measured with. Left out where `now` only
   * goes forward too.
   */
  monotonic?(): number;
  /** Runs once, `ms` from now. Returns the cancellation, which may be called any number of times. */
  after(ms: number, run: () => void): () => void;
}

/** What takes the messages that a module sends up: the bridge core, a test, the command line's printer. */
export interface Uplink {
  /**
   * Takes one message. Resolves when it is kept, and only then is it "sent" for the module (TX_STAT). Rejects with
   * `REFUSED` when it cannot be taken: the module keeps it and says that the send failed.
   */
  take(message: UplinkMessage): Promise<void>;
}
